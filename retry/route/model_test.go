package route

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

func TestWrapperContract(t *testing.T) {
	for name, options := range map[string]func(testing.TB) *Options{
		"defaults": func(testing.TB) *Options { return nil },
		"everything": func(tb testing.TB) *Options {
			shadow, err := NewShadow(fake(func(context.Context, *play) (string, error) { return "shadow", nil }), &ShadowOptions{Share: 1})
			require.NoError(tb, err)
			tb.Cleanup(shadow.Close)
			return &Options{
				Shadow: shadow, Key: ConversationKey, Balance: BalanceCost, Timeouts: retry.Timeouts{FirstToken: time.Hour},
				Logger: slog.New(&event.Checker{Report: tb.Errorf}),
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				o := options(tb)
				if o == nil {
					o = &Options{}
				}
				// The suite's failures are about next; a breaker is tested elsewhere.
				o.Breaker = &retry.BreakerOptions{Failures: 1 << 20}
				m, err := New([]Target{{Name: "only", Model: next, As: ""}}, o)
				require.NoError(tb, err)
				return m
			}, nil)
		})
	}
}

// A play is a call that a fake model got.
type play struct {
	model   string
	text    string
	options llms.CallOptions
}

// fake is a model whose answers f makes.
type fake func(ctx context.Context, p *play) (string, error)

func (f fake) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, options...)
}

func (f fake) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	p := &play{options: settings(options)}
	p.model = p.options.Model
	for _, text := range texts(messages) {
		p.text += text
	}
	text, err := f(ctx, p)
	if err != nil {
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: "stop"}}}, nil
}

func says(text string) fake {
	return func(context.Context, *play) (string, error) { return text, nil }
}

func fails(c fault.Class) fake {
	return func(context.Context, *play) (string, error) { return "", fault.New(c, errors.New("no")) }
}

func prompt(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func newModel(t testing.TB, o *Options, targets ...Target) *Model {
	t.Helper()
	m, err := New(targets, o)
	require.NoError(t, err)
	return m
}

// TestFallbackByClass: an error of the request ends the call, and one of the target
// leads to the next. The rows are reports against comparable routers.
func TestFallbackByClass(t *testing.T) {
	for class, served := range map[fault.Class]bool{
		fault.ClassAuth: true, fault.ClassQuota: true, fault.ClassNotFound: true, fault.ClassRateLimit: true, fault.ClassOverloaded: true,
		fault.ClassServerError: true, fault.ClassNetwork: true, fault.ClassMalformed: true, fault.ClassTimeout: true,
		fault.ClassInvalidRequest: false, fault.ClassContentFilter: false, fault.ClassConflict: false,
	} {
		t.Run(class.String(), func(t *testing.T) {
			asked := 0
			second := fake(func(context.Context, *play) (string, error) { asked++; return "second", nil })
			m := newModel(t, nil, Target{Name: "a", Model: fails(class)}, Target{Name: "b", Model: second, Tier: 1})
			text, err := m.Call(t.Context(), "hello")
			if served {
				require.NoError(t, err)
				require.Equal(t, "second", text)
			} else {
				var e *fault.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, class, e.Class)
				require.Zero(t, asked)
			}
			for _, s := range m.p.Status(time.Now()) {
				require.Zero(t, s.InFlight)
			}
		})
	}
}

// TestStreamFallsBackBeforeTheFirstToken: the caller sees the stream of one target.
func TestStreamFallsBackBeforeTheFirstToken(t *testing.T) {
	stream := func(chunks []string, err error) fake {
		return func(ctx context.Context, p *play) (string, error) {
			for _, c := range chunks {
				if err := p.options.StreamingFunc(ctx, []byte(c)); err != nil {
					return "", err
				}
			}
			return strings.Join(chunks, ""), err
		}
	}
	broken := fault.New(fault.ClassServerError, errors.New("broken"))
	for _, c := range []struct {
		name  string
		first []string
		want  []string
		fails bool
	}{{"empty chunks, then an error", []string{"", ""}, []string{"", "x", "y"}, false}, {"a token, then an error", []string{"a"}, []string{"a"}, true}} {
		t.Run(c.name, func(t *testing.T) {
			m := newModel(t, nil, Target{Name: "a", Model: stream(c.first, broken)}, Target{Name: "b", Model: stream([]string{"", "x", "y"}, nil), Tier: 1})
			var got []string
			_, err := m.GenerateContent(t.Context(), prompt("hi"), llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				got = append(got, string(chunk))
				return nil
			}))
			require.Equal(t, c.fails, err != nil)
			require.Equal(t, c.want, got)
			if c.fails {
				return
			}
			require.Positive(t, m.p.Status(time.Now())[1].First, "the first token was measured")
		})
	}
}

