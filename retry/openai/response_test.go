package openai

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/usage"
)

// TestNothingMergesWithoutAnIndex: the parts of a whole answer are apart by
// their place in it, whether or not the server numbers them.
func TestNothingMergesWithoutAnIndex(t *testing.T) {
	const body = `{"choices":[
		{"message":{"tool_calls":[{"function":{"name":"f","arguments":"1"}},{"function":{"name":"g","arguments":"2"}}]},"finish_reason":"tool_calls"},
		{"message":{"content":"b"},"finish_reason":"stop"}]}`
	m := saying{200, body, nil}.model(t, Options{})
	for _, options := range [][]llms.CallOption{nil, {toStream}} {
		r, err := m.GenerateContent(t.Context(), ask("q"), options...)
		require.NoError(t, err)
		require.Len(t, r.Choices, 2)
		require.Len(t, r.Choices[0].ToolCalls, 2)
		require.Equal(t, llms.FunctionCall{Name: "g", Arguments: "2"}, *r.Choices[0].ToolCalls[1].FunctionCall)
		require.Equal(t, "b", r.Choices[1].Content)
	}
}

func TestCountsInAnyNumberForm(t *testing.T) {
	answer := func(usage string) saying {
		return saying{200, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":` + usage + `}`, nil}
	}
	r, err := answer(`{"prompt_tokens":27.0,"completion_tokens":1e1,"total_tokens":null,"prompt_tokens_details":null}`).model(t, Options{}).GenerateContent(t.Context(), ask("q"))
	require.NoError(t, err)
	u, err := usage.Of(r)
	require.NoError(t, err)
	require.Equal(t, usage.Tokens{Input: 27, Output: 10}, u)
	for _, odd := range []string{`{"prompt_tokens":1.5}`, `{"prompt_tokens":"many"}`, `[]`, `{"prompt_tokens":1e300}`, `null`} {
		r, err := answer(odd).model(t, Options{}).GenerateContent(t.Context(), ask("q"))
		require.NoError(t, err, "the answer is worth more than its bill")
		require.NotContains(t, r.Choices[0].GenerationInfo, "PromptTokens", odd)
	}
}

// TestOpeningChunkIsNoPart: a stream that broke after its first chunk had no text
// yet, and may be tried again.
func TestOpeningChunkIsNoPart(t *testing.T) {
	_, err := saying{200, "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n", eventStream}.model(t, Options{}).Call(t.Context(), "q", toStream)
	e := new(Error)
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, ErrIncompleteStream)
	require.Nil(t, e.Partial())
}

func TestEmptyEventsAreSkipped(t *testing.T) {
	answer, err := saying{200, "data:\n\ndata: \n\n" + streamedAnswer, eventStream}.model(t, Options{}).Call(t.Context(), "q", toStream)
	require.NoError(t, err)
	require.Equal(t, "a", answer)
}

// TestFunctionCallsOfOldAreHeard: as the tool deltas that replaced them.
func TestFunctionCallsOfOldAreHeard(t *testing.T) {
	const stream = "data: {\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"f\",\"arguments\":\"{\"}}}]}\n\n" +
		"data: {\"choices\":[{\"delta\":{\"function_call\":{\"arguments\":\"}\"}},\"finish_reason\":\"function_call\"}]}\n\n"
	var heard []string
	r, err := saying{200, stream, http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}}.model(t, Options{}).GenerateContent(t.Context(), ask("q"),
		llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			require.Equal(t, delta.Delta{Kind: delta.Tool}, delta.From(ctx))
			heard = append(heard, string(chunk))
			return nil
		}))
	require.NoError(t, err)
	require.Equal(t, []string{
		`[{"index":0,"type":"function","function":{"name":"f","arguments":"{"}}]`,
		`[{"index":0,"type":"function","function":{"arguments":"}"}}]`,
	}, heard)
	require.Equal(t, llms.FunctionCall{Name: "f", Arguments: "{}"}, *r.Choices[0].FuncCall)
}

func TestVectorsOfASet(t *testing.T) {
	embed := func(body string) ([][]float32, error) {
		e, err := NewEmbedder("m", &Options{HTTPClient: &http.Client{Transport: saying{200, body, nil}}, Dimensions: 1})
		require.NoError(t, err)
		return e.EmbedDocuments(t.Context(), []string{"a", "b"})
	}
	got, err := embed(`{"data":[{"embedding":[1]},{"embedding":[2]}]}`)
	require.NoError(t, err, "without an index the order is that of the texts")
	require.Equal(t, [][]float32{{1}, {2}}, got)
	got, err = embed(`{"id":7,"model":{},"data":[{"index":1.0,"embedding":[2]},{"index":"0","embedding":[1]}],"error":{}}`)
	require.NoError(t, err, "foreign types in fields that aren't used")
	require.Equal(t, [][]float32{{1}, {2}}, got)
	_, err = embed(`{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`)
	require.ErrorIs(t, err, ErrMalformed)
}

func TestDimensionsAreSentWhenSet(t *testing.T) {
	for n, want := range map[int]string{0: "", 256: `"dimensions":256,`} {
		var sent string
		e, err := NewEmbedder("m", &Options{Dimensions: n, HTTPClient: &http.Client{Transport: tap(func(body []byte) { sent = string(body) })}})
		require.NoError(t, err)
		_, err = e.EmbedQuery(t.Context(), "q")
		require.ErrorIs(t, err, ErrMalformed)
		require.Equal(t, `{`+want+`"encoding_format":"base64","input":["q"],"model":"m"}`+"\n", sent)
	}
}
