package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDeadlineIsAContext compares the deadline made late with the one that the
// context package makes, watched in every way.
func TestDeadlineIsAContext(t *testing.T) {
	type key struct{}
	cause := &timeoutError{"answer", 5 * time.Second}
	makers := map[string]func(context.Context) (context.Context, func()){
		"context": func(parent context.Context) (context.Context, func()) {
			return context.WithTimeoutCause(parent, 5*time.Second, cause)
		},
		"ours": func(parent context.Context) (context.Context, func()) {
			d := &deadline{Context: parent, at: time.Now().Add(5 * time.Second), cause: cause}
			return d, d.stop
		},
	}
	for watch, f := range map[string]func(ctx context.Context, stop func()) any{
		"Done": func(ctx context.Context, _ func()) any {
			<-ctx.Done()
			return []any{ctx.Err(), context.Cause(ctx)}
		},
		"Err, polled": func(ctx context.Context, _ func()) any {
			early := ctx.Err()
			time.Sleep(6 * time.Second)
			return []any{early, ctx.Err(), context.Cause(ctx), ctx.Err()}
		},
		"Err at the instant": func(ctx context.Context, _ func()) any {
			time.Sleep(5 * time.Second)
			synctest.Wait()
			return ctx.Err()
		},
		"a child": func(ctx context.Context, _ func()) any {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			<-child.Done()
			return []any{child.Err(), context.Cause(child)}
		},
		"a child with a later deadline": func(ctx context.Context, _ func()) any {
			child, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			at, ok := child.Deadline()
			return []any{at, ok}
		},
		"AfterFunc": func(ctx context.Context, _ func()) any {
			called := time.Time{}
			context.AfterFunc(ctx, func() { called = time.Now() })
			time.Sleep(time.Minute)
			synctest.Wait()
			return called
		},
		"stopped": func(ctx context.Context, stop func()) any {
			stop()
			<-ctx.Done()
			return []any{ctx.Err(), context.Cause(ctx)}
		},
		"stopped while waited for": func(ctx context.Context, stop func()) any {
			time.AfterFunc(time.Second, stop)
			<-ctx.Done()
			return []any{ctx.Err(), context.Cause(ctx)}
		},
		"stopped, Err": func(ctx context.Context, stop func()) any {
			stop()
			stop()
			return ctx.Err()
		},
		"Deadline and Value": func(ctx context.Context, _ func()) any {
			at, ok := ctx.Deadline()
			before := ctx.Value(key{})
			<-ctx.Done()
			return []any{at, ok, before, ctx.Value(key{})}
		},
	} {
		for parent, with := range map[string]func(context.Context) (context.Context, func()){
			"":           func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) },
			", earlier":  func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, 2*time.Second) },
			", later":    func(ctx context.Context) (context.Context, func()) { return context.WithTimeout(ctx, time.Hour) },
			", canceled": func(ctx context.Context) (context.Context, func()) { c, f := context.WithCancel(ctx); f(); return c, f },
			", a deadline": func(ctx context.Context) (context.Context, func()) {
				d := &deadline{Context: ctx, at: time.Now().Add(3 * time.Second), cause: cause}
				return d, d.stop
			},
		} {
			t.Run(watch+parent, func(t *testing.T) {
				var got [2]any
				for i, which := range []string{"context", "ours"} {
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := with(context.WithValue(context.Background(), key{}, "value"))
						defer cancel()
						ctx, stop := makers[which](ctx)
						defer stop()
						got[i] = f(ctx, stop)
					})
				}
				require.Equal(t, got[0], got[1])
			})
		}
	}
}

// A caller that never looks never starts a timer.
func TestDeadlineCostsNothingUnwatched(t *testing.T) {
	d := &deadline{Context: context.Background(), at: time.Now().Add(time.Hour)}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = d.Err()
		_, _ = d.Deadline()
		_ = d.Value(0)
	}))
	require.Nil(t, d.inner)
}