// TestContextLengthGoesToALargerWindow: and not to one that is as small.
func TestContextLengthGoesToALargerWindow(t *testing.T) {
	var asked []string
	answer := func(name string, err error) fake {
		return func(context.Context, *play) (string, error) { asked = append(asked, name); return name, err }
	}
	long := fault.New(fault.ClassContextLength, errors.New("too long"))
	m := newModel(t, nil, Target{Name: "small", Model: answer("small", long), WindowTokens: 4000},
		Target{Name: "same", Model: answer("same", nil), WindowTokens: 4000, Tier: 1},
		Target{Name: "large", Model: answer("large", nil), WindowTokens: 32000, Tier: 2})
	text, err := m.Call(t.Context(), "hello")
	require.NoError(t, err)
	require.Equal(t, "large", text)
	require.Equal(t, []string{"small", "large"}, asked)

	// A prompt that is too long for all is refused if it was counted, and sent to
	// the largest window if it was estimated.
	long100k := strings.Repeat("word ", 100_000)
	asked = nil
	text, err = m.Call(t.Context(), long100k)
	require.NoError(t, err)
	require.Equal(t, "large", text)
	exact := newModel(t, &Options{Tokens: func(s string) int { return len(s) / 5 }}, Target{Name: "a", Model: says("a"), WindowTokens: 4000})
	_, err = exact.Call(t.Context(), long100k)
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, fault.ClassContextLength, e.Class)
	require.True(t, e.Unsent)
	require.ErrorIs(t, err, ErrNoTarget)
}

// TestPausedTargetsSayWhenTheyReturn: package retry around the pool waits until
// then; without time to wait the call fails at once.
func TestPausedTargetsSayWhenTheyReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limited := true
		target := fake(func(context.Context, *play) (string, error) {
			if limited {
				e := fault.New(fault.ClassRateLimit, errors.New("slow down"))
				e.Delay, e.HasDelay = 500*time.Millisecond, true
				return "", e
			}
			return "served", nil
		})
		pool := newModel(t, nil, Target{Name: "a", Model: target}, Target{Name: "b", Model: target})
		_, err := pool.Call(t.Context(), "hello")
		require.Error(t, err)
		_, err = pool.Call(t.Context(), "hello")
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.ErrorIs(t, err, ErrNoTarget)
		require.True(t, e.Retryable && e.HasDelay)
		require.InDelta(t, 500, e.Delay.Milliseconds(), 1)
		limited = false
		m, err := retry.New(pool, nil)
		require.NoError(t, err)
		start := time.Now()
		text, err := m.Call(t.Context(), "hello")
		require.NoError(t, err)
		require.Equal(t, "served", text)
		require.InDelta(t, 0.5, time.Since(start).Seconds(), 0.5)
	})
}

// TestTheCallersFaultsDontPauseTargets: a short deadline, a bad request and an
// unknown model of the caller leave all targets up.
func TestTheCallersFaultsDontPauseTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := fake(func(ctx context.Context, p *play) (string, error) {
			switch p.text {
			case "bad":
				return "", fault.New(fault.ClassInvalidRequest, nil)
			case "unknown":
				return "", fault.New(fault.ClassNotFound, nil)
			}
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Minute):
				return "late", nil
			}
		})
		m := newModel(t, nil, Target{Name: "a", Model: slow}, Target{Name: "b", Model: slow}, Target{Name: "c", Model: slow})
		for _, text := range []string{"slow", "bad", "unknown"} {
			for range 50 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				_, err := m.Call(ctx, text)
				require.Error(t, err)
				cancel()
			}
		}
		for _, s := range m.p.Status(time.Now()) {
			require.Equal(t, "up", s.State)
			require.Zero(t, s.InFlight)
		}
	})
}

