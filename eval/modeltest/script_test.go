package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/usage"
)

func human(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func TestScriptPlaysTurnsInOrder(t *testing.T) {
	overloaded := errors.New("overloaded")
	s := &modeltest.Script{Turns: []modeltest.Turn{
		{Match: modeltest.LastText("weather"), Times: 2, Chunks: modeltest.Words("It rains.")},
		modeltest.Say("first"),
		{Err: overloaded},
		{Match: modeltest.LastText("again"), Times: -1, Chunks: modeltest.Words("and again")},
	}}
	for i, tt := range []struct{ ask, text, err string }{
		{"hello", "first", ""},
		{"the weather?", "It rains.", ""},
		{"hello", "", "overloaded"},
		{"the weather, again?", "It rains.", ""},
		{"the weather, again?", "and again", ""},
		{"again", "and again", ""},
		{"hello", "", `modeltest: call 7 has no turn left in a script of 4; its last message is "hello": add a turn, or Times: -1 to one that repeats`},
	} {
		r, err := s.GenerateContent(t.Context(), human(tt.ask))
		if tt.err != "" {
			require.EqualError(t, err, tt.err, "call %d", i+1)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.text, r.Choices[0].Content, "call %d", i+1)
		require.Equal(t, "stop", r.Choices[0].StopReason)
	}
	_, err := s.GenerateContent(t.Context(), nil)
	var exhausted *modeltest.ExhaustedError
	require.ErrorAs(t, err, &exhausted)
	require.Equal(t, modeltest.ExhaustedError{Call: 8, Turns: 4}, *exhausted)
	require.Len(t, s.Calls(), 8)
}

func TestScriptRecordsWhatItWasAsked(t *testing.T) {
	s := &modeltest.Script{Defaults: llms.CallOptions{Model: "default", Temperature: 0.7}, Turns: []modeltest.Turn{{Times: -1}}}
	image := []byte{1, 2, 3}
	metadata := map[string]any{"k": map[string]any{"deep": "kept"}}
	messages := []llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{
		llms.TextPart("look"), llms.BinaryPart("image/png", image), llms.ToolCall{FunctionCall: &llms.FunctionCall{Name: "f"}},
	}}}
	_, err := s.GenerateContent(t.Context(), messages, llms.WithTemperature(0), llms.WithMetadata(metadata),
		llms.WithStreamingFunc(func(context.Context, []byte) error { return nil }))
	require.NoError(t, err)
	image[0] = 9
	messages[0].Parts[2].(llms.ToolCall).FunctionCall.Name = "g"
	messages[0].Parts[0] = llms.TextPart("changed")
	metadata["k"].(map[string]any)["deep"] = "changed"

	call := s.Calls()[0]
	require.Equal(t, "look", call.Text())
	require.Equal(t, []byte{1, 2, 3}, call.Messages[0].Parts[1].(llms.BinaryContent).Data)
	require.Equal(t, "f", call.Messages[0].Parts[2].(llms.ToolCall).FunctionCall.Name)
	require.Equal(t, "kept", call.Options.Metadata["k"].(map[string]any)["deep"])
	require.Equal(t, "default", call.Options.Model)
	require.Zero(t, call.Options.Temperature)
	require.True(t, call.Streaming())
	require.Equal(t, t.Context(), call.Context)

	call.Messages[0].Parts[0] = llms.TextPart("mine")
	require.Equal(t, "look", s.Calls()[0].Text())
}

