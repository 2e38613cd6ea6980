package hosts_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/hosts"
)

func TestAllowed(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8080": true, "127.0.0.1:1": true, "[::1]:80": true, "::1": true, "[::1]": true,
		"": false, "evil.example": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "127.0.0.2": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		require.Equal(t, want, hosts.Allowed(w, r, hosts.Or(nil), "Options.Hosts"), host)
		if !want {
			require.Equal(t, http.StatusForbidden, w.Code)
		}
	}
	names := []string{"a.example"}
	got := hosts.Or(names)
	names[0] = "x"
	require.Equal(t, []string{"a.example"}, got)
}
