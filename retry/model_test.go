package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func TestWrapperContract(t *testing.T) {
	breaker := func(tb testing.TB) *Breaker {
		b, err := NewBreaker(&BreakerOptions{Failures: 1000})
		require.NoError(tb, err)
		return b
	}
	for name, options := range map[string]func(testing.TB) *Options{
		"defaults": func(testing.TB) *Options { return nil },
		"hedging": func(tb testing.TB) *Options {
			h, err := NewHedger(&HedgerOptions{Delay: 300 * time.Millisecond, Budget: NoBudget})
			require.NoError(tb, err)
			return &Options{Hedger: h}
		},
		"resuming": func(testing.TB) *Options { return &Options{Resume: &Resume{Max: 2}} },
		"everything": func(tb testing.TB) *Options {
			return &Options{
				Breaker:  breaker(tb),
				Timeouts: Timeouts{FirstToken: time.Hour, BetweenTokens: time.Hour, Attempt: 2 * time.Hour, Total: 3 * time.Hour},
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				m, err := New(next, options(tb))
				require.NoError(tb, err)
				return m
			}, &modeltest.Options{MayRetry: true})
		})
	}
}
