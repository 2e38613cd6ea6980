package retry

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A leg is what one of a call's attempts does: it waits, streams and ends, or
// fails. It stops when its context is done.
type leg struct {
	after  time.Duration // until the first chunk, or the answer
	chunks []string      // a second apart
	err    error
	panics bool
}

func (l leg) run(ctx context.Context, say func(string) error) error {
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return errors.New("request timeout: API call exceeded deadline") // as langchaingo hides it
		}
	}
	if err := wait(l.after); err != nil {
		return err
	}
	if l.panics {
		panic("leg")
	}
	for _, c := range l.chunks {
		if err := say(c); err != nil {
			return err
		}
		if err := wait(time.Second); err != nil {
			return err
		}
	}
	return l.err
}

// legs is a model whose nth attempt is the nth leg.
type legs struct {
	llms.Model
	legs     []leg
	calls    atomic.Int64
	running  atomic.Int64
	canceled atomic.Int64
	mu       sync.Mutex
	keys     []string
	started  []time.Time
}

func (m *legs) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, f := range options {
		f(&o)
	}
	n := int(m.calls.Add(1))
	m.running.Add(1)
	defer m.running.Add(-1)
	key, _ := fault.IdempotencyKey(ctx)
	m.mu.Lock()
	m.keys, m.started = append(m.keys, key), append(m.started, time.Now())
	m.mu.Unlock()
	text := ""
	err := m.legs[n-1].run(ctx, func(c string) error {
		text += c
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(ctx, []byte(c)); err != nil {
				return err
			}
		}
		if o.StreamingReasoningFunc != nil {
			return o.StreamingReasoningFunc(ctx, nil, []byte(c))
		}
		return nil
	})
	if ctx.Err() != nil {
		m.canceled.Add(1)
	}
	if err != nil {
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop"}}}, nil
}

