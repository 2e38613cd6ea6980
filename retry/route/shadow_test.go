package route

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// TestShadow: copies never delay a call, have no callback, outlive the call, and
// stop when the money is spent or too many are in progress.
func TestShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var results []ShadowResult
		slow := fake(func(ctx context.Context, p *play) (string, error) {
			require.Nil(t, p.options.StreamingFunc)
			require.Equal(t, "new", p.model)
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(10 * time.Second):
				return "shadow of " + p.text, nil
			}
		})
		s, err := NewShadow(slow, &ShadowOptions{
			Share: 1, MaxInFlight: 2, SpendPicoUSD: 250, Model: "new",
			Cost: func(string, *llms.ContentResponse) (int64, bool) { return 100, true },
			Done: func(r ShadowResult) {
				mu.Lock()
				defer mu.Unlock()
				results = append(results, r)
			},
		})
		require.NoError(t, err)
		m := newModel(t, &Options{Shadow: s}, Target{Name: "a", Model: says("a")})
		ask := func() {
			ctx, cancel := context.WithCancel(t.Context())
			start := time.Now()
			messages := prompt("hello")
			_, err := m.GenerateContent(ctx, messages, llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
			require.NoError(t, err)
			require.Zero(t, time.Since(start))
			messages[0].Parts[0] = llms.TextContent{Text: "changed by the caller"}
			cancel() // the copy goes on
		}
		for range 5 {
			ask()
		}
		calls, _ := s.Spent()
		require.EqualValues(t, 2, calls, "no more at once")
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Len(t, results, 2)
		require.Equal(t, "shadow of hello", results[0].Response.Choices[0].Content)
		for range 3 {
			ask()
			time.Sleep(11 * time.Second)
			synctest.Wait()
		}
		calls, spent := s.Spent()
		require.EqualValues(t, 3, calls)
		require.EqualValues(t, 300, spent)
		s.Close()
		for _, st := range m.p.Status(time.Now()) {
			require.Zero(t, st.InFlight, "a copy is not a call of the pool")
		}
	})
}

// TestShadowOfABrokenModel: neither a panic nor an unknown price reaches a caller.
func TestShadowOfABrokenModel(t *testing.T) {
	var got []error
	s, err := NewShadow(fake(func(context.Context, *play) (string, error) { panic("no") }), &ShadowOptions{Share: 1, Done: func(r ShadowResult) { got = append(got, r.Err) }})
	require.NoError(t, err)
	m := newModel(t, &Options{Shadow: s}, Target{Name: "a", Model: says("a")})
	_, err = m.Call(t.Context(), "hello")
	require.NoError(t, err)
	s.Close()
	require.Len(t, got, 1)
	require.Error(t, got[0])
	_, err = m.Call(t.Context(), "hello")
	require.NoError(t, err)
	require.Len(t, got, 1, "closed")
}
