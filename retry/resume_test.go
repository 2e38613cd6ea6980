package retry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A scribe is a model with one answer. Its streams are cut after so many
// bytes, an attempt each, and it continues as it is asked to.
type scribe struct {
	llms.Model
	answer string
	cuts   []int // bytes of the answer that each attempt reaches; the last one reaches the end
	fails  map[int]error
	with   error  // the error that cuts the streams; default a StreamInterrupted
	stop   string // the stop reason of the cut streams, which then are no errors
	kind   delta.Kind
	info   map[string]any // of each response, whole or not
	reason string
	revise func(string) string // of what a continuation streams
	tool   int                 // the attempt, from 1, that ends with a tool call

	hangs int // the attempt, from 1, that never answers

	mu       sync.Mutex
	requests []request
	keys     []string
}

type request struct {
	messages []llms.MessageContent
	o        llms.CallOptions
}

func textOf(m llms.MessageContent) string { return m.Parts[0].(llms.TextContent).Text }

func (s *scribe) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	r := request{messages: messages}
	for _, f := range options {
		f(&r.o)
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r)
	key, _ := fault.IdempotencyKey(ctx)
	s.keys = append(s.keys, key)
	s.mu.Unlock()
	if s.hangs == n+1 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := s.fails[n]; err != nil {
		return nil, err
	}
	end := len(s.answer)
	if n < len(s.cuts) {
		end = s.cuts[n]
	}
	from, lead := 0, ""
	for i, m := range messages {
		if m.Role == llms.ChatMessageTypeAI {
			from = len(textOf(m))
			if i+1 < len(messages) {
				_, lead, _ = strings.Cut(textOf(messages[i+1]), "\n\n")
			}
		}
	}
	rest := lead + s.answer[from:end]
	if n > 0 && s.revise != nil {
		rest = s.revise(rest)
	}
	say := func(kind delta.Kind, reasoning, chunk string) error {
		ctx := ctx
		if s.kind != delta.Unknown {
			ctx = delta.With(ctx, delta.Delta{Kind: kind})
		}
		if r.o.StreamingFunc != nil && reasoning == "" {
			if err := r.o.StreamingFunc(ctx, []byte(chunk)); err != nil {
				return err
			}
		}
		if r.o.StreamingReasoningFunc != nil {
			return r.o.StreamingReasoningFunc(ctx, []byte(reasoning), []byte(chunk))
		}
		return nil
	}
	if err := say(s.kind, "", ""); err != nil {
		return nil, err
	}
	if s.reason != "" {
		if err := say(delta.Reasoning, s.reason, ""); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(rest); i += 4 {
		if err := say(s.kind, "", rest[i:min(i+4, len(rest))]); err != nil {
			return nil, err
		}
	}
	if s.reason != "" && n > 0 {
		if err := say(delta.Reasoning, s.reason, ""); err != nil {
			return nil, err
		}
	}
	if s.tool == n+1 {
		if err := say(delta.Tool, "", `[{"index":0}]`); err != nil {
			return nil, err
		}
	}
	resp := &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: rest, ReasoningContent: s.reason, StopReason: "stop", GenerationInfo: s.info}}}
	if end < len(s.answer) {
		if s.stop != "" {
			resp.Choices[0].StopReason = s.stop
			return resp, nil
		}
		if s.with != nil {
			return nil, s.with
		}
		e := fault.New(fault.ClassStreamInterrupted, errors.New("unexpected EOF"))
		if s.info != nil {
			e.Partial = resp
		}
		return nil, e
	}
	return resp, nil
}

const story = "Once there was a lamp at the end of the pier, and whoever came home by night was glad of it. Nobody had lit it for years.\n\nThen came the winter."

func (s *scribe) tell(t *testing.T, o *Options, options ...llms.CallOption) (heard string, resp *llms.ContentResponse, e *fault.Error) {
	t.Helper()
	o.Logger = slog.New(&event.Checker{Report: t.Errorf})
	if s.kind == delta.Unknown && s.answer == "" {
		s.kind, s.answer = delta.Text, story
	}
	m, err := New(s, o)
	require.NoError(t, err)
	question := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Tell me a story.")}
	options = append(options, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard += string(chunk); return nil }))
	resp, err = m.GenerateContent(t.Context(), question, options...)
	if err != nil {
		require.ErrorAs(t, err, &e)
	}
	return heard, resp, e
}