func TestHedge(t *testing.T) {
	const s = time.Second
	unavailable, busy := fault.Classify(fault.Response{Status: 503}, time.Now()), fault.Classify(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"9"}}}, time.Now())
	wrong := fault.Classify(fault.Response{Status: 400}, time.Now())
	answer := func(after time.Duration, text string) leg { return leg{after: after, chunks: []string{text}} }
	for name, c := range map[string]struct {
		legs     []leg
		stream   bool
		text     string
		class    fault.Class
		took     time.Duration // a backoff may come on top
		calls    int64
		canceled int64
		backoff  bool
		panics   bool
	}{
		"a quick answer has no hedge":                   {legs: []leg{answer(1*s, "first")}, text: "first", took: 2 * s, calls: 1},
		"the hedge answers first":                       {legs: []leg{answer(60*s, "first"), answer(1*s, "hedge")}, text: "hedge", took: 5*s + 2*s, calls: 2, canceled: 1},
		"the first answers first after all":             {legs: []leg{answer(6*s, "first"), answer(60*s, "hedge")}, text: "first", took: 7 * s, calls: 2, canceled: 1},
		"an early failure doesn't wait for the hedge":   {legs: []leg{{after: 1 * s, err: unavailable}, answer(20*s, "again")}, text: "again", took: 22 * s, calls: 2, backoff: true},
		"a retry isn't hedged":                          {legs: []leg{{err: unavailable}, answer(60*s, "again")}, text: "again", took: 61 * s, calls: 2, backoff: true},
		"the first fails while the hedge is under way":  {legs: []leg{{after: 6 * s, err: unavailable}, answer(9*s, "hedge")}, text: "hedge", took: 15 * s, calls: 2},
		"the first fails for good":                      {legs: []leg{{after: 6 * s, err: wrong}, answer(60*s, "hedge")}, class: fault.ClassInvalidRequest, took: 6 * s, calls: 2, canceled: 1},
		"the hedge fails":                               {legs: []leg{answer(20*s, "first"), {err: unavailable}}, text: "first", took: 21 * s, calls: 2},
		"the hedge fails for good":                      {legs: []leg{answer(20*s, "first"), {err: wrong}}, text: "first", took: 21 * s, calls: 2},
		"both fail, a retry follows":                    {legs: []leg{{after: 7 * s, err: unavailable}, {err: unavailable}, answer(0, "third")}, text: "third", took: 8 * s, calls: 3, backoff: true},
		"both fail, the longer wait is kept":            {legs: []leg{{after: 7 * s, err: unavailable}, {err: busy}, answer(0, "third")}, text: "third", took: 17 * s, calls: 3, backoff: true},
		"a hedge is one of MaxAttempts":                 {legs: []leg{{after: 7 * s, err: unavailable}, {err: unavailable}, {err: unavailable}}, class: fault.ClassOverloaded, took: 7 * s, calls: 3, backoff: true},
		"a stream that has spoken has no hedge":         {legs: []leg{{after: 4 * s, chunks: []string{"a", "b", "c", "d"}}}, stream: true, text: "abcd", took: 8 * s, calls: 1},
		"the first to speak wins: the hedge":            {legs: []leg{{after: 9 * s, chunks: []string{"A", "B"}}, {after: 1 * s, chunks: []string{"a", "b", "c", "d"}}}, stream: true, text: "abcd", took: 10 * s, calls: 2, canceled: 1},
		"the first to speak wins: the first":            {legs: []leg{{after: 6 * s, chunks: []string{"A", "B"}}, {after: 2 * s, chunks: []string{"a", "b"}}}, stream: true, text: "AB", took: 8 * s, calls: 2, canceled: 1},
		"an empty chunk isn't speaking":                 {legs: []leg{{chunks: []string{"", "", "", "", "", "", "", "A"}}, {chunks: []string{"", "a"}}}, stream: true, text: "a", took: 7 * s, calls: 2, canceled: 1},
		"who spoke and was cut is not saved by a hedge": {legs: []leg{{after: 6 * s, chunks: []string{"A"}, err: unavailable}, {after: 5 * s, chunks: []string{"a"}}}, stream: true, text: "A", class: fault.ClassOverloaded, took: 7 * s, calls: 2, canceled: 1},
		"a panic of the first":                          {legs: []leg{{after: 6 * s, panics: true}, answer(60*s, "hedge")}, took: 6 * s, calls: 2, canceled: 1, panics: true},
		"a panic of the hedge":                          {legs: []leg{answer(60*s, "first"), {after: 1 * s, panics: true}}, took: 6 * s, calls: 2, canceled: 1, panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, do := range []bool{false, true} {
				if do && c.stream {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					next := &legs{legs: c.legs}
					h, err := NewHedger(&HedgerOptions{Delay: 5 * s, Budget: NoBudget})
					require.NoError(t, err)
					gates := newGates(t)
					m, err := New(next, gates.options(&Options{Hedger: h, Logger: slog.New(&event.Checker{Report: t.Errorf})}))
					require.NoError(t, err)
					begin := time.Now()
					var heard string
					var e *fault.Error
					ask := func() {
						if do {
							resp, err := Do(t.Context(), m.p, func(ctx context.Context) (*llms.ContentResponse, error) {
								return next.GenerateContent(ctx, nil)
							})
							errors.As(err, &e)
							if err == nil {
								heard = resp.Choices[0].Content
							}
							return
						}
						var resp *llms.ContentResponse
						heard, resp, e = asking(t, m, t.Context(), c.stream)
						if resp != nil {
							if c.stream {
								require.Equal(t, heard, resp.Choices[0].Content)
							}
							heard = resp.Choices[0].Content
						}
					}
					if c.panics {
						require.PanicsWithValue(t, "leg", ask)
					} else {
						ask()
						require.Equal(t, c.class != fault.ClassUnknown, e != nil, "%v", e)
						if e != nil {
							require.Equal(t, c.class, e.Class)
							require.Equal(t, int(c.calls), e.Attempts)
						}
					}
					took := time.Since(begin)
					require.Zero(t, next.running.Load(), "an attempt outlived its call")
					require.Equal(t, c.text, heard)
					require.Equal(t, c.calls, next.calls.Load())
					require.Equal(t, c.canceled, next.canceled.Load())
					if c.backoff {
						require.InDelta(t, c.took.Seconds(), took.Seconds(), 2.5)
						require.GreaterOrEqual(t, took, c.took)
					} else {
						require.Equal(t, c.took, took)
					}
					require.Len(t, slices.Compact(slices.Clone(next.keys)), 1, "one key for all attempts")
					require.NotEmpty(t, next.keys[0])
					gates.check(t)
				})
			}
		})
	}
}

