package structured_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard/structured"
)

type city struct {
	Name   string `json:"name" schema:"minLength=1"`
	People int    `json:"people" schema:"minimum=1"`
}

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

func text(m llms.MessageContent) string {
	var b strings.Builder
	for _, p := range m.Parts {
		switch p := p.(type) {
		case llms.TextContent:
			b.WriteString(p.Text)
		case llms.ToolCallResponse:
			b.WriteString(p.Content)
		}
	}
	return b.String()
}

func TestGenerateAsksAgainWithWhatIsWrong(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{
		modeltest.Say("I'd say Oslo."),
		modeltest.Say(`{"name": "Oslo", "people": "many"}`),
		modeltest.Say("Here: ```json\n{'name': 'Oslo', 'people': 717710,}\n```"),
	}}
	messages := ask("Which city?")
	r, err := structured.Generate[city](t.Context(), next, messages, nil, llms.WithTemperature(0))
	require.NoError(t, err)
	assert.Equal(t, city{"Oslo", 717710}, r.Value)
	assert.JSONEq(t, `{"name": "Oslo", "people": 717710}`, string(r.JSON))
	assert.True(t, r.Repaired)
	require.Len(t, r.Attempts, 3)
	assert.ErrorIs(t, r.Attempts[0].Err, structured.ErrNoJSON)
	assert.NoError(t, r.Attempts[2].Err)
	calls := next.Calls()
	assert.Contains(t, text(calls[0].Messages[0]), `"minimum":1`)
	require.Len(t, calls[2].Messages, 5)
	assert.Equal(t, llms.ChatMessageTypeAI, calls[2].Messages[3].Role)
	assert.Contains(t, calls[2].Text(), `/people is the string "many", but must be an integer`)
	assert.Equal(t, "Which city?", text(messages[0]), "the caller's messages stay")
	assert.False(t, calls[0].Streaming())
}

func TestGenerateGivesUp(t *testing.T) {
	bad := modeltest.Turn{Times: -1, Chunks: modeltest.Words(`{"name": ""}`), Usage: &modeltest.Usage{Completion: 40}}
	for name, c := range map[string]struct {
		o        structured.Options[city]
		attempts int
		why      string
	}{
		"attempts": {structured.Options[city]{MaxAttempts: 2}, 2, "as many as allowed"},
		"tokens":   {structured.Options[city]{MaxAttempts: 9, MaxTokens: 100}, 3, "the tokens are spent"},
	} {
		_, err := structured.Generate(t.Context(), &modeltest.Script{Turns: []modeltest.Turn{bad}}, ask("x"), &c.o)
		var failed *structured.AnswerError
		require.ErrorAs(t, err, &failed, name)
		assert.Len(t, failed.Attempts, c.attempts)
		assert.Equal(t, c.why, failed.Why)
		var invalid *structured.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Len(t, invalid.Problems, 2)
		assert.Equal(t, 502, failed.HTTPStatus())
	}
	broken := errors.New("the network is down")
	_, err := structured.Generate[city](t.Context(), &modeltest.Script{Turns: []modeltest.Turn{{Err: broken}}}, ask("x"), nil)
	assert.ErrorIs(t, err, broken, "a failure of the model is not an answer")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = structured.Generate[city](ctx, &modeltest.Script{Turns: []modeltest.Turn{modeltest.Say("{}")}}, ask("x"), nil)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestCheckAndCut(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{
		{Chunks: modeltest.Words(`{"people": 5, "name": "Osl`), Stop: "length"},
		modeltest.Say(`{"name": "Atlantis", "people": 5}`),
		modeltest.Say(`{"name": "Oslo", "people": 5}`),
	}}
	r, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{Check: func(c city) error {
		if c.Name == "Atlantis" {
			return errors.New("there is no such city")
		}
		return nil
	}})
	require.NoError(t, err)
	assert.Equal(t, "Oslo", r.Value.Name)
	assert.Contains(t, next.Calls()[1].Text(), "cut before its end")
	assert.Contains(t, next.Calls()[2].Text(), "there is no such city")
}

// stopped is a model whose answers end for one reason, "" too.
type stopped struct {
	llms.Model
	reason string
}

