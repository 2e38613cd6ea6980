package route

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// TestStorm: calls and streams of many goroutines against targets that answer, fail in
// every way and hang, while targets are drained and the rollout is restarted. Each
// error is a fault.Error, a stream is of one target, and nothing counts as in
// progress at the end.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		canary, err := NewCanary(&CanaryOptions{Interval: time.Second, Store: &MemoryStore{}})
		require.NoError(t, err)
		wild := func(name string) fake {
			return func(ctx context.Context, p *play) (string, error) {
				switch n := rand.IntN(10); {
				case n == 0:
					<-ctx.Done() // it hangs
					return "", ctx.Err()
				case n < 4:
					return "", fault.New(fault.Class(rand.IntN(20)), errors.New("wild"))
				}
				time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
				if f := p.options.StreamingFunc; f != nil {
					for range 3 {
						if err := f(ctx, []byte(name)); err != nil {
							return "", err
						}
					}
				}
				return name + name + name, nil
			}
		}
		m := newModel(t, &Options{Canary: canary, Key: ConversationKey, Timeouts: retry.Timeouts{Attempt: 2 * time.Second}},
			Target{Name: "a", Model: wild("a"), SpillAt: 5}, Target{Name: "b", Model: wild("b"), MaxInFlight: 3},
			Target{Name: "c", Model: wild("c"), Tier: 1}, Target{Name: "d", Model: wild("d"), Canary: true})
		run, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(run) }()
		var all sync.WaitGroup
		for g := range 16 {
			all.Go(func() {
				for i := range 40 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					var options []llms.CallOption
					got := ""
					if i%2 == 0 {
						options = append(options, llms.WithStreamingFunc(func(_ context.Context, c []byte) error { got += string(c); return nil }))
					}
					r, err := m.GenerateContent(ctx, prompt(string(rune('a'+g))), options...)
					cancel()
					if err != nil {
						var e *fault.Error
						require.ErrorAs(t, err, &e)
						continue
					}
					if i%2 == 0 {
						require.Equal(t, r.Choices[0].Content, got)
					}
					switch i % 10 {
					case 3:
						_ = m.Pool().Drain("a")
					case 5:
						_ = m.Pool().Undrain("a")
					case 7:
						canary.Restart("next")
					}
				}
			})
		}
		all.Wait()
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
		for _, s := range m.Pool().Status(time.Now()) {
			require.Zero(t, s.InFlight, s.Name)
		}
		for _, target := range m.p.members {
			require.Zero(t, target.work.Load())
		}
	})
}
