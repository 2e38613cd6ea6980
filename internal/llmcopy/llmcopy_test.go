package llmcopy

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestMessages(t *testing.T) {
	fresh := func() []llms.MessageContent {
		return []llms.MessageContent{{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{
			llms.TextContent{Text: "a"}, llms.BinaryContent{Data: []byte("b")},
			llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f"}}, llms.ToolCall{ID: "2"},
		}}, {Role: llms.ChatMessageTypeHuman}}
	}
	from := fresh()
	got := Messages(from)
	require.Equal(t, fresh(), got)
	from[0].Parts[1].(llms.BinaryContent).Data[0] = 'x'
	from[0].Parts[2].(llms.ToolCall).FunctionCall.Name = "x"
	from[0].Parts[0] = nil
	require.Equal(t, fresh(), got)
	require.Nil(t, Messages(nil))
}

func TestResponse(t *testing.T) {
	fresh := func() *llms.ContentResponse {
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{nil, {Content: "a"}, {
			FuncCall:  &llms.FunctionCall{Name: "f"},
			ToolCalls: []llms.ToolCall{{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f"}}, {ID: "2"}},
			GenerationInfo: map[string]any{
				"map": map[string]any{"a": 1}, "list": []any{[]any{1}}, "words": []string{"a"}, "bytes": []byte("a"),
			},
		}}}
	}
	from := fresh()
	got := Response(from)
	require.Equal(t, fresh(), got)
	c := from.Choices[2]
	c.FuncCall.Name, c.ToolCalls[0].FunctionCall.Name, c.ToolCalls[1].ID = "x", "x", "x"
	c.GenerationInfo["map"].(map[string]any)["a"] = 2
	c.GenerationInfo["list"].([]any)[0].([]any)[0] = 2
	c.GenerationInfo["words"].([]string)[0], c.GenerationInfo["bytes"].([]byte)[0] = "x", 'x'
	from.Choices[1].Content, from.Choices[0] = "x", c
	require.Equal(t, fresh(), got)
	require.Nil(t, Response(&llms.ContentResponse{}).Choices)
}