func TestScriptStreams(t *testing.T) {
	turn := modeltest.Turn{
		Usage: &modeltest.Usage{Prompt: 9, Completion: 4, Cached: 3, Reasoning: 2},
		Chunks: slices.Concat(
			[]modeltest.Chunk{{Reasoning: "Hm."}, {Text: "Let me "}, {Text: ""}, {Text: "other", Choice: 1}},
			[]modeltest.Chunk{
				{Tools: []modeltest.ToolDelta{{Index: 1, ID: "b", Type: "function", Function: modeltest.ToolFunction{Name: "g"}}}},
				{Tools: []modeltest.ToolDelta{{Index: 0, ID: "a", Type: "function", Function: modeltest.ToolFunction{Name: "f", Arguments: "{"}}}},
				{Tools: []modeltest.ToolDelta{{Index: 1, Function: modeltest.ToolFunction{Arguments: "[]"}}, {Index: 0, Function: modeltest.ToolFunction{Arguments: "}"}}}},
			},
			modeltest.CallTool(2, "c", "h", "1"),
			[]modeltest.Chunk{{Text: "?", Unmarked: true}},
		),
	}
	s := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Usage: turn.Usage, Chunks: turn.Chunks}}}
	var text, reasoning []string
	note := func(ctx context.Context, parts ...[]byte) string {
		d := delta.From(ctx)
		return fmt.Sprintf("%s %d %q", d.Kind, d.Choice, parts)
	}
	onText := llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
		text = append(text, note(ctx, chunk))
		return nil
	})
	onReasoning := llms.WithStreamingReasoningFunc(func(ctx context.Context, r, chunk []byte) error {
		reasoning = append(reasoning, note(ctx, r, chunk))
		return nil
	})
	r, err := s.GenerateContent(t.Context(), human("go"), onText, onReasoning)
	require.NoError(t, err)
	require.Equal(t, []string{
		`text 0 ["Let me "]`, `text 0 [""]`, `text 1 ["other"]`,
		`tool 0 ["[{\"index\":1,\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]"]`,
		`tool 0 ["[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]"]`,
		`tool 0 ["[{\"index\":1,\"function\":{\"arguments\":\"[]\"}},{\"index\":0,\"function\":{\"arguments\":\"}\"}}]"]`,
		`tool 0 ["[{\"index\":2,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"h\",\"arguments\":\"\"}}]"]`,
		`tool 0 ["[{\"index\":2,\"function\":{\"arguments\":\"1\"}}]"]`,
		`unknown 0 ["?"]`,
	}, text)
	require.Len(t, reasoning, 10)
	require.Equal(t, `reasoning 0 ["Hm." ""]`, reasoning[0])
	require.Equal(t, `text 0 ["" "Let me "]`, reasoning[1])

	require.Len(t, r.Choices, 2)
	first := r.Choices[0]
	require.Equal(t, "Let me ?", first.Content)
	require.Equal(t, "Hm.", first.ReasoningContent)
	require.Equal(t, "tool_calls", first.StopReason)
	require.Equal(t, "other", r.Choices[1].Content)
	require.Equal(t, "stop", r.Choices[1].StopReason)
	var calls []string
	for _, c := range first.ToolCalls {
		calls = append(calls, c.ID+" "+c.FunctionCall.Name+c.FunctionCall.Arguments)
	}
	require.Equal(t, []string{"b g[]", "a f{}", "c h1"}, calls)
	require.Equal(t, "g", first.FuncCall.Name)
	tokens, err := usage.Of(r)
	require.NoError(t, err)
	require.Equal(t, usage.Tokens{Input: 9, Output: 4, CacheRead: 3, Reasoning: 2}, tokens)

	// Not streamed, the answer is the same.
	again, err := s.GenerateContent(t.Context(), human("go"))
	require.NoError(t, err)
	require.Equal(t, r, again)
}

func TestScriptStreamsWholeChoices(t *testing.T) {
	choices := []*llms.ContentChoice{nil, {Content: "two", ReasoningContent: "hm", ToolCalls: []llms.ToolCall{{ID: "a", Type: "function"}}}}
	s := &modeltest.Script{Turns: []modeltest.Turn{{Choices: choices}}}
	var heard []string
	r, err := s.GenerateContent(t.Context(), human("go"), llms.WithStreamingReasoningFunc(func(ctx context.Context, reasoning, chunk []byte) error {
		heard = append(heard, fmt.Sprintf("%s %d %s%s", delta.From(ctx).Kind, delta.From(ctx).Choice, reasoning, chunk))
		return nil
	}))
	require.NoError(t, err)
	require.Equal(t, choices, r.Choices)
	require.NotSame(t, choices[1], r.Choices[1])
	require.Equal(t, []string{"reasoning 1 hm", "text 1 two", `tool 1 [{"index":0,"id":"a","type":"function","function":{"arguments":""}}]`}, heard)
}

