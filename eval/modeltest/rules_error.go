package modeltest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing/synctest"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// failing is next's error in the rules below: an identity and a type.
func failing() error { return fmt.Errorf("%w: %w", errProvider, &providerError{400}) }

// isProvider checks that err wraps next's error.
func (c *checker) isProvider(err error) {
	var typed *providerError
	switch {
	case err == nil:
		c.broken("no error", "next's")
	case !errors.Is(err, errProvider):
		c.broken("error "+show(err), "an error for which errors.Is finds next's")
	case !errors.As(err, &typed) && strings.Contains(c.rule.name, "errors"):
		c.broken("error "+show(err), "an error in which errors.As finds the type of next's")
	}
}

// errorRules say that a failure stays a failure, and keeps its type.
var errorRules = []rule{
	{name: "errors", law: "next's error is found by errors.Is and errors.As", check: func(c *checker) {
		s := always(Turn{Err: failing()})
		_, err := c.generate(context.Background(), c.model(s), ask(questions[0]))
		c.isProvider(err)
	}},
	{name: "stream-errors", law: "an error in a stream is returned, and what was streamed before it isn't streamed again", check: func(c *checker) {
		for i, before := range [][]Chunk{nil, Words("one two three")} {
			l := &listener{}
			s := always(Turn{Chunks: before, Err: failing()})
			_, err := c.generate(context.Background(), c.model(s), ask(questions[i+1]), llms.WithStreamingFunc(l.text))
			c.close(l)
			c.isProvider(err)
			right := ""
			for _, p := range before {
				right += p.Text
			}
			got := l.joined("text", delta.Text, 0)
			switch {
			case c.o.MayRechunk && strings.HasPrefix(right, got), c.o.MayRewrite && len(l.chunks("")) <= len(before):
			default:
				c.equal("the callback got", got, right)
			}
		}
	}},
	{name: "error-no-answer", law: "after an error the wrapper still works", check: func(c *checker) {
		m := c.model(bySeed(Say("fine"), Turn{Err: failing()}))
		if _, err := c.generate(context.Background(), m, ask(questions[3]), llms.WithSeed(1)); err == nil {
			c.broken("no error", "next's")
		}
		c.text("the next call returned", c.answer(context.Background(), m, ask(questions[4])).Choices[0].Content, "fine")
	}},
}

// nextsPanic explains itself where it ends the process.
const nextsPanic = "modeltest: rule panic: next panicked on a goroutine where nothing recovers; recover there and return the panic to the caller"

// panicRule comes last, and only if the other rules passed: a wrapper that breaks
// it may end the process before any report.
var panicRule = rule{name: "panic", law: "a panic of next reaches the caller, as a panic or an error, and the wrapper still works", check: func(c *checker) {
	m := c.model(bySeed(Say("fine"), Turn{Panic: nextsPanic}))
	var err error
	panicked := func() (p any) {
		defer func() { p = recover() }()
		_, err = m.GenerateContent(context.Background(), ask(questions[5]), llms.WithSeed(1))
		return nil
	}()
	if panicked == nil && err == nil {
		c.broken("neither a panic nor an error", "one of them")
	}
	c.text("the next call returned", c.answer(context.Background(), m, ask(questions[6])).Choices[0].Content, "fine")
}}

// promptly is the virtual time in which a wrapper must return when the context is
// done.
const promptly = 100 * time.Millisecond

// errHidden is the error of a provider that hides the context's error.
var errHidden = errors.New("provider: request timeout")