// The stream's two callbacks get the chunks of the same attempt, and of no other.
func TestHedgeWithBothCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &legs{legs: []leg{{after: 3 * time.Second, chunks: []string{"A", "B"}}, {after: 2 * time.Second, chunks: []string{"a", "b"}}}}
		h, err := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
		require.NoError(t, err)
		m, err := New(next, &Options{Hedger: h})
		require.NoError(t, err)
		var text, reasoned string
		_, err = m.GenerateContent(t.Context(), nil,
			llms.WithStreamingFunc(func(_ context.Context, c []byte) error { text += string(c); return nil }),
			llms.WithStreamingReasoningFunc(func(_ context.Context, _, c []byte) error { reasoned += string(c); return nil }))
		require.NoError(t, err)
		require.Contains(t, []string{"AB", "ab"}, text) // both answer in the same instant
		require.Equal(t, text, reasoned)
	})
}

func TestHedgeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &legs{legs: []leg{{after: time.Hour}, {after: time.Hour}}}
		h, _ := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
		m, err := New(next, &Options{Hedger: h, Timeouts: Timeouts{Total: 5 * time.Second}})
		require.NoError(t, err)
		begin := time.Now()
		_, _, e := asking(t, m, t.Context(), false)
		require.Equal(t, fault.ClassTimeout, e.Class)
		require.ErrorIs(t, e, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(begin))
		require.Zero(t, next.running.Load())
		require.EqualValues(t, 2, next.calls.Load())
	})
}

// Below a model that retries or hedges there is no hedge, and a policy of one
// attempt has none.
func TestHedgeAtOneLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := leg{after: 4 * time.Second, chunks: []string{"ok"}}
		hedger := func() *Hedger {
			h, err := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
			require.NoError(t, err)
			return h
		}
		for _, c := range []struct {
			outer *Options
			calls int64
		}{{nil, 1}, {&Options{Hedger: hedger()}, 2}} {
			next := &legs{legs: []leg{slow, slow}}
			inner, err := New(next, &Options{Hedger: hedger()})
			require.NoError(t, err)
			outer, err := New(inner, c.outer)
			require.NoError(t, err)
			_, _, e := asking(t, outer, t.Context(), false)
			require.Nil(t, e)
			require.Equal(t, c.calls, next.calls.Load())
		}
		next := &legs{legs: []leg{slow, slow}}
		m, err := New(next, &Options{Hedger: hedger(), MaxAttempts: 1})
		require.NoError(t, err)
		_, _, e := asking(t, m, t.Context(), false)
		require.Nil(t, e)
		require.EqualValues(t, 1, next.calls.Load())
	})
}

// A hedge asks every gate. If one refuses, there is no hedge and the call goes on.
// A wait in the limiter doesn't start a hedge.
func TestHedgeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hedger := func() *Hedger {
			h, err := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
			require.NoError(t, err)
			return h
		}
		bulkhead, _ := NewBulkhead(1, nil)
		adaptive, _ := NewAdaptive(&AdaptiveOptions{Initial: 1, Max: 1})
		for _, o := range []*Options{
			{Hedger: hedger(), Bulkhead: bulkhead},
			{Hedger: hedger(), Adaptive: adaptive},
			{Hedger: hedger(), Limiter: limiterFunc(func(ctx context.Context) error { return pause(ctx, 10*time.Second) })},
		} {
			next := &legs{legs: []leg{{after: 4 * time.Second, chunks: []string{"ok"}}}}
			m, err := New(next, o)
			require.NoError(t, err)
			_, _, e := asking(t, m, t.Context(), false)
			require.Nil(t, e)
			require.EqualValues(t, 1, next.calls.Load())
		}
	})
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// An attempt that was outrun is not the target's failure.
func TestTheLoserIsNotSick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, way := range []string{"plain", "stream", "Do"} {
			g := newGates(t)
			h, err := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
			require.NoError(t, err)
			next := &legs{legs: []leg{{after: time.Hour}, {chunks: []string{"ok"}}}}
			m, err := New(next, g.options(&Options{Hedger: h}))
			require.NoError(t, err)
			if way == "Do" {
				_, err = Do(t.Context(), m.p, func(ctx context.Context) (*llms.ContentResponse, error) { return next.GenerateContent(ctx, nil) })
				require.NoError(t, err)
			} else {
				_, _, e := asking(t, m, t.Context(), way == "stream")
				require.Nil(t, e)
			}
			require.Zero(t, g.breaker.run)
			require.Zero(t, g.adaptive.bad)
		}
	})
}