func TestScriptCall(t *testing.T) {
	s := &modeltest.Script{Reasoning: true, Turns: []modeltest.Turn{
		modeltest.Say("fine"), {Choices: []*llms.ContentChoice{}}, {Choices: []*llms.ContentChoice{nil}}, {NilResponse: true}, {Panic: "boom"},
	}}
	call := s.Call
	text, err := call(t.Context(), "how are you?", llms.WithSeed(4))
	require.NoError(t, err)
	require.Equal(t, "fine", text)
	require.Equal(t, human("how are you?"), s.Calls()[0].Messages)
	require.Equal(t, 4, s.Calls()[0].Options.Seed)
	for range 3 {
		_, err = call(t.Context(), "and now?")
		require.ErrorIs(t, err, modeltest.ErrEmpty)
	}
	require.PanicsWithValue(t, "boom", func() { _, _ = call(t.Context(), "and now?") })
	require.True(t, llms.SupportsReasoningModel(s))
}

func TestScriptKeepsTime(t *testing.T) {
	hidden := errors.New("provider: timeout")
	slow := []modeltest.Chunk{{Text: "one", Delay: time.Hour}, {Text: "two", Delay: time.Hour}}
	for _, tt := range []struct {
		name    string
		turn    modeltest.Turn
		stream  bool
		err     error
		elapsed time.Duration
		chunks  int
	}{
		{"delays add up", modeltest.Turn{Delay: time.Hour, Chunks: slow}, true, nil, 3 * time.Hour, 2},
		{"without a stream too", modeltest.Turn{Delay: time.Hour, Chunks: slow}, false, nil, 3 * time.Hour, 0},
		{"hang", modeltest.Turn{Chunks: slow[:1], Hang: true}, true, context.DeadlineExceeded, 10 * time.Hour, 1},
		{"hidden", modeltest.Turn{Hang: true, HideContext: hidden}, false, hidden, 10 * time.Hour, 0},
		{"cut short in a delay", modeltest.Turn{Delay: 570 * time.Minute, Chunks: slow}, true, context.DeadlineExceeded, 10 * time.Hour, 0},
		{"error after chunks", modeltest.Turn{Chunks: slow, Err: hidden}, true, hidden, 2 * time.Hour, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
				defer cancel()
				chunks := 0
				var opts []llms.CallOption
				if tt.stream {
					opts = append(opts, llms.WithStreamingFunc(func(context.Context, []byte) error { chunks++; return nil }))
				}
				start := time.Now()
				_, err := (&modeltest.Script{Turns: []modeltest.Turn{tt.turn}}).GenerateContent(ctx, human("go"), opts...)
				require.ErrorIs(t, err, tt.err)
				require.Equal(t, tt.elapsed, time.Since(start))
				require.Equal(t, tt.chunks, chunks)
			})
		})
	}
}

func TestScriptFailsWithTheCallback(t *testing.T) {
	enough := errors.New("enough")
	for _, o := range []llms.CallOption{
		llms.WithStreamingFunc(func(context.Context, []byte) error { return enough }),
		llms.WithStreamingReasoningFunc(func(context.Context, []byte, []byte) error { return enough }),
	} {
		_, err := (&modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("a b")}}).GenerateContent(t.Context(), human("go"), o)
		require.ErrorIs(t, err, enough)
	}
}

func TestScriptReusesItsBuffer(t *testing.T) {
	var kept [][]byte
	keep := llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		kept = append(kept, chunk)
		return nil
	})
	s := &modeltest.Script{ReuseBuffer: true, Turns: []modeltest.Turn{modeltest.Say("one two")}}
	_, err := s.GenerateContent(t.Context(), human("go"), keep)
	require.NoError(t, err)
	require.NotEqual(t, "one", string(kept[0]))
}

func TestScriptIsSafeForConcurrentUse(t *testing.T) {
	s := &modeltest.Script{Turns: []modeltest.Turn{{Times: 50, Chunks: modeltest.Words("yes")}}}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := s.GenerateContent(t.Context(), human("go")); err != nil {
				t.Error(err)
			}
			_ = s.Calls()
		})
	}
	wg.Wait()
	_, err := s.GenerateContent(t.Context(), human("go"))
	require.ErrorAs(t, err, new(*modeltest.ExhaustedError))
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                  nil,
		"one":               {"one"},
		"one two":           {"one", " two"},
		"  a\n\nb  ":        {"  a", "\n\nb", "  "},
		"caf\u00e9 \u2028x": {"caf\u00e9", " \u2028x"},
	} {
		var got []string
		for _, c := range modeltest.Words(text) {
			got = append(got, c.Text)
		}
		require.Equal(t, want, got, "%q", text)
	}
}
