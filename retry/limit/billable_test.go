package limit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// "one that broke in the middle keeps its reservation": also if the last of its
// attempts ended with a status 4xx.
func TestPartialThen429(t *testing.T) {
	late := fault.New(fault.ClassRateLimit, errors.New("slow down"))
	late.Status = 429
	n := 0
	for name, below := range map[string]func() llms.Model{
		"partial": func() llms.Model {
			return hostileModel(func(context.Context) (*llms.ContentResponse, error) {
				e := *late
				e.Partial = hostileAnswer(30, 20)
				return nil, &e
			})
		},
		"resumed stream": func() llms.Model {
			m, err := retry.New(optModel(func(ctx context.Context, c llms.CallOptions) (*llms.ContentResponse, error) {
				if n++; n == 1 {
					_ = c.StreamingFunc(ctx, []byte("half of a long answer, which the provider bills"))
					return nil, fault.New(fault.ClassStreamInterrupted, errors.New("cut"))
				}
				return nil, late
			}), &retry.Options{Resume: &retry.Resume{}, Budget: retry.NoBudget, MaxAttempts: 2, Backoff: retry.Exponential{Base: time.Microsecond}})
			require.NoError(t, err)
			return m
		},
		"second attempt": func() llms.Model {
			n := 0
			m, err := retry.New(hostileModel(func(context.Context) (*llms.ContentResponse, error) {
				if n++; n == 1 {
					return nil, fault.New(fault.ClassTimeout, errors.New("no answer within a minute, and a minute's tokens billed"))
				}
				return nil, late
			}), &retry.Options{Budget: retry.NoBudget, MaxAttempts: 2, Backoff: retry.Exponential{Base: time.Microsecond}})
			require.NoError(t, err)
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Memory{}
			m, err := New(below(), &Options{Quota: Quota{Tokens: Rate{N: 10_000, Per: time.Hour}}, Store: s, AnswerTokens: 100})
			require.NoError(t, err)
			_, err = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			require.Error(t, err)
			t.Log(err)
			d, _ := s.Take(t.Context(), []Claim{{"limit:tenant::tokens", Rate{N: 10_000, Per: time.Hour}, 0}}, 0)
			require.InDelta(t, 9_900, d.Remaining, 1)
		})
	}
}