func TestResume(t *testing.T) {
	for name, o := range map[string]*Resume{
		"instruct": {Max: 3},
		"prefill":  {Max: 3, Continuation: ContinuationPrefill},
	} {
		// Every place to cut, the ends of words, paragraphs and all.
		t.Run(name, func(t *testing.T) {
			for cut := 1; cut < len(story); cut++ {
				synctest.Test(t, func(t *testing.T) {
					s := &scribe{cuts: []int{cut, min(cut+20, len(story))}}
					heard, resp, e := s.tell(t, &Options{Resume: o, MaxAttempts: 4})
					require.Nil(t, e, "cut at %d", cut)
					require.Equal(t, story, heard)
					require.Equal(t, story, resp.Choices[0].Content)
					require.Equal(t, "stop", resp.Choices[0].StopReason)
					last := s.requests[len(s.requests)-1]
					require.Equal(t, "Tell me a story.", textOf(last.messages[0]))
					require.Equal(t, llms.ChatMessageTypeAI, last.messages[1].Role)
					require.Len(t, last.messages, map[string]int{"instruct": 3, "prefill": 2}[name])
					require.Len(t, resp.Choices[0].GenerationInfo, 2)
					require.Equal(t, len(s.requests)-1, resp.Choices[0].GenerationInfo[InfoResumed])
					require.Equal(t, len(s.requests)-1, resp.Choices[0].GenerationInfo[InfoUnreported])
					require.Equal(t, s.keys[0], s.keys[1], "it is one logical call")
				})
			}
		})
	}
}

func TestResumeAddsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scribe{cuts: []int{40}, reason: "Hm. ", info: map[string]any{"PromptTokens": 10, "CompletionTokens": int32(7), "TotalTokens": 17, "id": "x"}}
		_, resp, e := s.tell(t, &Options{Resume: &Resume{Tokens: func(s string) int { return len(s) / 10 }, Metadata: map[string]any{"extra": map[string]any{"b": 2}}}},
			llms.WithMaxTokens(100), llms.WithMetadata(map[string]any{"extra": map[string]any{"a": 1}, "mine": true}))
		require.Nil(t, e)
		info := resp.Choices[0].GenerationInfo
		require.Equal(t, map[string]any{"PromptTokens": 20, "CompletionTokens": 14, "TotalTokens": 34, "id": "x", InfoResumed: 1, InfoUnreported: 0}, info)
		require.Equal(t, 100, s.requests[0].o.MaxTokens)
		require.Equal(t, 100-4+3, s.requests[1].o.MaxTokens) // said 4, repeats 3
		require.Equal(t, map[string]any{"extra": map[string]any{"a": 1, "b": 2}, "mine": true}, s.requests[1].o.Metadata)
		require.Equal(t, map[string]any{"extra": map[string]any{"a": 1}, "mine": true}, s.requests[0].o.Metadata)
		require.Equal(t, map[string]any{"PromptTokens": 10, "CompletionTokens": int32(7), "TotalTokens": 17, "id": "x"}, s.info, "the model's own is not written to")
	})
}

// With both callbacks, and with the reasoning one alone, there is one stream.
func TestResumeWithReasoning(t *testing.T) {
	for _, both := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &scribe{answer: story, kind: delta.Text, cuts: []int{40}, reason: "Hm. "}
			m, err := New(s, &Options{Resume: &Resume{}})
			require.NoError(t, err)
			var reasoned, told, heard string
			empty := 0
			options := []llms.CallOption{llms.WithStreamingReasoningFunc(func(_ context.Context, r, c []byte) error {
				if len(r)+len(c) == 0 {
					empty++
				}
				reasoned, told = reasoned+string(r), told+string(c)
				return nil
			})}
			if both {
				options = append(options, llms.WithStreamingFunc(func(_ context.Context, c []byte) error { heard += string(c); return nil }))
			}
			resp, err := m.GenerateContent(t.Context(), nil, options...)
			require.NoError(t, err)
			require.Len(t, s.requests, 2)
			require.Equal(t, "Hm. ", reasoned, "the continuation's reasoning isn't for the reader")
			require.Equal(t, 1, empty, "nor is a trace of it")
			require.Equal(t, story, told)
			require.Equal(t, story, resp.Choices[0].Content)
			require.Equal(t, "Hm. ", resp.Choices[0].ReasoningContent)
			if both {
				require.Equal(t, story, heard)
			}
		})
	}
}