func (m stopped) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	r, err := m.Model.GenerateContent(ctx, messages, options...)
	if err == nil {
		r.Choices[0].StopReason = m.reason
	}
	return r, err
}

// apache/flink-agents#1040, mastra-ai/mastra#24442: what is not known to be complete is
// not accepted, though it fits.
func TestOnlyCompleteAnswersAreRead(t *testing.T) {
	type events struct {
		Events []struct {
			Title string `json:"title"`
		} `json:"events"`
	}
	const cut, whole = `{"events": [{"title": "one"}, {"title": "tw`, `{"events": [{"title": "one"}]}`
	for reason, attempts := range map[string]int{
		"content_filter": 1, "SAFETY": 1, "refusal": 1, "sensitive": 1, "guardrail_intervened": 1,
		"length": 2, "MAX_TOKENS": 2, "model_context_window_exceeded": 2, "pause_turn": 2,
		"error": 2, "network_error": 2, "abort": 2, "insufficient_system_resource": 2, "cancelled": 2,
		"": 2, "a word of tomorrow": 2,
	} {
		for _, text := range []string{cut, whole} {
			checked := false
			next := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Chunks: modeltest.Words(text)}}}
			_, err := structured.Generate(t.Context(), stopped{next, reason}, ask("x"), &structured.Options[events]{MaxAttempts: 2, Check: func(events) error {
				checked = true
				return nil
			}})
			var incomplete *structured.IncompleteError
			require.ErrorAs(t, err, &incomplete, "%q", reason)
			assert.Equal(t, structured.IncompleteError{StopReason: reason, Partial: text}, *incomplete)
			assert.False(t, checked, "%q: not validated", reason)
			var failed *structured.AnswerError
			require.ErrorAs(t, err, &failed)
			assert.Len(t, failed.Attempts, attempts, "%q", reason)
		}
	}
	for _, reason := range []string{"stop", "end_turn", "STOP", "FinishReasonStop", "eos"} {
		_, err := structured.Generate[events](t.Context(), stopped{&modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(whole)}}, reason}, ask("x"), nil)
		assert.NoError(t, err, reason)
	}

	// An answer that broke off has no mistake to correct: the same question is asked.
	next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words(cut), Stop: "error"}, modeltest.Say(whole)}}
	r, err := structured.Generate[events](t.Context(), next, ask("x"), nil)
	require.NoError(t, err)
	assert.Len(t, r.Value.Events, 1)
	assert.Equal(t, next.Calls()[0].Text(), next.Calls()[1].Text())
}

// A refusal in a field of its own ends the attempts, whatever the stop reason.
func TestRefusal(t *testing.T) {
	next := &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Choices: []*llms.ContentChoice{{StopReason: "stop", GenerationInfo: map[string]any{"Refusal": "I can't help with that."}}}}}}
	_, err := structured.Generate[city](t.Context(), next, ask("x"), nil)
	var incomplete *structured.IncompleteError
	require.ErrorAs(t, err, &incomplete)
	assert.Equal(t, structured.IncompleteError{StopReason: "refusal", Partial: "I can't help with that."}, *incomplete)
	assert.Len(t, next.Calls(), 1)
}

// huggingface/physics-intern#6: a call with broken arguments in the history is refused by
// providers, so the question with it is too.
func TestBrokenArgumentsAreNotSentBack(t *testing.T) {
	for broken, sent := range map[string]string{`{"name": "Osl`: `{"name":"Osl"}`, "no JSON": `{"text":"no JSON"}`, `[1]`: `{"text":"[1]"}`, `{"name": ""}`: `{"name": ""}`} {
		next := &modeltest.Script{Turns: []modeltest.Turn{
			{Chunks: modeltest.CallTool(0, "c1", "city", broken)},
			{Chunks: modeltest.CallTool(0, "c2", "city", `{"name": "Oslo", "people": 5}`)},
		}}
		r, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{Mode: structured.ModeTool})
		require.NoError(t, err)
		assert.Equal(t, broken, r.Attempts[0].Text)
		assert.Equal(t, sent, next.Calls()[1].Messages[1].Parts[0].(llms.ToolCall).FunctionCall.Arguments)
	}
}

