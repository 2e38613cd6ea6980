package retry

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/fault"
)

type hostileWait struct{ d time.Duration }

func (hostileWait) Error() string                       { return "later" }
func (hostileWait) HTTPStatus() int                     { return 429 }
func (w hostileWait) RetryAfter() (time.Duration, bool) { return w.d, true }

// After a negative wait from a client's error a retry still has its backoff.
func TestNegativeRetryAfter(t *testing.T) {
	var waits []time.Duration
	p, err := NewPolicy(&Options{Backoff: Exponential{Jitter: JitterNone}, Budget: NoBudget, Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }})
	require.NoError(t, err)
	_, err = Do(t.Context(), p, func(context.Context) (int, error) { return 0, hostileWait{-time.Hour} })
	require.Error(t, err)
	require.Len(t, waits, 2)
	for _, w := range waits {
		require.Positive(t, w)
		require.LessOrEqual(t, w, time.Minute, "MaxDelay")
	}
}

// The same with an error of this module's own.
func TestNegativeDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPolicy(&Options{MaxAttempts: 2, Backoff: Exponential{Base: time.Millisecond}})
		require.NoError(t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			n := 0
			_, _ = Do(t.Context(), p, func(context.Context) (int, error) {
				if n++; n > 1 {
					return 1, nil
				}
				return 0, hostileWait{time.Until(time.Now().Add(-time.Second))} // "come back at", a second ago
			})
		}()
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			t.Fatal("the call waits for the end of time")
		}
	})
}

// A client that uses only the context's Deadline, for example through
// net.Conn.SetDeadline, has still run into the attempt's timeout.
func TestAttemptsDeadlineWithoutDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := NewPolicy(&Options{MaxAttempts: 1, Timeouts: Timeouts{Attempt: 20 * time.Millisecond}})
		require.NoError(t, err)
		_, err = Do(t.Context(), p, func(ctx context.Context) (int, error) {
			at, ok := ctx.Deadline()
			require.True(t, ok)
			time.Sleep(time.Until(at) + 5*time.Millisecond)
			return 0, errors.New("gave up")
		})
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fault.ClassTimeout, e.Class)
	})
}

func TestCauseOfALazyDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := &timeoutError{"answer", time.Millisecond}
		d := &deadline{Context: t.Context(), at: time.Now().Add(time.Millisecond), cause: cause}
		want, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(time.Millisecond), cause)
		defer cancel()
		time.Sleep(10 * time.Millisecond)
		require.Equal(t, context.Cause(want), context.Cause(d))
	})
}

// A Budget that panics when the hedge asks it must not end the program: no caller can
// recover a panic on a timer's goroutine.
func TestHedgeBudgetPanics(t *testing.T) {
	if os.Getenv("HOSTILE_CHILD") != "" {
		h, _ := NewHedger(&HedgerOptions{Delay: time.Millisecond, Budget: hostileBudget{retry: func() { panic("budget") }}})
		p, _ := NewPolicy(&Options{Hedger: h})
		v, _ := hostileDo(p, func(context.Context) (int, error) { time.Sleep(20 * time.Millisecond); return 1, nil })
		t.Log("recovered", v)
		return
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestHedgeBudgetPanics$", "-test.v")
	c.Env = append(os.Environ(), "HOSTILE_CHILD=1")
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%.600s", out)
}

func TestTokenBudgetRatio(t *testing.T) {
	now := time.Now()
	b, err := NewTokenBudget(&TokenBudgetOptions{MaxTokens: 2, Ratio: 0.0005})
	if err != nil {
		return
	}
	for b.Retry(now) {
	}
	for range 100_000 {
		b.Success(now)
	}
	require.True(t, b.Retry(now), "a hundred thousand successes have returned %v tokens", b.Tokens())
}

func TestSmallBudgets(t *testing.T) {
	b, err := NewTokenBudget(&TokenBudgetOptions{MaxTokens: 0.0001})
	if err == nil {
		require.True(t, b.Tokens() > 0)
	}
	w, err := NewWindowBudget(&WindowBudgetOptions{Window: 1, Share: 0.1})
	require.NoError(t, err)
	w.Request(time.Now())
	t.Log(w.Balance(time.Now()))
}
