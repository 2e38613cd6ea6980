package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
)

// generate makes a model of a function.
type generate func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error)

func (g generate) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	return g(ctx, o)
}

func (g generate) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, g, prompt, options...)
}

func answer(f func() (*llms.ContentResponse, error)) generate {
	return func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) { return f() }
}

func question(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func said(text string) *llms.ContentResponse {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop",
		GenerationInfo: map[string]any{"PromptTokens": 7, "CompletionTokens": 3, "list": []any{1}}}}}
}

// composeE is Unicode's NFC for the letter é, which is all that these tests need.
func composeE(s string) string { return strings.ReplaceAll(s, "e\u0301", "é") }

// counting answers "1", "2", … and counts.
func counting(n *atomic.Int64) generate {
	return func(context.Context, llms.CallOptions) (*llms.ContentResponse, error) {
		return said(fmt.Sprint(n.Add(1))), nil
	}
}

func TestHitIsACopy(t *testing.T) {
	var n atomic.Int64
	m, err := New(counting(&n), nil)
	require.NoError(t, err)
	first, err := m.GenerateContent(t.Context(), question("q"))
	require.NoError(t, err)
	require.False(t, usage.Cached(first))
	first.Choices[0].Content = "mutated"
	first.Choices[0].GenerationInfo["list"].([]any)[0] = "mutated"
	for range 2 {
		again, err := m.GenerateContent(t.Context(), question("q"))
		require.NoError(t, err)
		require.Equal(t, "1", again.Choices[0].Content)
		require.Equal(t, []any{1}, again.Choices[0].GenerationInfo["list"])
		require.True(t, usage.Cached(again))
		again.Choices[0].GenerationInfo["list"].([]any)[0] = "mutated"
	}
	require.EqualValues(t, 1, n.Load())
	stats := m.Stats()
	stats.TimeSaved = 0 // the machine's
	require.Equal(t, Stats{Hits: 2, Misses: 1, Stored: 1, TokensSaved: 20}, stats)
}

func TestEntriesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		m, err := New(counting(&n), &Options{TTL: time.Minute})
		require.NoError(t, err)
		ask := func() string {
			s, err := m.Call(t.Context(), "q")
			require.NoError(t, err)
			return s
		}
		require.Equal(t, "1", ask())
		time.Sleep(time.Minute - 1)
		require.Equal(t, "1", ask())
		time.Sleep(time.Nanosecond)
		require.Equal(t, "2", ask())
	})
}

func TestEqualCallsShareOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m, err := New(generate(func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
			calls.Add(1)
			time.Sleep(time.Second)
			return said("a"), nil
		}), nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				s, err := m.Call(t.Context(), "q")
				require.NoError(t, err)
				require.Equal(t, "a", s)
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, calls.Load())
		require.EqualValues(t, 99, m.Stats().Shared)
	})
}

// TestLeaderMayLeave: the caller that began the flight gives up. The caller that
// joined it still gets the answer, and the model was asked once.
func TestLeaderMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m, err := New(generate(func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
			calls.Add(1)
			select {
			case <-time.After(time.Second):
				return said("a"), nil
			case <-ctx.Done():
				return nil, errors.New("hidden")
			}
		}), nil)
		require.NoError(t, err)
		leader, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := m.Call(leader, "q")
			require.ErrorIs(t, err, context.Canceled)
		})
		synctest.Wait()
		wg.Go(func() {
			s, err := m.Call(t.Context(), "q")
			require.NoError(t, err)
			require.Equal(t, "a", s)
		})
		synctest.Wait()
		cancel()
		wg.Wait()
		require.EqualValues(t, 1, calls.Load())
	})
}