// Without a stop reason the last bracket is the proof, if that is enough for the caller.
func TestAcceptUnreported(t *testing.T) {
	generate := func(text string) error {
		next := stopped{&modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Chunks: modeltest.Words(text)}}}, ""}
		_, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[any]{MaxAttempts: 1, AcceptUnreported: true, Schema: anything(t)})
		return err
	}
	assert.NoError(t, generate(`{"a": [1, 2]}`))
	var incomplete *structured.IncompleteError
	for _, text := range []string{`{"a": [1, 2`, `{"a": [1, 2]`, `12`, `"tex`} {
		assert.ErrorAs(t, generate(text), &incomplete, text)
	}
}

func anything(t *testing.T) *structured.Schema {
	t.Helper()
	s, err := structured.ParseSchema([]byte(`{}`))
	require.NoError(t, err)
	return s
}

func TestTheValueThatFitsIsFound(t *testing.T) {
	s, err := structured.For[city]()
	require.NoError(t, err)
	for _, answer := range []string{
		`{"name": "Oslo", "people": 5}`,
		`As [1] says, with {"a": 1} in mind: {"name": "Oslo", "people": 5}`,
		`"{\"name\": \"Oslo\", \"people\": 5}"`,
		`<think>{"name": "Rome", "people": 1}</think>{"name": "Oslo", "people": 5}`,
	} {
		v, err := s.Find(answer)
		require.NoError(t, err, answer)
		assert.JSONEq(t, `{"name": "Oslo", "people": 5}`, string(v.JSON))
	}
	_, err = s.Find(`{"name": ""} or {"people": 0}`)
	assert.ErrorContains(t, err, "/name has 0 characters")
}

func TestModesHaveNames(t *testing.T) {
	for mode, want := range []string{"prompt", "json", "response_format", "tool", "unknown"} {
		assert.Equal(t, want, structured.Mode(mode).String())
	}
}

func TestModes(t *testing.T) {
	say := modeltest.Say(`{"name": "Oslo", "people": 5}`)
	metadata := map[string]any{"user": "ada"}

	next := &modeltest.Script{Turns: []modeltest.Turn{say}}
	_, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{Mode: structured.ModeResponseFormat}, llms.WithMetadata(metadata))
	require.NoError(t, err)
	call := next.Calls()[0]
	assert.Equal(t, "x", call.Text(), "the provider tells the model")
	assert.Equal(t, "ada", call.Options.Metadata["user"])
	format, err := json.Marshal(call.Options.Metadata[structured.MetadataResponseFormat])
	require.NoError(t, err)
	assert.JSONEq(t, `{"type":"json_schema","json_schema":{"name":"city","strict":true,"schema":{"type":"object","additionalProperties":false,
		"required":["name","people"],"properties":{"name":{"type":"string","minLength":1},"people":{"type":"integer","minimum":1}}}}}`, string(format))
	assert.Len(t, metadata, 1, "the caller's metadata stay")

	next = &modeltest.Script{Turns: []modeltest.Turn{say}}
	_, err = structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{Mode: structured.ModeJSON})
	require.NoError(t, err)
	assert.True(t, next.Calls()[0].Options.JSONMode)

	next = &modeltest.Script{Turns: []modeltest.Turn{
		{Chunks: modeltest.CallTool(0, "c1", "city", `{"name": ""}`)},
		{Chunks: modeltest.CallTool(0, "c2", "city", `{"name": "Oslo", "people": 5}`)},
	}}
	var partial []string
	r, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{Mode: structured.ModeTool, OnPartial: func(_ context.Context, c city) error {
		partial = append(partial, c.Name)
		return nil
	}})
	require.NoError(t, err)
	assert.Equal(t, 5, r.Value.People)
	assert.Equal(t, []string{"", "Oslo"}, partial)
	second := next.Calls()[1]
	assert.Equal(t, "city", second.Options.Tools[0].Function.Name)
	require.Len(t, second.Messages, 3)
	assert.Equal(t, "c1", second.Messages[2].Parts[0].(llms.ToolCallResponse).ToolCallID)
}

