package cache

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// FuzzEntryJSON: an answer comes back from JSON as it went in, whatever its text
// is.
func FuzzEntryJSON(f *testing.F) {
	f.Add("Within 30 days.", "stop", "book", `{"n":1}`, "because", int64(7))
	f.Add("\xff\u2028<b>\x00", "", "\xfe", "\xfd{", "", int64(-1))
	f.Fuzz(func(t *testing.T, content, stop, name, arguments, reasoning string, n int64) {
		n %= 1 << 53
		in := &Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{
			Content: content, StopReason: stop, ReasoningContent: reasoning, GenerationInfo: map[string]any{"n": int(n), "list": []any{"a", 1.5, true, nil}},
			FuncCall:  &llms.FunctionCall{Name: name, Arguments: arguments},
			ToolCalls: []llms.ToolCall{{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments}}, {ID: "2"}},
		}, {Content: "second"}}},
			Stream: &Recording{Text: true, Chunks: []Chunk{{Data: []byte(content)}}}, Model: "m"}
		data, err := json.Marshal(in)
		require.NoError(t, err)
		out := new(Entry)
		require.NoError(t, json.Unmarshal(data, out))
		require.Equal(t, in.Response, out.Response)
		require.Equal(t, in.Model, out.Model)
		if content != "" {
			require.Equal(t, in.Stream, out.Stream)
		}
	})
}
