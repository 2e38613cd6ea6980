package limit

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
)

func TestSpendStopsBeforeItIsPassed(t *testing.T) {
	next := &fakeModel{use: func(string) int { return 1000 }, wait: time.Millisecond}
	cost := func(_ string, r *llms.ContentResponse) (int64, bool) {
		info := r.Choices[0].GenerationInfo
		return int64(info["PromptTokens"].(int)+info["CompletionTokens"].(int)) * USD / 1000, true // $1 a thousand tokens
	}
	m, err := New(next, &Options{Quota: Quota{SpendPicoUSD: 10 * USD}, Cost: cost, Tokens: func(string) int { return 996 }, AnswerTokens: 1})
	require.NoError(t, err)
	var wg sync.WaitGroup
	var ok, stopped atomic.Int64
	for range 50 {
		wg.Go(func() {
			_, err := m.Call(t.Context(), "q")
			var e *Error
			if errors.As(err, &e) && e.Refusal == fault.RefusalStop && e.HTTPStatus() == 402 {
				stopped.Add(1)
			} else if err == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, m.Spent(""), int64(10*USD))
	require.Equal(t, int64(50), ok.Load()+stopped.Load())
	require.Positive(t, ok.Load())
	m.ResetSpent("")
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
}

func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &fakeModel{use: func(string) int { return 1 }, wait: time.Second}
		m, err := New(next, &Options{Quota: Quota{Concurrency: 3}})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { _, _ = m.Call(t.Context(), "q") })
		}
		wg.Wait()
		require.Equal(t, int64(3), next.most.Load())
	})
}
