package limit

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

var (
	_ retry.TryLimiter = (*Bucket)(nil)
	_ retry.TryLimiter = (*rate.Limiter)(nil)
)

func TestGoldenTokenBucket(t *testing.T) {
	type row struct {
		Burst int
		Limit any `json:"limit_per_s"`
		Steps []struct {
			Op     string
			N      int
			T      int64 `json:"t_ms"`
			OK     bool
			Delay  any `json:"delay_ms"`
			Tokens any
		}
	}
	golden.Rows(t, "retry", "token_bucket.jsonl", func(r row) error {
		limit := rate.Inf
		if f, ok := r.Limit.(float64); ok {
			limit = rate.Limit(f)
		}
		b, err := NewBucket(limit, r.Burst)
		if err != nil {
			return err
		}
		epoch := time.Unix(1_790_000_000, 0)
		b.AllowN(epoch, 0)
		var granted []Reservation
		for i, s := range r.Steps {
			now := epoch.Add(time.Duration(s.T) * time.Millisecond)
			ok := s.OK
			switch s.Op {
			case "allow":
				ok = b.AllowN(now, s.N)
			case "reserve":
				res := b.ReserveN(now, s.N)
				if ok = res.OK(); ok {
					// Without a refill the wait never ends.
					if want, is := s.Delay.(float64); is && math.Abs(float64(res.DelayFrom(now))/1e6-want) > 1e-3 || !is && res.DelayFrom(now) != rate.InfDuration {
						return fmt.Errorf("step %d: delay %v, want %v", i, res.DelayFrom(now), s.Delay)
					}
					granted = append(granted, res)
				}
			case "cancel_last_reservation":
				if n := len(granted); n > 0 {
					granted[n-1].CancelAt(now)
					granted = granted[:n-1]
				}
			}
			if ok != s.OK {
				return fmt.Errorf("step %d: %s %d is %v", i, s.Op, s.N, ok)
			}
			if want, is := s.Tokens.(float64); is && math.Abs(b.TokensAt(now)-want) > 1e-6 {
				return fmt.Errorf("step %d: %v tokens, want %v", i, b.TokensAt(now), want)
			}
		}
		return nil
	})
}

// The sequence by which x/time/rate lets 20 of 15 through.
func TestBucketKeepsItsClock(t *testing.T) {
	b, err := NewBucket(10, 10)
	require.NoError(t, err)
	at := func(ms int) time.Time { return time.Unix(1_790_000_000, int64(ms)*1e6) }
	granted := 0
	for _, ask := range [][2]int{{0, 10}, {500, 1}, {0, 1}, {500, 8}} {
		for range ask[1] {
			if b.AllowN(at(ask[0]), 1) {
				granted++
			}
		}
	}
	require.Equal(t, 15, granted)
}

// Sixteen goroutines never get more than burst + rate·t, and at least 99 % of it.
func TestNeverMoreThanTheRate(t *testing.T) {
	ask := map[string]func() func() bool{
		"Bucket": func() func() bool {
			b, _ := NewBucket(200, 200)
			return func() bool { return b.Allow() }
		},
		"Memory": func() func() bool {
			l := &Memory{}
			claims := []Claim{{"k", Rate{N: 200, Per: time.Second}, 1}}
			return func() bool {
				d, _ := l.Take(context.Background(), claims, 0)
				return d.OK
			}
		},
	}
	for name, build := range ask {
		t.Run(name, func(t *testing.T) {
			f := build()
			var granted atomic.Int64
			f() // the clock of a Memory begins with its first use
			granted.Add(1)
			begin := time.Now()
			end := begin.Add(500 * time.Millisecond)
			var wg sync.WaitGroup
			for range 16 {
				wg.Go(func() {
					for time.Now().Before(end) {
						if f() {
							granted.Add(1)
						}
					}
				})
			}
			wg.Wait()
			least := 0.99 * min(400, 200+200*time.Since(begin).Seconds())
			for f() { // a machine that paused at the end left some in the bucket
				granted.Add(1)
			}
			most := 200 + 200*time.Since(begin).Seconds()
			require.LessOrEqual(t, float64(granted.Load()), most+1)
			require.GreaterOrEqual(t, float64(granted.Load()), least-1)
		})
	}
}

// A Bucket has the methods of a *rate.Limiter, and they mean the same.
func TestBucketIsALimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, err := NewBucket(1, 3)
		require.NoError(t, err)
		lim := rate.NewLimiter(1, 3)
		require.Equal(t, lim.Limit(), b.Limit())
		require.Equal(t, lim.Burst(), b.Burst())
		require.Equal(t, lim.Allow(), b.Allow())
		require.Equal(t, lim.Tokens(), b.Tokens())
		require.NoError(t, lim.WaitN(t.Context(), 2))
		require.NoError(t, b.WaitN(t.Context(), 2))
		r, want := b.Reserve(), lim.Reserve()
		require.Equal(t, want.OK(), r.OK())
		require.Equal(t, want.Delay(), r.Delay())
		require.Equal(t, time.Second, r.Delay())
		r.Cancel()
		want.Cancel()
		require.Equal(t, lim.Tokens(), b.Tokens())
		require.False(t, b.ReserveN(time.Now(), 4).OK())
		require.Equal(t, rate.InfDuration, b.ReserveN(time.Now(), 4).Delay())
		var e *Error
		require.ErrorAs(t, b.WaitN(t.Context(), 4), &e)
		require.Equal(t, fault.RefusalCap, e.Refusal)
		begin := time.Now()
		require.NoError(t, b.Wait(t.Context()))
		require.Equal(t, time.Second, time.Since(begin))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.ErrorAs(t, b.Wait(ctx), &e)
		require.Equal(t, fault.RefusalWait, e.Refusal)
		require.Equal(t, time.Second, e.Delay)
	})
}
