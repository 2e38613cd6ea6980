package modeltest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// The questions have nothing in common, so that even a cache that matches by
// meaning answers none with another's answer.
var questions = []string{
	"Name the largest moon of Saturn.",
	"How long do I boil an egg?",
	"Translate 'harbour' into Finnish.",
	"What does a carburettor do?",
	"Who wrote the Divine Comedy?",
	"Give me a rhyme for winter.",
	"Sort these numbers: nine, two, five.",
	"Which gas do plants breathe in?",
	"Why is the sea salty?",
	"Explain a leveraged loan to a child.",
	"Suggest a name for a grey cat.",
	"When was paper invented?",
	"How do bees find their way home?",
	"What is a sonnet?",
	"Convert ten miles to kilometres.",
	"Which planet spins on its side?",
	"Tell me about the Hanseatic League.",
	"How is cheese made?",
	"What should I pack for a week in Norway?",
	"Define entropy in one line.",
	"Who painted the Night Watch?",
	"Is a tomato a fruit?",
	"What makes thunder?",
	"How many strings has a cello?",
	"Recommend a board game for two.",
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// generate calls m and takes a panic for a broken rule.
func (c *checker) generate(ctx context.Context, m llms.Model, messages []llms.MessageContent, options ...llms.CallOption) (r *llms.ContentResponse, err error) {
	defer c.nopanic("GenerateContent")
	return m.GenerateContent(ctx, messages, options...)
}

func (c *checker) call(ctx context.Context, m llms.Model, prompt string, options ...llms.CallOption) (text string, err error) {
	defer c.nopanic("Call")
	//lint:ignore SA1019 the contract has a rule for it, since wrappers must implement it
	return m.Call(ctx, prompt, options...)
}

// nopanic is deferred around a call of the wrapper.
func (c *checker) nopanic(method string) {
	switch p := recover(); p {
	case nil:
	case any(stop{}):
		panic(p)
	default:
		c.broken(fmt.Sprintf("%s panicked: %v", method, p), "an answer or an error")
		panic(stop{})
	}
}

// answer is generate for a call that must succeed with at least one choice.
func (c *checker) answer(ctx context.Context, m llms.Model, messages []llms.MessageContent, options ...llms.CallOption) *llms.ContentResponse {
	r, err := c.generate(ctx, m, messages, options...)
	switch {
	case err != nil:
		c.broken("error "+show(err), "the answer of next, which succeeded")
	case r == nil || len(r.Choices) == 0 || r.Choices[0] == nil:
		c.broken(fmt.Sprintf("an answer without a first choice: %+v", r), "the answer of next, which has one")
	default:
		return r
	}
	panic(stop{})
}

// first returns the first call that next got.
func (c *checker) first(s *Script) Call {
	calls := s.Calls()
	if len(calls) == 0 {
		c.broken("next was never asked", "a call of next")
		panic(stop{})
	}
	return calls[0]
}

// always is a model that does the same in each call.
func always(turn Turn) *Script {
	return &Script{Answer: func(Call) (Turn, bool) { return turn, true }}
}

// bySeed is a model that plays the turn whose number is the call's seed: the
// text of the messages may have been rewritten.
func bySeed(turns ...Turn) *Script {
	return &Script{Answer: func(c Call) (Turn, bool) {
		if c.Options.Seed < 0 || c.Options.Seed >= len(turns) {
			return Turn{}, false
		}
		return turns[c.Options.Seed], true
	}}
}

// A heard is one chunk as a callback got it.
type heard struct {
	via       string // the callback: text or reasoning
	kind      delta.Kind
	choice    int
	chunk     string
	reasoning string // the reasoning callback's first argument
}

func (h heard) String() string {
	return fmt.Sprintf("{%s callback, %s, choice %d, chunk %q, reasoning %q}", h.via, h.kind, h.choice, h.chunk, h.reasoning)
}

// A listener has the callbacks of one call.
type listener struct {
	mu     sync.Mutex
	got    []heard
	inside int
	over   bool
	at     map[string]bool // faults seen

	fail func(n int) error // asked with the number of the chunk, 1 first
}

func (l *listener) text(ctx context.Context, chunk []byte) error {
	d := delta.From(ctx)
	return l.hear(heard{via: "text", kind: d.Kind, choice: d.Choice, chunk: string(chunk)})
}

func (l *listener) reasoning(ctx context.Context, reasoning, chunk []byte) error {
	d := delta.From(ctx)
	return l.hear(heard{via: "reasoning", kind: d.Kind, choice: d.Choice, chunk: string(chunk), reasoning: string(reasoning)})
}

func (l *listener) hear(h heard) error {
	l.mu.Lock()
	l.inside++
	if l.at == nil {
		l.at = map[string]bool{}
	}
	if l.inside > 1 {
		l.at["two callbacks of one call at once"] = true
	}
	if l.over {
		l.at["a callback after the call returned"] = true
	}
	l.got = append(l.got, h)
	n, fail := len(l.got), l.fail
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.inside--
		l.mu.Unlock()
	}()
	if fail != nil {
		return fail(n)
	}
	return nil
}

// chunks returns what was heard through the callback via, "" for both.
func (l *listener) chunks(via string) []heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []heard
	for _, h := range l.got {
		if via == "" || h.via == via {
			out = append(out, h)
		}
	}
	return out
}

// joined is what was heard through via of a kind and choice, in one piece.
// Chunks of unknown kind count as text of the first choice.
func (l *listener) joined(via string, kind delta.Kind, choice int) string {
	s := ""
	for _, h := range l.chunks(via) {
		if h.kind == delta.Unknown {
			h.kind = delta.Text
			if h.reasoning != "" {
				h.kind = delta.Reasoning
			}
		}
		if h.kind == kind && h.choice == choice {
			s += h.chunk + h.reasoning
		}
	}
	return s
}

// close is called when the call has returned; it gives latecomers an hour of
// the bubble's time.
func (c *checker) close(l *listener) {
	l.mu.Lock()
	l.over = true
	if l.inside > 0 {
		c.broken("a callback still running when the call returned", "callbacks one after the other, all of them over before the call returns")
	}
	l.mu.Unlock()
	synctest.Wait()
	time.Sleep(time.Hour)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for fault := range l.at {
		c.broken(fault, "callbacks one after the other, all of them before the call returns")
	}
}

// stream plays chunks through the wrapper to the callbacks asked for.
func (c *checker) stream(s *Script, question string, text, reasoning bool) (*listener, *llms.ContentResponse) {
	l := &listener{}
	var opts []llms.CallOption
	if text {
		opts = append(opts, llms.WithStreamingFunc(l.text))
	}
	if reasoning {
		opts = append(opts, llms.WithStreamingReasoningFunc(l.reasoning))
	}
	r := c.answer(context.Background(), c.model(s), ask(question), opts...)
	c.close(l)
	return l, r
}

// A providerError is an error with a type of its own, as providers have.
type providerError struct{ status int }

func (e *providerError) Error() string { return fmt.Sprintf("provider: status %d", e.status) }

// errProvider is an error with an identity.
var errProvider = errors.New("provider: refused")