func TestPartialValuesOnlyGrow(t *testing.T) {
	var chunks []modeltest.Chunk
	for _, r := range `Sure: {"name": "Oslo", "people": 717710}` {
		chunks = append(chunks, modeltest.Chunk{Text: string(r)})
	}
	next := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: append([]modeltest.Chunk{{Reasoning: `{"name": "Rome"`}}, chunks...)}}}
	var got []city
	heard := ""
	r, err := structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{OnPartial: func(_ context.Context, c city) error {
		got = append(got, c)
		return nil
	}}, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard += string(chunk); return nil }))
	require.NoError(t, err)
	assert.Equal(t, []city{{}, {}, {Name: "O"}, {Name: "Os"}, {Name: "Osl"}, {Name: "Oslo"}, {"Oslo", 717710}}, got)
	assert.Equal(t, r.Value, got[len(got)-1])
	assert.Contains(t, heard, "Sure")

	enough := errors.New("enough")
	next = &modeltest.Script{Turns: []modeltest.Turn{{Chunks: chunks}}}
	_, err = structured.Generate(t.Context(), next, ask("x"), &structured.Options[city]{OnPartial: func(context.Context, city) error { return enough }})
	assert.ErrorIs(t, err, enough)
}

// A value from a model, or why there is none.
func ExampleGenerate() {
	type Invoice struct {
		Number string  `json:"number" schema:"pattern=^INV-[0-9]+$"`
		Total  float64 `json:"total" schema:"minimum=0"`
	}
	model := &modeltest.Script{Turns: []modeltest.Turn{
		modeltest.Say("Sure!\n```json\n{'number': '4711', 'total': 12.50,}\n```"),
		modeltest.Say(`{"number": "INV-4711", "total": 12.50}`),
	}}
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Read this invoice: No. 4711, twelve fifty.")}
	r, err := structured.Generate[Invoice](context.Background(), model, messages, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Attempts[0].Err)
	fmt.Printf("%+v after %d attempts\n", r.Value, len(r.Attempts))
	// Output:
	// structured: the value doesn't fit its schema
	// - /number is "4711", but must match the pattern ^INV-[0-9]+$
	// {Number:INV-4711 Total:12.5} after 2 attempts
}

// What models write, and what they mean.
func ExampleRepair() {
	for _, text := range []string{
		"Here you are:\n```json\n{\"a\": 1,}\n```",
		`{name: 'Ana', ok: True, said: "she said "hi" to me"}`,
		`{"list": [1, 2, {"x": "unfinis`,
	} {
		v, err := structured.Repair(text)
		fmt.Println(string(v.JSON), v.Cut, err)
	}
	// Output:
	// {"a":1} false <nil>
	// {"name":"Ana","ok":true,"said":"she said \"hi\" to me"} false <nil>
	// {"list":[1,2,{"x":"unfinis"}]} true <nil>
}

// A schema from elsewhere, such as pydantic's model_json_schema().
func ExampleParseSchema() {
	schema, err := structured.ParseSchema([]byte(`{"title": "Point", "type": "object",
		"properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}, "required": ["x", "y"]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(schema.Validate([]byte(`{"x": 1.5}`)))
	// Output:
	// structured: the value doesn't fit its schema
	// - /y is missing, but required
	// - /x is the number 1.5, but must be an integer
}

func TestInvalidOptions(t *testing.T) {
	next := &modeltest.Script{}
	_, err := structured.Generate[city](t.Context(), nil, nil, nil)
	require.ErrorIs(t, err, structured.ErrOption)
	for want, o := range map[string]structured.Options[city]{
		"Options.MaxAttempts is -1": {MaxAttempts: -1}, "Options.MaxTokens is -1": {MaxTokens: -1},
		"Options.Mode is 4": {Mode: 4}, "Options.Schema is the zero Schema": {Schema: &structured.Schema{}},
	} {
		_, err := structured.Generate(t.Context(), next, nil, &o)
		require.ErrorIs(t, err, structured.ErrOption)
		assert.ErrorContains(t, err, want)
	}
	assert.Empty(t, next.Calls())
}
