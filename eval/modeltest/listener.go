package modeltest

import (
	"context"
	"fmt"
	"sync"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// One chunk as a callback got it.
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
	at     map[string]bool // the faults so far

	fail func(n int) error // called with the number of the chunk, from 1
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

// chunks returns what the callback via got, or what both got if via is "".
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

// joined returns all that the callback via got of a kind and choice, as one text.
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

// close is called when the call has returned. It waits a minute of the bubble's
// time for late callbacks.
func (c *checker) close(l *listener) {
	l.mu.Lock()
	l.over = true
	if l.inside > 0 {
		c.broken("a callback still running when the call returned", "callbacks one after the other, all of them done before the call returns")
	}
	l.mu.Unlock()
	synctest.Wait()
	time.Sleep(time.Minute)
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for fault := range l.at {
		c.broken(fault, "callbacks one after the other, all of them before the call returns")
	}
}

// stream plays chunks through the wrapper to the chosen callbacks.
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
