package rest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/store"
)

func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New("db", srv.URL+"/base", map[string]string{"Api-Key": "secret", "Empty": ""}, nil)
	require.NoError(t, err)
	return c
}

func TestFaults(t *testing.T) {
	for status, want := range map[int]store.Fault{400: store.FaultRecords, 413: store.FaultRecords, 422: store.FaultRecords, 401: store.FaultOther, 404: store.FaultOther, 409: store.FaultOther, 410: store.FaultOther,
		307: store.FaultOther, 408: store.FaultTemporary, 429: store.FaultTemporary, 500: store.FaultTemporary, 502: store.FaultTemporary, 503: store.FaultTemporary, 504: store.FaultTemporary} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			require.Equal(t, "secret", r.Header.Get("Api-Key"))
			require.NotContains(t, r.Header, "Empty")
			require.Equal(t, "/base/a%2Fb/c", r.URL.EscapedPath())
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(strings.Repeat("long \xff", 1000)))
		})
		err := c.Do(context.Background(), "try", http.MethodPost, []string{"a/b", "c"}, nil, map[string]int{}, nil)
		var e *store.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, want, e.Fault, "status %d", status)
		require.Equal(t, status, e.HTTPStatus())
		require.Equal(t, status == 404, Missing(err))
		after, ok := e.RetryAfter()
		require.True(t, ok)
		require.Equal(t, 7*time.Second, after)
		require.Less(t, len(err.Error()), 600)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestNoAnswer(t *testing.T) {
	c, err := New("db", "http://127.0.0.1:1", nil, nil)
	require.NoError(t, err)
	err = c.Do(context.Background(), "try", http.MethodGet, nil, nil, nil, nil)
	var e *store.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, store.FaultTemporary, e.Fault)
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err = slow.Do(ctx, "try", http.MethodGet, nil, nil, nil, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorAs(t, err, &e)
	require.Equal(t, store.FaultOther, e.Fault)
	cut := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"a": `))
	})
	require.ErrorAs(t, cut.Do(context.Background(), "try", http.MethodGet, nil, nil, nil, nil), &e)
	require.Equal(t, store.FaultTemporary, e.Fault)
	require.ErrorAs(t, cut.Do(context.Background(), "try", http.MethodPost, nil, nil, func() {}, nil), &e)
	require.Equal(t, store.FaultRecords, e.Fault)
}

func TestWaits(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 0, "-1": 0, "x": 0, "2": 2 * time.Second, "999999999": time.Hour, "Mon, 02 Jan 2006 15:04:05 GMT": 0} {
		require.Equal(t, want, after(header), header)
	}
	began := time.Now()
	at := after(began.Add(30 * time.Second).UTC().Format(http.TimeFormat)) // without parts of a second
	require.LessOrEqual(t, at, 30*time.Second)
	require.GreaterOrEqual(t, at+time.Since(began), 29*time.Second)
}

func TestURLs(t *testing.T) {
	for _, u := range []string{"", "x", "localhost:80", "ftp://x", "http://", "http://a b", "\x00"} {
		_, err := New("db", u, nil, nil)
		require.True(t, errors.Is(err, store.ErrOption), u)
	}
}
