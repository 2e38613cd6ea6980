package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestOptionsThatCannotWork(t *testing.T) {
	for _, o := range []Options{{Jitter: 1}, {Jitter: -.1}, {Jitter: math.NaN()}, {EarlyRefresh: -1}, {EarlyRefresh: math.Inf(1)},
		{Pace: -1}, {Pace: math.NaN()}, {NegativeTTL: time.Second}} {
		_, err := New(answer(nil), &o)
		require.ErrorIs(t, err, ErrOption)
	}
}

// slowly answers after a second, and counts.
func slowly(n *atomic.Int64) generate {
	return func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		time.Sleep(time.Second)
		return counting(n)(ctx, o)
	}
}

func TestJitterShortensTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m, err := New(counting(&n), &Options{TTL: 100 * time.Second, Jitter: .2, Rand: func() float64 { return .5 }})
		require.NoError(t, err)
		ask := func() {
			_, err := m.GenerateContent(t.Context(), question("q"))
			require.NoError(t, err)
		}
		ask()
		time.Sleep(89 * time.Second)
		ask()
		require.EqualValues(t, 1, n.Load())
		time.Sleep(2 * time.Second)
		ask()
		require.EqualValues(t, 2, n.Load())
	})
}

// Of many callers before the end, those with a small random number refresh, and each
// caller is answered from the store at once.
func TestEarlyRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		random := 0.0
		m, err := New(slowly(&n), &Options{TTL: 100 * time.Second, EarlyRefresh: 1, Rand: func() float64 { return random }})
		require.NoError(t, err)
		ask := func(want string) {
			t.Helper()
			began := time.Now()
			r, err := m.GenerateContent(t.Context(), question("q"))
			require.NoError(t, err)
			require.Equal(t, want, r.Choices[0].Content)
			if want != "1" || n.Load() > 0 {
				require.Zero(t, time.Since(began))
			}
		}
		_, err = m.GenerateContent(t.Context(), question("q"))
		require.NoError(t, err)
		random = 1 - 1/math.E // ahead by one second times beta: the model took a second
		time.Sleep(98 * time.Second)
		ask("1")
		time.Sleep(1500 * time.Millisecond)
		require.EqualValues(t, 1, n.Load(), "1.5 s is too early")
		for range 3 {
			ask("1")
		}
		time.Sleep(1100 * time.Millisecond)
		require.EqualValues(t, 2, n.Load(), "one refresh for all")
		ask("2")
	})
}

func TestNegativeTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		tooLong, busy := errors.New("the prompt is too long"), errors.New("busy")
		fail := tooLong
		m, err := New(answer(func() (*llms.ContentResponse, error) { calls++; return nil, fail }), &Options{
			NegativeTTL: time.Minute, Lasting: func(err error) bool { return errors.Is(err, tooLong) }})
		require.NoError(t, err)
		ask := func(q string, want error, n int) {
			t.Helper()
			_, err := m.GenerateContent(t.Context(), question(q))
			require.ErrorIs(t, err, want)
			require.Equal(t, n, calls)
		}
		ask("q", tooLong, 1)
		ask("q", tooLong, 1)
		ask("other", tooLong, 2)
		time.Sleep(time.Minute)
		ask("q", tooLong, 3)
		_, err = m.Erase(t.Context(), Selection{Tenant: "t"})
		require.NoError(t, err)
		ask("q", tooLong, 4) // an error may quote the prompt
		fail = busy
		ask("r", busy, 5)
		ask("r", busy, 6)
		require.EqualValues(t, 1, m.Stats().Negative)
		fail = tooLong
		for i := range 3 * maxFailures {
			_, err := m.GenerateContent(t.Context(), question(fmt.Sprint(i)))
			require.ErrorIs(t, err, tooLong)
		}
		require.LessOrEqual(t, len(m.failed), maxFailures)
	})
}

// A canceled call says nothing about the next one.
func TestNegativeTTLKeepsNoCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(generate(func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), &Options{NegativeTTL: time.Minute, Lasting: func(error) bool { return true }})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = m.GenerateContent(ctx, question("q"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.Empty(t, m.failed)
	})
}

type user struct{}

