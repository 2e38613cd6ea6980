package retry

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/admission"
)

// Calls overlap, end in any order and fail at random; some end after the state has
// changed.
func TestBreakerIsThePlainOne(t *testing.T) {
	type call struct {
		permit     admission.Permit
		generation int
	}
	seen := map[State]int{}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		plain := &plainBreaker{failures: 1 + r.IntN(4), openFor: time.Duration(1+r.IntN(5)) * time.Second}
		b, err := NewBreaker(&BreakerOptions{Failures: plain.failures, OpenFor: plain.openFor})
		require.NoError(t, err)
		now := time.Unix(0, 0)
		var calls []call
		for range 300 {
			now = now.Add(time.Duration(r.IntN(3)) * time.Second / 2)
			if len(calls) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(calls))
				failed := r.IntN(2) == 0
				outcome := admission.OutcomeHealthy
				if failed {
					outcome = admission.OutcomeUnhealthy
				}
				plain.done(now, calls[i].generation, failed)
				calls[i].permit.Done(now, outcome)
				calls = append(calls[:i], calls[i+1:]...)
				continue
			}
			generation, ok := plain.allow(now)
			permit, err := b.TryAcquire(now)
			require.Equal(t, ok, err == nil, "seed %d, %v: plain breaker is %v", seed, now, plain.state)
			require.Equal(t, plain.state, b.State(now), "seed %d, %v", seed, now)
			seen[plain.state]++
			if ok {
				calls = append(calls, call{permit, generation})
			}
		}
	}
	for s := StateClosed; s <= StateHalfOpen; s++ {
		require.Greater(t, seen[s], 1000, s)
	}
}
