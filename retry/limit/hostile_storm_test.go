package limit

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Two handlers of different rates on one store don't use up each other's room.
func TestTwoHandlersOneStore(t *testing.T) {
	s := &Memory{}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {})
	slow, err := NewHandler(next, Rate{N: 2, Per: time.Hour}, &HandlerOptions{Store: s})
	require.NoError(t, err)
	fast, err := NewHandler(next, Rate{N: 100, Per: time.Second}, &HandlerOptions{Store: s, Prefix: "fast"})
	require.NoError(t, err)
	do := func(h *Handler) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Code
	}
	require.Equal(t, 200, do(slow))
	require.Equal(t, 200, do(fast), "a hundred a second are allowed, and this is the first")
}

// Waiting calls that come and go leave no call with the turn.
func TestAccountStorm(t *testing.T) {
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 2000, Per: time.Second, Burst: 3}})
	require.NoError(t, err)
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			for range 30 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(4000))*time.Microsecond)
				if i%2 == 0 {
					ctx = a.WithCall(ctx, "", Use{})
				}
				p, err := a.Acquire(ctx)
				if err == nil && rand.IntN(2) == 0 {
					p.Cancel(time.Now())
				}
				cancel()
			}
		})
	}
	wait.Wait()
	m := a.allotment("")
	require.False(t, m.turn.taken())
	require.Empty(t, m.turn.waiting)
	time.Sleep(20 * time.Millisecond)
	l := a.Allowances(time.Now(), "")
	require.EqualValues(t, 3, l[0].Remaining)
}

// More models than are remembered: a permit of a forgotten model is harmless, and
// waits end.
func TestForgottenModels(t *testing.T) {
	a, err := NewAccount(&AccountOptions{Requests: Rate{N: 2, Per: time.Hour}})
	require.NoError(t, err)
	now := time.Now()
	p, err := a.TryAcquire(now, "mine", Use{})
	require.NoError(t, err)
	for i := range maxModels + 1 {
		_, _ = a.TryAcquire(now.Add(time.Second), string(rune('a'+i%26))+time.Duration(i).String(), Use{})
	}
	p.Learn(now, nil)
	p.Settle(now, Use{})
	p.Cancel(now)
	l := a.Allowances(now, "mine")
	require.LessOrEqual(t, l[0].Remaining, int64(2))
}