// Where an answer can't be resumed right it isn't resumed, and the error is as
// without a Resume.
func TestResumeKnowsItsLimits(t *testing.T) {
	fatal := fault.Classify(fault.Response{Status: 400}, time.Now())
	unavailable := fault.Classify(fault.Response{Status: 503}, time.Now())
	tool := []llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "f"}}}
	for name, c := range map[string]struct {
		s       *scribe
		o       Options
		options []llms.CallOption
		asked   int
		heard   string // "": the first 40 bytes
	}{
		"not asked for":             {o: Options{}, asked: 1},
		"no attempts left":          {o: Options{Resume: &Resume{}, MaxAttempts: 1}, asked: 1},
		"no budget":                 {o: Options{Resume: &Resume{}, Budget: noRetries{}}, asked: 1},
		"cut more often than Max":   {s: &scribe{cuts: []int{40, 60, 80}}, o: Options{Resume: &Resume{Max: 2}, MaxAttempts: 5}, asked: 3, heard: story[:80]},
		"JSON":                      {options: []llms.CallOption{llms.WithJSONMode()}, asked: 1},
		"a MIME type":               {options: []llms.CallOption{llms.WithResponseMIMEType("application/json")}, asked: 1},
		"a schema":                  {options: []llms.CallOption{llms.WithMetadata(map[string]any{"openai:response_format": 1})}, asked: 1},
		"a grammar":                 {options: []llms.CallOption{llms.WithMetadata(map[string]any{"openai:extra": map[string]any{"guided_choice": 1}})}, asked: 1},
		"several choices":           {options: []llms.CallOption{llms.WithN(2)}, asked: 1},
		"a tool call under way":     {s: &scribe{tool: 1}, options: []llms.CallOption{llms.WithTools(tool)}, asked: 1, heard: story[:40] + `[{"index":0}]`},
		"chunks of unknown kind":    {s: &scribe{answer: story}, options: []llms.CallOption{llms.WithTools(tool)}, asked: 1},
		"MaxTokens reached":         {options: []llms.CallOption{llms.WithMaxTokens(10)}, asked: 1},
		"the continuation is wrong": {s: &scribe{fails: map[int]error{1: fatal}}, o: Options{Resume: &Resume{Max: 3}}, asked: 2},
		"the continuations fail":    {s: &scribe{fails: map[int]error{1: unavailable, 2: unavailable}}, o: Options{Resume: &Resume{Max: 2}, MaxAttempts: 9}, asked: 3},
		"another beginning":         {s: &scribe{revise: func(string) string { return "Sure! Here is the rest: and" }}, o: Options{Resume: &Resume{Max: 3}}, asked: 2},
		"a continuation of nothing": {s: &scribe{revise: func(string) string { return "" }}, o: Options{Resume: &Resume{Max: 3}}, asked: 2},
		"prefill without half a character": {s: &scribe{answer: "un café au lait", cuts: []int{7}, kind: delta.Text, revise: func(string) string { return "e" }},
			o: Options{Resume: &Resume{Continuation: ContinuationPrefill}}, asked: 2, heard: "un caf\xc3"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, o := c.s, c.o
				if s == nil {
					s = &scribe{}
				}
				if s.cuts == nil {
					s.cuts = []int{40}
				}
				if c.options != nil {
					o.Resume = &Resume{}
				}
				want := c.heard
				if want == "" {
					want = story[:40]
				}
				heard, resp, e := s.tell(t, &o, c.options...)
				require.Nil(t, resp)
				require.NotNil(t, e)
				require.Equal(t, fault.ClassStreamInterrupted, e.Class, "%v", e)
				require.False(t, e.Retryable || e.Fallback)
				require.Equal(t, want, heard)
				require.Len(t, s.requests, c.asked)
				require.Equal(t, c.asked, e.Attempts)
				if s.tool == 0 {
					require.Equal(t, want, e.Partial.Choices[0].Content)
				}
				for _, failed := range s.fails {
					require.ErrorIs(t, e, failed, "why it wasn't resumed is in the cause")
				}
			})
		})
	}
}

