package openai

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestContentAsAList: the answers of Mistral's reasoning models, whole and
// streamed, whose content is a list where they think and a string where they
// don't.
func TestContentAsAList(t *testing.T) {
	const (
		whole = `{"choices":[{"index":0,"message":{"role":"assistant","content":[
			{"type":"thinking","thinking":[{"type":"text","text":"Let me "},{"type":"text","text":"think."}],"closed":true},
			{"type":"text","text":"It is "},{"type":"reference","reference_ids":[3]},{"type":"text","text":"42."}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":5}}`
		streamed = `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}

data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Let me "}]}]}}]}

data: {"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"think."}]}]}}]}

data: {"choices":[{"index":0,"delta":{"content":"It is "}}]}

data: {"choices":[{"index":0,"delta":{"content":[{"type":"reference","reference_ids":[3]}]}}]}

data: {"choices":[{"index":0,"delta":{"content":"42."},"finish_reason":"stop"}],"usage":{"prompt_tokens":5}}

data: [DONE]

`
	)
	for name, s := range map[string]saying{"whole": {200, whole, nil}, "streamed": {200, streamed, eventStream}} {
		var h heard
		r, err := s.model(t, Options{}).GenerateContent(t.Context(), ask("q"), h.options()...)
		require.NoError(t, err, name)
		c := r.Choices[0]
		require.Equal(t, "It is 42.", c.Content, name)
		require.Equal(t, "Let me think.", c.ReasoningContent, name)
		require.Equal(t, 5, c.GenerationInfo["PromptTokens"], name)
		require.Equal(t, []any{map[string]any{"type": "reference", "reference_ids": []any{3.0}}}, c.GenerationInfo["ContentParts"], name)
		if name == "streamed" {
			require.Equal(t, []string{"It is ", "42."}, h.text)
			require.Equal(t, []string{"Let me ", "think."}, h.thought)
		}
	}
}

func TestContentThatIsNoContent(t *testing.T) {
	for _, content := range []string{`[1]`, `["text"]`, `[{"type":"text","text":[]}]`, `[{"type":"thinking","thinking":"flat"}]`, `{}`, `7`, `[{"type":"text","text":"a"}],"tool_calls":3`} {
		_, err := saying{200, `{"choices":[{"message":{"content":` + content + `},"finish_reason":"stop"}]}`, nil}.model(t, Options{}).Call(t.Context(), "q")
		require.ErrorIs(t, err, ErrMalformed, content)
	}
}

// FuzzContent: a text means the same as a list that contains it, in one part or in
// two.
func FuzzContent(f *testing.F) {
	f.Add("It is 42.", 3)
	f.Add("", 0)
	f.Add("é\x00\"", 1)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		plain, err := json.Marshal(text)
		require.NoError(t, err)
		var want completion
		require.NoError(t, decode([]byte(`{"id":"x","choices":[{"index":2,"delta":{"content":`+string(plain)+`},"finish_reason":"stop"}]}`), &want))
		text = *want.Choices[0].Delta.Content // as JSON has it
		runes := []rune(text)
		cut = min(max(cut, 0), len(runes))
		list, err := json.Marshal([]contentPart{{Type: "text", Text: string(runes[:cut])}, {Type: "text", Text: string(runes[cut:])}})
		require.NoError(t, err)
		var got completion
		require.NoError(t, decode([]byte(`{"id":"x","choices":[{"index":2,"delta":{"content":`+string(list)+`},"finish_reason":"stop"}]}`), &got))
		require.Equal(t, want, got)
	})
}
