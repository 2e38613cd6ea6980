package hosts_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/hosts"
)

func serve(h http.Handler, method, host, origin string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	r.Host = host
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	p := hosts.Page(nil, "Options.Hosts", hosts.Files, next)
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "127.0.0.1:1": true, "[::1]:80": true, "::1": true, "[::1]": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "127.0.0.2": false,
	} {
		w := serve(p, "GET", host, "")
		if !want {
			require.Equal(t, http.StatusForbidden, w.Code, host)
			require.Contains(t, w.Body.String(), "Options.Hosts")
			continue
		}
		require.Equal(t, "page", w.Body.String(), host)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'; style-src 'self'; script-src 'self'; ")
	}
	require.Equal(t, http.StatusOK, serve(p, "POST", "localhost:80", "http://localhost:80").Code)
	for _, origin := range []string{"http://evil.example", "null", "http://localhost:81"} {
		require.Equal(t, http.StatusForbidden, serve(p, "POST", "localhost:80", origin).Code, origin)
	}

	r := httptest.NewRequest("GET", "/", nil)
	r.Host = "evil.example"
	for _, header := range []string{"X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"} {
		r.Header.Set(header, "localhost")
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	require.Equal(t, http.StatusForbidden, w.Code, "what a client says of its host elsewhere doesn't count")
	for _, host := range []string{"localhost.", "[::ffff:127.0.0.1]", "[::1%25lo]:80", "0x7f.1", "localhost@evil.example", "evil.example:localhost", "localhost:80:80", "localhost\x00", " localhost"} {
		require.Equal(t, http.StatusForbidden, serve(p, "GET", host, "").Code, host)
	}

	names := []string{"Ops.example", "[FD00::1]"}
	p = hosts.Page(names, "Options.Hosts", hosts.Inline, next)
	names[0] = "x"
	require.Equal(t, http.StatusForbidden, serve(p, "GET", "localhost", "").Code)
	require.Equal(t, http.StatusOK, serve(p, "GET", "[fd00::1]:80", "").Code)
	require.Contains(t, serve(p, "GET", "ops.Example:80", "").Header().Get("Content-Security-Policy"), "style-src 'unsafe-inline'; script-src 'unsafe-inline'; ")
}

// A form with files doesn't fill the disk, whatever reads it.
func TestPageBoundsBodies(t *testing.T) {
	var n int64
	p := hosts.Page(nil, "Options.Hosts", hosts.Files, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ = io.Copy(io.Discard, r.Body) // the error is that of the bound
	}))
	r := httptest.NewRequest("POST", "http://localhost/", io.LimitReader(zeros{}, 5<<20))
	p.ServeHTTP(httptest.NewRecorder(), r)
	require.EqualValues(t, 1<<20, n)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