// contextRules say that a call ends with its context.
var contextRules = []rule{
	{name: "ctx-before", law: "a call whose context is done already fails with ctx.Err()", check: func(c *checker) {
		for i, streaming := range []bool{false, true} {
			c.ends(ending{question: questions[i], streaming: streaming, turn: Turn{Hang: true}})
		}
	}},
	{name: "ctx-cancel", law: "when the context is canceled, the call returns promptly, its error wraps context.Canceled and no goroutine is left", check: func(c *checker) {
		c.ends(ending{question: questions[2], after: time.Second, turn: Turn{Hang: true}})
	}},
	{name: "ctx-deadline", law: "when the deadline passes, the call returns promptly, its error wraps context.DeadlineExceeded and no goroutine is left", check: func(c *checker) {
		c.ends(ending{question: questions[3], after: time.Second, deadline: true, turn: Turn{Delay: time.Hour, Chunks: Words("too late")}})
	}},
	{name: "ctx-stream", law: "a stream ends with its context, promptly, and no goroutine is left", check: func(c *checker) {
		for i, deadline := range []bool{false, true} {
			c.ends(ending{question: questions[4+i], after: time.Second, deadline: deadline, streaming: true, turn: Turn{Chunks: Words("half an"), Hang: true}})
		}
	}},
	{name: "ctx-hidden", law: "when the context is done the error wraps ctx.Err(), even if next returned an error of its own", check: func(c *checker) {
		turn := Turn{Chunks: Words("half an"), Hang: true, HideContext: errHidden}
		for i, e := range []ending{{}, {deadline: true}, {streaming: true}, {streaming: true, deadline: true}} {
			e.question, e.after, e.turn = questions[6+i], time.Second, turn
			c.ends(e)
		}
	}},
	{name: "ctx-hidden-call", law: "Call returns an error that wraps ctx.Err() too", check: func(c *checker) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := c.call(ctx, c.model(always(Turn{Hang: true, HideContext: errHidden})), questions[10])
		if !errors.Is(err, context.DeadlineExceeded) {
			c.broken("error "+show(err), "an error for which errors.Is finds context.DeadlineExceeded")
		}
	}},
	{name: "ctx-in-callback", when: func(o *Options) bool { return !o.MayRechunk }, // else the callback may first be called at the end
		law: "a callback that cancels the context ends the call with ctx.Err(), though it returned nil", check: func(c *checker) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			l := &listener{fail: func(int) error { cancel(); return nil }}
			chunks := Words("one two three")
			for i := range chunks {
				chunks[i].Delay = time.Second
			}
			_, err := c.generate(ctx, c.model(always(Turn{Chunks: chunks, Hang: true, HideContext: errHidden})), ask(questions[11]), llms.WithStreamingFunc(l.text))
			c.close(l)
			if !errors.Is(err, context.Canceled) {
				c.broken("error "+show(err), "an error for which errors.Is finds context.Canceled")
			}
		}},
	{name: "ctx-not-done", law: "while the context isn't done, no error wraps its error", check: func(c *checker) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		_, err := c.generate(ctx, c.model(always(Turn{Err: failing()})), ask(questions[12]))
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			c.broken("error "+show(err), "next's error alone")
		}
	}},
}

// An ending is a call whose context ends.
type ending struct {
	question  string
	turn      Turn
	after     time.Duration // 0: before the call
	deadline  bool
	streaming bool
}

func (c *checker) ends(e ending) {
	if c.failed {
		return // the next ending would give the same report
	}
	right := context.Canceled
	ctx, cancel := context.WithCancel(context.Background())
	if e.deadline {
		right = context.DeadlineExceeded
		ctx, cancel = context.WithTimeout(context.Background(), e.after)
	}
	defer cancel()

	// The wrapper may start workers of its own with the first call; they end
	// at tb.Cleanup and aren't this call's.
	m := c.model(bySeed(Say("warm"), e.turn))
	c.answer(context.Background(), m, ask(questions[20]))
	if e.after == 0 {
		cancel()
	}
	synctest.Wait()
	before := bubble()

	l := &listener{}
	opts := []llms.CallOption{llms.WithSeed(1)}
	if e.streaming {
		opts = append(opts, llms.WithStreamingFunc(l.text))
	}
	if e.after > 0 && !e.deadline {
		timer := time.AfterFunc(e.after, cancel)
		defer timer.Stop()
	}
	start := time.Now()
	_, err := c.generate(ctx, m, ask(e.question), opts...)
	took := time.Since(start)

	how := "a plain call"
	if e.streaming {
		how = "a stream"
	}
	if !errors.Is(err, right) {
		c.broken(fmt.Sprintf("%s ended with error %s", how, show(err)), fmt.Sprintf("an error for which errors.Is finds %v", right))
	}
	if took > e.after+promptly {
		c.broken(fmt.Sprintf("%s ended %v after its context", how, took-e.after), fmt.Sprintf("at most %v", promptly))
	}
	synctest.Wait()
	for id, stack := range bubble() {
		if _, ok := before[id]; !ok {
			c.broken(fmt.Sprintf("%s left a goroutine:\n\t\t%s", how, strings.ReplaceAll(stack, "\n", "\n\t\t")), "none: cancel what the call started, and wait for it")
		}
	}
	c.close(l)
}

// bubble returns the stacks of the goroutines in the caller's bubble, by the
// line that names them.
func bubble() map[string]string {
	buf := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	stacks := strings.Split(string(buf), "\n\n")
	header, _, _ := strings.Cut(stacks[0], "\n") // the caller's own comes first
	at := strings.LastIndex(header, "synctest bubble ")
	if at < 0 {
		return nil
	}
	mark := header[at:]
	out := map[string]string{}
	for _, s := range stacks {
		header, _, _ := strings.Cut(s, "\n")
		if strings.HasSuffix(header, mark) {
			id, _, _ := strings.Cut(header, " [")
			out[id] = strings.TrimSpace(s)
		}
	}
	return out
}