func TestErase(t *testing.T) {
	var n atomic.Int64
	m, err := New(counting(&n), &Options{Namespace: "v1", Tenant: func(ctx context.Context) string { return ctx.Value(user{}).(string)[:1] },
		Attributes: func(ctx context.Context) map[string]string {
			return map[string]string{"user": ctx.Value(user{}).(string)}
		}})
	require.NoError(t, err)
	ask := func(name, q string) {
		_, err := m.GenerateContent(context.WithValue(t.Context(), user{}, name), question(q))
		require.NoError(t, err)
	}
	for _, name := range []string{"a1", "a2", "b1"} {
		ask(name, name+" 1")
		ask(name, name+" 2")
	}
	erase := func(s Selection, want int) {
		t.Helper()
		got, err := m.Erase(t.Context(), s)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	erase(Selection{Attributes: map[string]string{"user": ""}}, 0)
	erase(Selection{Attributes: map[string]string{"user": "a1"}}, 2)
	ask("a1", "a1 1")
	require.EqualValues(t, 7, n.Load(), "asked again")
	erase(Selection{Tenant: "b", Attributes: map[string]string{"user": "a1"}}, 0)
	erase(Selection{Namespace: "v2"}, 0)
	erase(Selection{Before: time.Now().Add(-time.Hour)}, 0)
	erase(Selection{Tenant: "a"}, 3)
	erase(Selection{}, 2)

	shared, err := New(counting(&n), &Options{Model: "m", Store: broken{}})
	require.NoError(t, err)
	_, err = shared.Erase(t.Context(), Selection{})
	require.ErrorIs(t, err, ErrNoErase)
}

// An answer that is on its way while its user is erased isn't stored.
func TestEraseReachesCallsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m, err := New(slowly(&n), &Options{Attributes: func(context.Context) map[string]string { return map[string]string{"user": "a"} }})
		require.NoError(t, err)
		go func() { _, _ = m.GenerateContent(t.Context(), question("q")) }()
		synctest.Wait()
		_, err = m.Erase(t.Context(), Selection{Attributes: map[string]string{"user": "b"}})
		require.NoError(t, err)
		_, err = m.Erase(t.Context(), Selection{Attributes: map[string]string{"user": "a"}})
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.Zero(t, m.Stats().Stored)
		_, err = m.GenerateContent(t.Context(), question("q"))
		require.NoError(t, err)
		require.EqualValues(t, 2, n.Load())
		require.EqualValues(t, 1, m.Stats().Stored)
	})
}

func TestSavedMoneyAndTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m, err := New(slowly(&n), &Options{Model: "m", Cost: func(model string, r *llms.ContentResponse) (int64, bool) {
			return 250, model == "m" && r.Choices[0].GenerationInfo["PromptTokens"] == 7
		}})
		require.NoError(t, err)
		for range 4 {
			_, err := m.GenerateContent(t.Context(), question("q"))
			require.NoError(t, err)
		}
		stats := m.Stats()
		require.EqualValues(t, 750, stats.SavedPicoUSD)
		require.Equal(t, 3*time.Second, stats.TimeSaved)
		require.EqualValues(t, 30, stats.TokensSaved)
	})
}

// A paced replay has the recorded pauses, also after a way through JSON, and ends with
// its caller.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &throughJSON{entries: map[Key][]byte{}}
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			for i, pause := range []int{900, 100, 300} {
				time.Sleep(time.Duration(pause) * time.Millisecond)
				if err := o.StreamingFunc(ctx, []byte{'a' + byte(i)}); err != nil {
					return nil, err
				}
			}
			return said("abc"), nil
		}), &Options{Model: "m", Store: store, Pace: 2})
		require.NoError(t, err)
		ask := func(ctx context.Context) (at []time.Duration, err error) {
			began := time.Now()
			_, err = m.GenerateContent(ctx, question("q"), llms.WithStreamingFunc(func(context.Context, []byte) error {
				at = append(at, time.Since(began))
				return nil
			}))
			return at, err
		}
		_, err = ask(t.Context())
		require.NoError(t, err)
		at, err := ask(t.Context())
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond}, at)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		at, err = ask(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, at, 2)
	})
}

// throughJSON is a store of bytes.
type throughJSON struct{ entries map[Key][]byte }

func (s *throughJSON) Get(_ context.Context, key Key) (*Entry, error) {
	if s.entries[key] == nil {
		return nil, nil
	}
	e := new(Entry)
	return e, json.Unmarshal(s.entries[key], e)
}

func (s *throughJSON) Put(_ context.Context, key Key, e *Entry) (err error) {
	s.entries[key], err = json.Marshal(e)
	return err
}