// TestAnothersDeadlineIsNotMine: the flight ends at the deadline of the caller that
// began it. A caller with more time asks again.
func TestAnothersDeadlineIsNotMine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m, err := New(generate(func(ctx context.Context, _ llms.CallOptions) (*llms.ContentResponse, error) {
			calls.Add(1)
			select {
			case <-time.After(3 * time.Second):
				return said("a"), nil
			case <-ctx.Done():
				return nil, errors.New("hidden")
			}
		}), nil)
		require.NoError(t, err)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := m.Call(short, "q")
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		synctest.Wait()
		s, err := m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, "a", s)
		wg.Wait()
		require.EqualValues(t, 2, calls.Load())
	})
}

type heard struct {
	both bool
	text string
	d    delta.Delta
}

func listen(out *[]heard) []llms.CallOption {
	return []llms.CallOption{
		llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			*out = append(*out, heard{false, string(chunk), delta.From(ctx)})
			return nil
		}),
		llms.WithStreamingReasoningFunc(func(ctx context.Context, thought, chunk []byte) error {
			*out = append(*out, heard{true, string(thought) + "|" + string(chunk), delta.From(ctx)})
			return nil
		}),
	}
}

func streaming(n *atomic.Int64) generate {
	return func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		n.Add(1)
		if o.StreamingReasoningFunc != nil {
			_ = o.StreamingReasoningFunc(delta.With(ctx, delta.Delta{Kind: delta.Reasoning}), []byte("hm"), nil)
		}
		if o.StreamingFunc != nil {
			for _, c := range []string{"a", "", "b"} {
				if err := o.StreamingFunc(delta.With(ctx, delta.Delta{Kind: delta.Text}), []byte(c)); err != nil {
					return nil, err
				}
			}
		}
		r := said("ab")
		r.Choices[0].ReasoningContent = "hm"
		return r, nil
	}
}

func TestReplayIsChunkExact(t *testing.T) {
	var n atomic.Int64
	m, err := New(streaming(&n), nil)
	require.NoError(t, err)
	var first, second []heard
	_, err = m.GenerateContent(t.Context(), question("q"), listen(&first)...)
	require.NoError(t, err)
	require.Equal(t, []heard{{true, "hm|", delta.Delta{Kind: delta.Reasoning}}, {false, "a", delta.Delta{Kind: delta.Text}},
		{false, "", delta.Delta{Kind: delta.Text}}, {false, "b", delta.Delta{Kind: delta.Text}}}, first)
	_, err = m.GenerateContent(t.Context(), question("q"), listen(&second)...)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.EqualValues(t, 1, n.Load())

	var textOnly []heard // not as it was recorded, but made from the text
	_, err = m.GenerateContent(t.Context(), question("q"), listen(&textOnly)[:1]...)
	require.NoError(t, err)
	require.Equal(t, []heard{{false, "ab", delta.Delta{Kind: delta.Text}}}, textOnly)
}

func TestFollowersHearTheWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			for _, c := range []string{"a", "b", "c"} {
				if err := o.StreamingFunc(ctx, []byte(c)); err != nil {
					return nil, err
				}
				time.Sleep(time.Second)
			}
			return said("abc"), nil
		}), nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				var got []heard
				_, err := m.GenerateContent(t.Context(), question("q"), listen(&got)[:1]...)
				require.NoError(t, err)
				require.Len(t, got, 3)
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, m.Stats().Misses)
	})
}

func TestHalfAStreamIsNotStored(t *testing.T) {
	var n atomic.Int64
	cut := generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
		n.Add(1)
		_ = o.StreamingFunc(ctx, []byte("half"))
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "half"}}}, nil // no stop reason, no error
	})
	m, err := New(cut, nil)
	require.NoError(t, err)
	for range 2 {
		var got []heard
		_, err := m.GenerateContent(t.Context(), question("q"), listen(&got)[:1]...)
		require.NoError(t, err)
	}
	require.EqualValues(t, 2, n.Load())
}

func TestCallbackErrorLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			for range 3 {
				time.Sleep(time.Second)
				if err := o.StreamingFunc(ctx, []byte("x")); err != nil {
					return nil, err
				}
			}
			return said("xxx"), nil
		}), nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := m.GenerateContent(t.Context(), question("q"), llms.WithStreamingFunc(func(context.Context, []byte) error { return enough }))
			require.ErrorIs(t, err, enough)
		})
		wg.Go(func() {
			var got []heard
			_, err := m.GenerateContent(t.Context(), question("q"), listen(&got)[:1]...)
			require.NoError(t, err)
			require.Len(t, got, 3)
		})
		wg.Wait()
	})
}

func TestWhatIsNotCached(t *testing.T) {
	store, err := NewMemory(1 << 20)
	require.NoError(t, err)
	tenant := ""
	for name, c := range map[string]struct {
		o    Options
		with []llms.CallOption
	}{
		"sampled":            {Options{}, []llms.CallOption{llms.WithTemperature(0.7)}},
		"no name, shared":    {Options{Store: store}, nil},
		"no tenant":          {Options{Tenant: func(context.Context) string { return tenant }}, nil},
		"can't be compared":  {Options{}, []llms.CallOption{llms.WithToolChoice(func() {})}},
		"store never works":  {Options{Store: broken{}, Model: "m"}, nil},
		"a store of nothing": {Options{Store: amnesiac{}, Model: "m"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int64
			m, err := New(counting(&n), &c.o)
			require.NoError(t, err)
			for range 2 {
				_, err := m.GenerateContent(t.Context(), question("q"), c.with...)
				require.NoError(t, err)
			}
			require.EqualValues(t, 2, n.Load())
		})
	}
}

func TestSeededSamplingIsCached(t *testing.T) {
	var n atomic.Int64
	m, err := New(counting(&n), nil)
	require.NoError(t, err)
	for range 2 {
		_, err := m.GenerateContent(t.Context(), question("q"), llms.WithTemperature(0.7), llms.WithSeed(1))
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, n.Load())
}

func TestTwoModelsOnOneStoreKeepApart(t *testing.T) {
	store, err := NewMemory(1 << 20)
	require.NoError(t, err)
	for _, name := range []string{"a", "b"} {
		m, err := New(answer(func() (*llms.ContentResponse, error) { return said(name), nil }), &Options{Store: store, Model: name})
		require.NoError(t, err)
		got, err := m.Call(t.Context(), "q")
		require.NoError(t, err)
		require.Equal(t, name, got)
	}
	require.Equal(t, 2, store.Len())
	require.Equal(t, 1, store.Delete(func(_ Key, e *Entry) bool { return e.Model == "a" }))
	require.Equal(t, 1, store.Len())
}

type broken struct{}

func (broken) Get(context.Context, Key) (*Entry, error) { return nil, errors.New("down") }
func (broken) Put(context.Context, Key, *Entry) error   { return errors.New("down") }

type amnesiac struct{}

func (amnesiac) Get(context.Context, Key) (*Entry, error) { return nil, nil }
func (amnesiac) Put(context.Context, Key, *Entry) error   { return nil }

func TestPanicComesOutWhereItWould(t *testing.T) {
	m, err := New(answer(func() (*llms.ContentResponse, error) { panic("provider bug") }), nil)
	require.NoError(t, err)
	require.PanicsWithValue(t, "provider bug", func() { _, _ = m.Call(t.Context(), "q") })
}

func TestEventsKeepToTheTable(t *testing.T) {
	var names []string
	log := slog.New(&event.Checker{Report: t.Errorf, Next: record{&names}})
	var n atomic.Int64
	m, err := New(counting(&n), &Options{Logger: log})
	require.NoError(t, err)
	for range 2 {
		_, err := m.Call(t.Context(), "q")
		require.NoError(t, err)
	}
	require.Equal(t, []string{event.CacheMiss, event.CacheStore, event.CacheHit}, names)
}

type record struct{ names *[]string }

