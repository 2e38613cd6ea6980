package route

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRun: a target is down after two failed checks, and up after one that
// succeeds; calls in progress still count; loads are read.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		check := func(context.Context) error {
			if down.Load() {
				return errors.New("not ready")
			}
			return nil
		}
		load := func(context.Context) (Load, error) { return Load{Waiting: 3, Running: 8}, nil }
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		panics := func(context.Context) (Load, error) { panic("no") }
		m := newModel(t, nil,
			Target{Name: "a", Model: says("a"), Check: check, Load: load},
			Target{Name: "hangs", Model: says("b"), Check: hangs, Tier: 1},
			Target{Name: "panics", Model: says("c"), Load: panics, Tier: 1})
		var held []Pick
		for range 10 {
			k, err := m.p.TryAcquire(time.Now(), Request{})
			require.NoError(t, err)
			held = append(held, k)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(5 * time.Second)
		status := m.p.Status(time.Now())
		require.Equal(t, "up", status[0].State)
		require.Equal(t, &Load{Waiting: 3, Running: 8}, status[0].Load)
		require.Equal(t, "down", status[1].State)
		require.Equal(t, "up", status[2].State)
		down.Store(true)
		time.Sleep(2 * time.Second)
		require.Equal(t, "up", m.p.Status(time.Now())[0].State, "one failure is none")
		time.Sleep(2 * time.Second)
		require.Equal(t, "down", m.p.Status(time.Now())[0].State)
		require.Equal(t, 10, m.p.Status(time.Now())[0].InFlight)
		text, err := m.Call(t.Context(), "hello")
		require.NoError(t, err)
		require.Equal(t, "c", text)
		down.Store(false)
		time.Sleep(2 * time.Second)
		require.Equal(t, "up", m.p.Status(time.Now())[0].State)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		_ = held
		require.NoError(t, m.p.Drain("a"))
		require.Equal(t, "drained", m.p.Status(time.Now())[0].State)
		require.NoError(t, m.p.Undrain("a"))
		require.ErrorIs(t, m.p.Drain("nope"), ErrOption)
	})
}