// Many callers share the policy, its hedger and its gates. Each gets its own
// answer, once.
func TestHedgingConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGates(t)
		h, err := NewHedger(&HedgerOptions{Quantile: 0.5, Delay: 20 * time.Millisecond, Budget: NoBudget})
		require.NoError(t, err)
		m, err := New(slowEcho{}, g.options(&Options{Hedger: h}))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 1))
				for range 50 {
					ask := string(rune('a'+i)) + string(rune('a'+rng.IntN(26)))
					heard := ""
					resp, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, ask)},
						llms.WithStreamingFunc(func(_ context.Context, c []byte) error { heard += string(c); return nil }))
					if err != nil || heard != ask || resp.Choices[0].Content != ask {
						t.Errorf("asked %q, heard %q, error %v", ask, heard, err)
					}
				}
			})
		}
		wg.Wait()
		g.check(t)
		require.Greater(t, g.limited.Load(), int64(900), "there were hedges")
	})
}

// slowEcho answers with the question, letter by letter, after a random time.
type slowEcho struct{ llms.Model }

func (slowEcho) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, f := range options {
		f(&o)
	}
	ask := messages[0].Parts[0].(llms.TextContent).Text
	for _, letter := range ask {
		if err := pause(ctx, time.Duration(rand.ExpFloat64()*float64(50*time.Millisecond))); err != nil {
			return nil, err
		}
		if err := o.StreamingFunc(ctx, []byte(string(letter))); err != nil {
			return nil, err
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: ask, StopReason: "stop"}}}, nil
}

// Whatever the hedge does, except a panic, a first attempt that would have answered
// still does, or the hedge has answered sooner.
func TestAHedgeNeverMakesACallFail(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	failures := []error{
		nil, errors.New("boom"), errors.New("connection reset by peer"),
		fault.Classify(fault.Response{Status: 400}, time.Now()), fault.Classify(fault.Response{Status: 401}, time.Now()),
		fault.Classify(fault.Response{Status: 429}, time.Now()), fault.Classify(fault.Response{Status: 503}, time.Now()),
	}
	for range 300 {
		first := leg{after: time.Duration(rng.IntN(20)) * time.Second, chunks: []string{"A", "B"}}
		hedge := leg{after: time.Duration(rng.IntN(20)) * time.Second, err: failures[rng.IntN(len(failures))]}
		if hedge.err == nil {
			hedge.chunks = []string{"a", "b"}
		}
		stream := rng.IntN(2) == 0
		synctest.Test(t, func(t *testing.T) {
			next := &legs{legs: []leg{first, hedge}}
			h, err := NewHedger(&HedgerOptions{Delay: 5 * time.Second, Budget: NoBudget})
			require.NoError(t, err)
			m, err := New(next, &Options{Hedger: h})
			require.NoError(t, err)
			begin := time.Now()
			_, resp, e := asking(t, m, t.Context(), stream)
			require.Nil(t, e, "first %+v, hedge %+v", first, hedge)
			require.Contains(t, []string{"AB", "ab"}, resp.Choices[0].Content)
			require.LessOrEqual(t, time.Since(begin), first.after+2*time.Second, "nor slower")
		})
	}
}
