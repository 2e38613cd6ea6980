package cache

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/usage"
)

// Past its time an answer is given at once, while one call in the background asks for a
// new one, however many callers there are.
func TestStaleWhileRevalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			if n.Load() == 1 && o.StreamingFunc != nil {
				t.Error("the refresh streams to a caller that is gone")
			}
			time.Sleep(time.Second)
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			r, err := counting(&n)(ctx, o)
			if o.StreamingFunc != nil {
				return r, o.StreamingFunc(ctx, []byte(r.Choices[0].Content))
			}
			return r, err
		}), &Options{TTL: time.Minute, StaleWhileRevalidate: time.Minute})
		require.NoError(t, err)
		get := func() string {
			var streamed string
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // less than the rest of the refresh
			defer cancel()
			r, err := m.GenerateContent(ctx, question("q"), llms.WithStreamingFunc(func(_ context.Context, b []byte) error {
				streamed += string(b)
				return nil
			}))
			require.NoError(t, err)
			if usage.Cached(r) {
				require.Equal(t, r.Choices[0].Content, streamed)
			}
			return r.Choices[0].Content
		}
		require.Equal(t, "1", get())
		time.Sleep(time.Minute)
		began := time.Now()
		for range 10 {
			require.Equal(t, "1", get())
		}
		require.Zero(t, time.Since(began), "a caller waited")
		time.Sleep(2 * time.Second)
		require.Equal(t, "2", get())
		require.EqualValues(t, 10, m.Stats().Stale)
		require.EqualValues(t, 2, n.Load())
		time.Sleep(2 * time.Minute)
		require.Equal(t, "3", get(), "too old to be given")
	})
}

func TestStaleIfError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail, speak bool
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			if speak {
				if err := o.StreamingFunc(ctx, []byte("half")); err != nil {
					return nil, err
				}
			}
			if fail {
				return nil, errors.New("down")
			}
			return said("a"), nil
		}), &Options{TTL: time.Minute, StaleIfError: time.Hour})
		require.NoError(t, err)
		_, err = m.GenerateContent(t.Context(), question("q"))
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		fail = true
		r, err := m.GenerateContent(t.Context(), question("q"))
		require.NoError(t, err)
		require.Equal(t, "a", r.Choices[0].Content)
		require.Equal(t, "stale", r.Choices[0].GenerationInfo[usage.FromCache])
		speak = true
		_, err = m.GenerateContent(t.Context(), question("q"), llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
		require.ErrorContains(t, err, "down", "a caller that has half an answer must not get another")
		speak = false
		time.Sleep(time.Hour)
		_, err = m.GenerateContent(t.Context(), question("q"))
		require.ErrorContains(t, err, "down")
	})
}

func TestKeptUntil(t *testing.T) {
	at := time.Unix(9, 0)
	require.Zero(t, (&Entry{Keep: at}).KeptUntil(), "no end")
	require.Equal(t, at, (&Entry{Expires: at}).KeptUntil())
	require.Equal(t, at.Add(1), (&Entry{Expires: at, Keep: at.Add(1)}).KeptUntil())
}