func (record) Enabled(context.Context, slog.Level) bool { return true }
func (r record) Handle(_ context.Context, rec slog.Record) error {
	*r.names = append(*r.names, rec.Message)
	return nil
}
func (r record) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r record) WithGroup(string) slog.Handler      { return r }

func TestNilModel(t *testing.T) {
	_, err := New(nil, nil)
	require.ErrorIs(t, err, ErrOption)
}

// TestNormalizeKnowsTheCall: what differs in every prompt, and only the call's
// context knows, is no difference to the cache.
func TestNormalizeKnowsTheCall(t *testing.T) {
	type nonce struct{}
	var asked atomic.Int64
	m, err := New(counting(&asked), &Options{Model: "m", Normalize: func(ctx context.Context, text string) string {
		return strings.ReplaceAll(text, ctx.Value(nonce{}).(string), "")
	}})
	require.NoError(t, err)
	for _, n := range []string{"n1", "n2"} {
		_, err := m.GenerateContent(context.WithValue(t.Context(), nonce{}, n), question("what is <"+n+">?"))
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, asked.Load())
	_, err = m.GenerateContent(context.WithValue(t.Context(), nonce{}, "n3"), question("what is <n1>?"))
	require.NoError(t, err)
	require.EqualValues(t, 2, asked.Load(), "another call's nonce is text")
}

// TestOnlyCompleteAnswersAreStored: a reason that is not known to mean a whole
// answer, or none, is asked for again.
func TestOnlyCompleteAnswersAreStored(t *testing.T) {
	golden.Rows(t, "cache", "stop_reasons.jsonl", func(row struct{ Stop, Want string }) error {
		var n atomic.Int64
		next := counting(&n)
		m, err := New(generate(func(ctx context.Context, o llms.CallOptions) (*llms.ContentResponse, error) {
			r, err := next(ctx, o)
			r.Choices[0].StopReason = row.Stop
			return r, err
		}), nil)
		if err != nil {
			return err
		}
		for range 2 {
			if _, err := m.GenerateContent(t.Context(), question("q")); err != nil {
				return err
			}
		}
		if stored := n.Load() == 1; stored != (row.Want == "stored") {
			return fmt.Errorf("stop reason %q: stored %v, want %s", row.Stop, stored, row.Want)
		}
		return nil
	})
}

func TestAModelThatReportsNoReason(t *testing.T) {
	r := said("a")
	r.Choices[0].StopReason = ""
	require.NotEmpty(t, Policy{}.MayStore(r))
	require.Empty(t, Policy{StoreUnreported: true}.MayStore(r))
	r.Choices[0].StopReason = "network_error"
	require.NotEmpty(t, Policy{StoreUnreported: true}.MayStore(r))
}

// fixed is a store that has one entry under every key.
type fixed struct{ e *Entry }

func (f fixed) Get(context.Context, Key) (*Entry, error) { return f.e, nil }
func (f fixed) Put(context.Context, Key, *Entry) error   { return nil }

// TestADamagedEntryIsAMiss: what a store gives back without an answer in it is
// asked for again.
func TestADamagedEntryIsAMiss(t *testing.T) {
	for name, e := range map[string]*Entry{
		"no response": {}, "no choices": {Response: &llms.ContentResponse{}},
		"a nil choice": {Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{nil}}},
	} {
		var n atomic.Int64
		m, err := New(counting(&n), &Options{Model: "m", Store: fixed{e}})
		require.NoError(t, err)
		answer, err := llms.GenerateFromSinglePrompt(t.Context(), m, "q")
		require.NoError(t, err, name)
		require.Equal(t, "1", answer, name)
	}
	m, err := NewMemory(1 << 20)
	require.NoError(t, err)
	require.NoError(t, m.Put(t.Context(), keyNumber(1), nil))
	require.NoError(t, m.Put(t.Context(), keyNumber(1), &Entry{}))
	require.NoError(t, m.Put(t.Context(), keyNumber(1), &Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{nil}}}))
	require.LessOrEqual(t, m.Len(), 1)
}