// TestBreakerNeedsARate: one failure in 100 calls leaves a target up, 10 of 20 open
// it, and a probe that succeeds closes it.
func TestBreakerNeedsARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := false
		target := fake(func(context.Context, *play) (string, error) {
			if fail {
				return "", fault.New(fault.ClassServerError, nil)
			}
			return "a", nil
		})
		m := newModel(t, nil, Target{Name: "a", Model: target}, Target{Name: "b", Model: says("b"), Tier: 1})
		for i := range 100 {
			fail = i == 50
			_, err := m.Call(t.Context(), "hello")
			require.NoError(t, err)
		}
		require.Equal(t, "up", m.p.Status(time.Now())[0].State)
		fail = true
		for range 10 {
			text, err := m.Call(t.Context(), "hello")
			require.NoError(t, err)
			require.Equal(t, "b", text)
		}
		require.Equal(t, "open", m.p.Status(time.Now())[0].State)
		before := m.p.Status(time.Now())[0].Picks
		_, err := m.Call(t.Context(), "hello")
		require.NoError(t, err)
		require.Equal(t, before, m.p.Status(time.Now())[0].Picks, "an open target isn't asked")
		fail = false
		time.Sleep(11 * time.Second)
		text, err := m.Call(t.Context(), "hello")
		require.NoError(t, err)
		require.Equal(t, "a", text)
		require.Equal(t, "up", m.p.Status(time.Now())[0].State)
	})
}

// TestBadKeyIsLeftOut: it is not tried again until its pause ends.
func TestBadKeyIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		bad := fake(func(context.Context, *play) (string, error) { asked++; return "", fault.New(fault.ClassAuth, nil) })
		m := newModel(t, nil, Target{Name: "a", Model: bad}, Target{Name: "b", Model: says("b"), Tier: 1})
		for range 10 {
			_, err := m.Call(t.Context(), "hello")
			require.NoError(t, err)
		}
		require.Equal(t, 1, asked)
		time.Sleep(time.Minute + time.Second)
		_, err := m.Call(t.Context(), "hello")
		require.NoError(t, err)
		require.Equal(t, 2, asked)
	})
}

// TestBudgetBoundsFallbacks: in an outage of the first target, fallbacks are a share
// of the calls.
func TestBudgetBoundsFallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget, err := retry.NewWindowBudget(nil)
		require.NoError(t, err)
		asked := 0
		second := fake(func(context.Context, *play) (string, error) { asked++; return "b", nil })
		m := newModel(t, &Options{Budget: budget, Breaker: &retry.BreakerOptions{Failures: 1 << 20}},
			Target{Name: "a", Model: fails(fault.ClassServerError)}, Target{Name: "b", Model: second, Tier: 1})
		for range 1000 {
			_, _ = m.Call(t.Context(), "hello")
		}
		require.Greater(t, asked, 50)
		require.LessOrEqual(t, asked, 110+1)
	})
}

// TestEventsNameTheReason: each attempt is an event with its target and why.
func TestEventsNameTheReason(t *testing.T) {
	var mu sync.Mutex
	var got []string
	h := &event.Checker{Report: t.Errorf, Next: recorder(func(r slog.Record) {
		mu.Lock()
		defer mu.Unlock()
		line := r.Message
		r.Attrs(func(a slog.Attr) bool {
			if a.Key == event.Target || a.Key == event.Reason {
				line += " " + a.Value.String()
			}
			return true
		})
		got = append(got, line)
	})}
	m := newModel(t, &Options{Logger: slog.New(h)}, Target{Name: "a", Model: fails(fault.ClassRateLimit)}, Target{Name: "b", Model: says("b"), Tier: 1})
	_, err := m.Call(t.Context(), "hello")
	require.NoError(t, err)
	require.Equal(t, []string{"route.pick a balance", "route.pick b fallback: rate_limit"}, got)
}

type recorder func(slog.Record)

func (r recorder) Enabled(context.Context, slog.Level) bool        { return true }
func (r recorder) Handle(_ context.Context, rec slog.Record) error { r(rec); return nil }
func (r recorder) WithAttrs([]slog.Attr) slog.Handler              { return r }
func (r recorder) WithGroup(string) slog.Handler                   { return r }

// TestAs: a target asks for its own name of the model.
func TestAs(t *testing.T) {
	echo := fake(func(_ context.Context, p *play) (string, error) { return p.model, nil })
	m := newModel(t, nil, Target{Name: "a", Model: echo, As: "llama-3"})
	text, err := m.Call(t.Context(), "hello", llms.WithModel("gpt"))
	require.NoError(t, err)
	require.Equal(t, "llama-3", text)
}

// TestPanicGivesThePermitBack: a target whose client panics doesn't count as in
// progress forever.
func TestPanicGivesThePermitBack(t *testing.T) {
	m := newModel(t, nil, Target{Name: "a", Model: fake(func(context.Context, *play) (string, error) { panic("no") })})
	require.Panics(t, func() { _, _ = m.Call(t.Context(), "hello") })
	require.Zero(t, m.p.Status(time.Now())[0].InFlight)
}
