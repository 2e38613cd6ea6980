package vllm

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/route"
)

// TestSpillOver: a pool reads the queue of a server and sends calls to the next tier
// while it is long.
func TestSpillOver(t *testing.T) {
	server := func(name, waiting string) string {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/health":
			case "/metrics":
				_, _ = w.Write([]byte("vllm:num_requests_running 16\nvllm:num_requests_waiting " + waiting + "\n")) // the client may be gone
			default:
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"choices":[{"index":0,"message":{"role":"assistant","content":"` + name + `"},"finish_reason":"stop"}]}`))
			}
		}))
		t.Cleanup(h.Close)
		return h.URL
	}
	for waiting, want := range map[string]string{"7": "own", "9": "managed"} {
		own, err := New(server("own", waiting), "m", nil)
		require.NoError(t, err)
		managed, err := New(server("managed", "0"), "m", nil)
		require.NoError(t, err)
		m, err := route.New([]route.Target{
			{Name: "own", Model: own, Check: own.Check, Load: own.Load, SpillAt: 8}, {Name: "managed", Model: managed, Tier: 1},
		}, &route.Options{Interval: time.Minute, CheckTimeout: time.Minute}) // the machine may be busy
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		require.Eventually(t, func() bool { return m.Pool().Status(time.Now())[0].Load != nil }, time.Minute, 5*time.Millisecond)
		text, err := m.Call(ctx, "hi")
		require.NoError(t, err)
		require.Equal(t, want, text)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}