// What ends a stream decides whether it is worth going on.
func TestResumeByClass(t *testing.T) {
	for _, c := range []struct {
		with    error
		resumed bool
	}{
		{errors.New("boom"), true},
		{io.ErrUnexpectedEOF, true},
		{fault.Classify(fault.Response{Status: 200, Body: []byte(`{"error":{"type":"overloaded_error"}}`)}, time.Now()), true},
		{fault.Classify(fault.Response{Status: 401}, time.Now()), false},
		{fault.New(fault.ClassContentFilter, nil), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &scribe{cuts: []int{40}, with: c.with}
			_, _, e := s.tell(t, &Options{Resume: &Resume{}})
			require.Equal(t, c.resumed, e == nil, "%v", c.with)
		})
	}
}

// A stream that a client returns as a success, whose stop reason means that the
// generation broke, is continued as one that was cut is.
func TestResumeByStopReason(t *testing.T) {
	for stop, resumed := range map[string]bool{"network_error": true, "FinishReasonOther": true, "length": false, "content_filter": false, "made_up": false} {
		synctest.Test(t, func(t *testing.T) {
			s := &scribe{cuts: []int{40}, stop: stop, info: map[string]any{"PromptTokens": 3, "CompletionTokens": 2}}
			heard, resp, e := s.tell(t, &Options{Resume: &Resume{}})
			require.Nil(t, e, stop)
			if !resumed {
				require.Equal(t, stop, resp.Choices[0].StopReason, "a wrapper passes on what its model said")
				require.Equal(t, story[:40], heard)
				return
			}
			require.Equal(t, story, heard, stop)
			require.Equal(t, "stop", resp.Choices[0].StopReason)
			require.Equal(t, 6, resp.Choices[0].GenerationInfo["PromptTokens"], "the broken answer was paid for")

			s = &scribe{cuts: []int{40}, stop: stop}
			heard, _, e = s.tell(t, &Options{})
			require.NotNil(t, e)
			require.Equal(t, story[:40], heard)
			require.Equal(t, story[:40], e.Partial.Choices[0].Content)
			require.False(t, e.Retryable)
		})
	}
}

type noRetries struct{ noBudget }

func (noRetries) Retry(time.Time) bool { return false }

func TestResumeAfterAFailedContinuation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scribe{cuts: []int{40}, fails: map[int]error{1: fault.Classify(fault.Response{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, time.Now())}}
		begin := time.Now()
		heard, _, e := s.tell(t, &Options{Resume: &Resume{Max: 2}})
		require.Nil(t, e)
		require.Equal(t, story, heard)
		require.GreaterOrEqual(t, time.Since(begin), 7*time.Second, "the server's wait is kept")
	})
}

// Prefill trusts the engine, but a repetition of the answer isn't passed on twice.
func TestResumePrefill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scribe{cuts: []int{40}, revise: func(string) string { return story }}
		heard, resp, e := s.tell(t, &Options{Resume: &Resume{Continuation: ContinuationPrefill}})
		require.Nil(t, e)
		require.Equal(t, story, heard)
		require.Equal(t, story, resp.Choices[0].Content)
	})
	// An answer that the caller began stays one message.
	o := &Resume{Continuation: ContinuationPrefill}
	mine := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q"), llms.TextParts(llms.ChatMessageTypeAI, "{")}
	messages, _ := o.continuation(&stream{said: `"a": 1, `}, mine, nil)
	require.Len(t, messages, 2)
	require.Equal(t, `{"a": 1,`, textOf(messages[1]))
	require.Equal(t, "{", textOf(mine[1]))
}

// A continuation may go on with a tool call where the engine continues exactly;
// where the seam is to be proven, it comes after the proof.
func TestResumeIntoAToolCall(t *testing.T) {
	for name, c := range map[string]struct {
		o      Resume
		revise func(string) string
		whole  bool
	}{
		"prefill":                   {Resume{Continuation: ContinuationPrefill}, func(string) string { return "" }, true},
		"prefill, with text held":   {Resume{Continuation: ContinuationPrefill}, func(string) string { return story[:9] }, true},
		"instruct":                  {Resume{}, func(string) string { return "" }, false},
		"instruct, half a proof":    {Resume{}, func(lead string) string { return lead[:min(5, len(lead))] }, false},
		"instruct, after the proof": {Resume{}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scribe{cuts: []int{len(story) - 1}, tool: 2, revise: c.revise}
				heard, resp, e := s.tell(t, &Options{Resume: &c.o})
				require.Equal(t, c.whole, e == nil)
				said := story
				if c.revise != nil {
					said = story[:len(story)-1] + c.revise("")
				}
				if e != nil {
					require.Equal(t, fault.ClassStreamInterrupted, e.Class)
					require.Equal(t, said, heard)
					return
				}
				require.Equal(t, said+`[{"index":0}]`, heard)
				require.Equal(t, said, resp.Choices[0].Content)
			})
		})
	}
}

func TestResumeEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The context ends while the continuation is waited for.
		s := &scribe{answer: story, kind: delta.Text, cuts: []int{40}}
		m, err := New(s, &Options{Resume: &Resume{}, Sleep: sleep})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		heard := ""
		_, err = m.GenerateContent(ctx, nil, llms.WithStreamingFunc(func(_ context.Context, c []byte) error {
			if heard += string(c); len(heard) == 40 {
				cancel()
			}
			return nil
		}))
		require.ErrorIs(t, err, context.Canceled)
		require.Len(t, s.requests, 1)

		// The caller's callback refuses a chunk of the continuation.
		s = &scribe{answer: story, kind: delta.Text, cuts: []int{40}}
		m, err = New(s, &Options{Resume: &Resume{Max: 9}})
		require.NoError(t, err)
		enough := errors.New("enough")
		heard = ""
		_, err = m.GenerateContent(t.Context(), nil, llms.WithStreamingFunc(func(_ context.Context, c []byte) error {
			if heard += string(c); len(heard) > 60 {
				return enough
			}
			return nil
		}))
		require.ErrorIs(t, err, enough)
		require.Len(t, s.requests, 2)
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fault.ClassCanceled, e.Class)
		require.Equal(t, heard, e.Partial.Choices[0].Content)
	})
}

// The hedge answers first, is cut, and its answer is resumed.
func TestResumeAfterAHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, err := NewHedger(&HedgerOptions{Delay: time.Second, Budget: NoBudget})
		require.NoError(t, err)
		s := &scribe{cuts: []int{0, 40}, hangs: 1}
		heard, resp, e := s.tell(t, &Options{Hedger: h, Resume: &Resume{}})
		require.Nil(t, e)
		require.Equal(t, story, heard)
		require.Equal(t, story, resp.Choices[0].Content)
		require.Equal(t, 1, resp.Choices[0].GenerationInfo[InfoResumed])
		require.Len(t, s.requests, 3)
		require.Equal(t, []string{s.keys[0], s.keys[0], s.keys[0]}, s.keys)
	})
}

// Below another Model nothing is resumed: the caller above would take the
// continuation for a stream of its own.
func TestResumeAtOneLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scribe{answer: story, kind: delta.Text, cuts: []int{40}}
		inner, err := New(s, &Options{Resume: &Resume{}})
		require.NoError(t, err)
		outer, err := New(inner, nil)
		require.NoError(t, err)
		heard, _, e := asking(t, outer, t.Context(), true)
		require.Equal(t, fault.ClassStreamInterrupted, e.Class)
		require.Equal(t, story[:40], heard)
		require.Len(t, s.requests, 1)
	})
	for _, o := range []Resume{{Max: -1}, {Continuation: ContinuationPrefill + 1}} {
		_, err := New(&scribe{}, &Options{Resume: &o})
		require.ErrorIs(t, err, ErrOption)
	}
}
