package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/usage"
)

var (
	_ llms.ReasoningModel       = (*Model)(nil)
	_ embeddings.Embedder       = (*Embedder)(nil)
	_ embeddings.EmbedderClient = (*Embedder)(nil)
)

func ask(text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)}
}

// isAnswer reports whether a chunk is text of the first choice.
func isAnswer(ctx context.Context) bool {
	return delta.From(ctx) == delta.Delta{Kind: delta.Text}
}

// serve starts a server in memory and returns a model that uses it.
func serve(t testing.TB, o Options, replies ...modeltest.Reply) (*Model, *modeltest.Server) {
	t.Helper()
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: replies})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	o.BaseURL, o.HTTPClient = s.URL+"/v1", s.Client()
	m, err := New("scripted-1", &o)
	require.NoError(t, err)
	return m, s
}

// The streaming functions append their arguments here.
type heard struct {
	text, thought []string
	kinds         []delta.Delta
}

func (h *heard) options() []llms.CallOption {
	return []llms.CallOption{
		llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			h.text = append(h.text, string(chunk))
			h.kinds = append(h.kinds, delta.From(ctx))
			return nil
		}),
		llms.WithStreamingReasoningFunc(func(_ context.Context, thought, _ []byte) error {
			if len(thought) > 0 {
				h.thought = append(h.thought, string(thought))
			}
			return nil
		}),
	}
}

func TestAnswerPlainAndStreamed(t *testing.T) {
	turn := modeltest.Turn{Chunks: append([]modeltest.Chunk{{Reasoning: "hm"}}, modeltest.Words("one two three")...), Usage: &modeltest.Usage{Prompt: 9, Completion: 4, Cached: 2, Reasoning: 1}}
	m, s := serve(t, Options{}, modeltest.Reply{Turn: turn}, modeltest.Reply{Turn: turn})
	r, err := m.GenerateContent(t.Context(), ask("q"))
	require.NoError(t, err)
	var h heard
	streamed, err := m.GenerateContent(t.Context(), ask("q"), h.options()...)
	require.NoError(t, err)
	for _, r := range []*llms.ContentResponse{r, streamed} {
		c := r.Choices[0]
		require.Equal(t, []string{"one two three", "stop", "hm"}, []string{c.Content, c.StopReason, c.ReasoningContent})
		u, err := usage.Of(r)
		require.NoError(t, err)
		require.Equal(t, usage.Tokens{Input: 9, Output: 4, CacheRead: 2, Reasoning: 1}, u)
		require.NotEmpty(t, c.GenerationInfo["ID"])
		require.Equal(t, "scripted-1", c.GenerationInfo["Model"])
		require.Equal(t, "hm", c.GenerationInfo["ThinkingContent"])
	}
	require.Equal(t, "one two three", strings.Join(h.text, ""))
	require.Greater(t, len(h.text), 1, "chunk by chunk")
	require.Equal(t, []string{"hm"}, h.thought)
	require.Equal(t, delta.Delta{Kind: delta.Text}, h.kinds[0])
	require.False(t, s.Requests()[0].Stream)
	require.True(t, s.Requests()[1].IncludeUsage)
}

func TestUnsetOptionsStayUnset(t *testing.T) {
	sent := func(o Options, options ...llms.CallOption) map[string]any {
		t.Helper()
		m, s := serve(t, o, modeltest.Reply{Turn: modeltest.Say("x")})
		_, err := m.GenerateContent(t.Context(), ask("q"), options...)
		require.NoError(t, err)
		var body map[string]any
		require.NoError(t, s.Requests()[0].Decode(&body))
		delete(body, "messages")
		return body
	}
	require.Equal(t, map[string]any{"model": "scripted-1"}, sent(Options{}))
	require.Equal(t, map[string]any{"model": "scripted-1", "temperature": 0.0, "seed": 0.0, "top_p": 0.25},
		sent(Options{}, llms.WithTemperature(0), llms.WithSeed(0), llms.WithTopP(0.25)))
	require.Equal(t, map[string]any{"model": "o3-mini", "max_completion_tokens": 5.0}, sent(Options{}, llms.WithModel("o3-mini"), llms.WithMaxTokens(5)))
	require.Equal(t, map[string]any{"model": "scripted-1", "max_tokens": 5.0}, sent(Options{}, llms.WithMaxTokens(5)))
	require.Equal(t, map[string]any{"model": "scripted-1", "max_completion_tokens": 5.0}, sent(Options{TokensField: TokensFieldMaxCompletionTokens}, llms.WithMaxTokens(5)))
	require.Equal(t, map[string]any{"model": "o1", "max_tokens": 5.0}, sent(Options{TokensField: TokensFieldMaxTokens}, llms.WithModel("o1"), llms.WithMaxTokens(5)))
	require.Equal(t, map[string]any{"model": "scripted-1", "n": 2.0, "frequency_penalty": 0.5, "presence_penalty": -0.5, "top_k": 4.0, "repetition_penalty": 1.5, "stop": []any{"a"},
		"response_format": map[string]any{"type": "json_object"}, "reasoning_effort": "low"},
		sent(Options{}, llms.WithN(2), llms.WithFrequencyPenalty(0.5), llms.WithPresencePenalty(-0.5), llms.WithTopK(4), llms.WithRepetitionPenalty(1.5), llms.WithStopWords([]string{"a"}),
			llms.WithJSONMode(), llms.WithThinkingMode(llms.ThinkingModeLow)))
	format := map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "x"}}
	require.Equal(t, map[string]any{"model": "scripted-1", "logprobs": true, "top_logprobs": 3.0, "response_format": format, "temperature": 0.5},
		sent(Options{}, llms.WithTemperature(0.1), llms.WithMetadata(map[string]any{"trace_id": "x", MetadataResponseFormat: format,
			MetadataExtra: map[string]any{"logprobs": true, "top_logprobs": 3, "temperature": 0.5}})))
	tool := llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: "f", Parameters: map[string]any{"type": "object"}}}
	require.Equal(t, map[string]any{"model": "scripted-1", "tool_choice": "required",
		"tools": []any{map[string]any{"type": "function", "function": map[string]any{"name": "f", "description": "", "parameters": map[string]any{"type": "object"}}}}},
		sent(Options{}, llms.WithTools([]llms.Tool{tool}), llms.WithToolChoice("required")))
	require.Equal(t, map[string]any{"model": "scripted-1", "tool_choice": map[string]any{"type": "function", "function": map[string]any{"name": "f"}},
		"functions": []any{map[string]any{"name": "g", "description": ""}}, "function_call": "none"},
		sent(Options{}, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "f"}}),
			llms.WithFunctions([]llms.FunctionDefinition{{Name: "g"}}), llms.WithFunctionCallBehavior(llms.FunctionCallBehaviorNone)))
}

func TestMessagesOfEveryKind(t *testing.T) {
	m, s := serve(t, Options{}, modeltest.Reply{Turn: modeltest.Say("x")})
	_, err := m.GenerateContent(t.Context(), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "sys"),
		llms.TextParts("developer", "dev"),
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("<look> & see"), llms.ImageURLWithDetailPart("http://x/y.png", "low"),
			llms.BinaryPart("image/png", []byte{1, 2}), llms.BinaryPart("audio/wav", []byte{3}), llms.WithCacheControl(llms.TextPart("c"), &llms.CacheControl{Type: "ephemeral"})}},
		{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "1", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}, llms.ToolCall{ID: "2", Type: "function"}}},
		{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "1", Name: "f", Content: "r1"}, llms.ToolCallResponse{ToolCallID: "2", Content: "r2"}}},
		{Role: llms.ChatMessageTypeAI},
	})
	require.NoError(t, err)
	var body struct{ Messages json.RawMessage }
	require.NoError(t, s.Requests()[0].Decode(&body))
	require.JSONEq(t, `[
		{"role":"system","content":"sys"},{"role":"developer","content":"dev"},
		{"role":"user","content":[{"type":"text","text":"<look> & see"},{"type":"image_url","image_url":{"url":"http://x/y.png","detail":"low"}},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,AQI="}},{"type":"input_audio","input_audio":{"data":"Aw==","format":"wav"}},{"type":"text","text":"c"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","type":"function","function":{"name":"","arguments":""}}]},
		{"role":"tool","content":"r1","tool_call_id":"1","name":"f"},{"role":"tool","content":"r2","tool_call_id":"2"},
		{"role":"assistant","content":""}]`, string(body.Messages))
	require.Contains(t, string(body.Messages), "<look> &", "as it is, not escaped for HTML")
}

func TestAllChoicesAndInterleavedTools(t *testing.T) {
	chunks := []modeltest.Chunk{{Text: "a"}, {Choice: 1, Text: "x"}, {Text: "b"}, {Choice: 1, Text: "y"}}
	m, _ := serve(t, Options{}, modeltest.Reply{Turn: modeltest.Turn{Chunks: chunks}})
	var h heard
	r, err := m.GenerateContent(t.Context(), ask("q"), append(h.options()[:1], llms.WithN(2))...)
	require.NoError(t, err)
	require.Equal(t, []string{"ab", "xy"}, []string{r.Choices[0].Content, r.Choices[1].Content})
	require.Equal(t, []string{"a", "x", "b", "y"}, h.text)
	require.Equal(t, []int{0, 1, 0, 1}, []int{h.kinds[0].Choice, h.kinds[1].Choice, h.kinds[2].Choice, h.kinds[3].Choice})

	one, two := modeltest.CallTool(0, "id1", "f", `{"a":1}`), modeltest.CallTool(1, "id2", "g", `{"b":2}`)
	var mixed []modeltest.Chunk
	for i := range max(len(one), len(two)) {
		if i < len(one) {
			mixed = append(mixed, one[i])
		}
		if i < len(two) {
			mixed = append(mixed, two[i])
		}
	}
	m, _ = serve(t, Options{}, modeltest.Reply{Turn: modeltest.Turn{Chunks: mixed}})
	h = heard{}
	r, err = m.GenerateContent(t.Context(), ask("q"), h.options()[0])
	require.NoError(t, err)
	require.Equal(t, []llms.ToolCall{
		{ID: "id1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: `{"a":1}`}},
		{ID: "id2", Type: "function", FunctionCall: &llms.FunctionCall{Name: "g", Arguments: `{"b":2}`}},
	}, r.Choices[0].ToolCalls)
	require.Equal(t, "f", r.Choices[0].FuncCall.Name)
	require.Equal(t, "tool_calls", r.Choices[0].StopReason)
	for i, k := range h.kinds {
		require.Equal(t, delta.Tool, k.Kind)
		require.True(t, json.Valid([]byte(h.text[i])), h.text[i])
	}
}

// TestToolDeltasWithoutIndex: some engines leave it out.
func TestToolDeltasWithoutIndex(t *testing.T) {
	line := func(delta string) modeltest.Event {
		return modeltest.Event{Data: `data: {"choices":[{"index":0,"delta":` + delta + `}]}` + "\n\n"}
	}
	m, _ := serve(t, Options{}, modeltest.Reply{Events: []modeltest.Event{
		line(`{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]}`), line(`{"tool_calls":[{"function":{"arguments":"}"}}]}`),
		line(`{"tool_calls":[{"id":"b","function":{"name":"g","arguments":"[]"}}]}`),
		{Data: "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\r\n\r\ndata: [DONE]\r\n\r\n"},
	}})
	r, err := m.GenerateContent(t.Context(), ask("q"), (&heard{}).options()[0])
	require.NoError(t, err)
	require.Len(t, r.Choices[0].ToolCalls, 2)
	require.Equal(t, "{}", r.Choices[0].ToolCalls[0].FunctionCall.Arguments)
	require.Equal(t, "[]", r.Choices[0].ToolCalls[1].FunctionCall.Arguments)
}

func TestLogprobsRefusalAndFingerprint(t *testing.T) {
	edit := func(o map[string]any) {
		o["system_fingerprint"], o["service_tier"] = "fp", "flex"
		for _, raw := range o["choices"].([]any) {
			c := raw.(map[string]any)
			c["logprobs"] = map[string]any{"content": []any{map[string]any{"token": "t"}}, "refusal": nil}
		}
	}
	reply := modeltest.Reply{Turn: modeltest.Turn{Chunks: modeltest.Words("one two")}, Edit: edit}
	m, _ := serve(t, Options{}, reply, reply)
	for _, options := range [][]llms.CallOption{nil, (&heard{}).options()[:1]} {
		r, err := m.GenerateContent(t.Context(), ask("q"), options...)
		require.NoError(t, err)
		info := r.Choices[0].GenerationInfo
		require.Equal(t, []any{"fp", "flex"}, []any{info["SystemFingerprint"], info["ServiceTier"]})
		list := info["Logprobs"].(map[string]any)["content"].([]any)
		require.NotEmpty(t, list)
		require.Equal(t, map[string]any{"token": "t"}, list[len(list)-1])
	}
	refusal := `{"choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":"I won't"},"finish_reason":"stop"}]}`
	m, _ = serve(t, Options{}, modeltest.Reply{Body: []byte(refusal)})
	r, err := m.GenerateContent(t.Context(), ask("q"))
	require.NoError(t, err)
	require.Equal(t, "I won't", r.Choices[0].GenerationInfo["Refusal"])
	_, err = usage.Of(r)
	require.ErrorIs(t, err, usage.ErrUnknown, "no usage was sent")
}

// TestFaults is the table of what langchaingo v0.1.14's client takes for a
// success, or reports as a text without status, type or cause, and of its
// neighbours.
func TestFaults(t *testing.T) {
	half := modeltest.Turn{Chunks: modeltest.Words("half an answer")}
	event := func(s string) []modeltest.Event { return []modeltest.Event{{Data: s}} }
	long := strings.Repeat("x", 100_000)
	for name, c := range map[string]struct {
		reply   modeltest.Reply
		plain   bool
		is      []error
		status  int
		code    string
		partial bool
		ask     func(error) bool
	}{
		"error event mid-stream":  {reply: modeltest.Reply{Turn: half, StreamError: &modeltest.APIError{Message: "m", Type: "server_error", Code: "overloaded"}}, is: []error{ErrInBand}, status: 200, code: "overloaded", partial: true},
		"stream without its end":  {reply: modeltest.Reply{Turn: half, NoFinish: true, NoDone: true}, is: []error{ErrIncompleteStream}, status: 200, partial: true},
		"[DONE] after a cut":      {reply: modeltest.Reply{Turn: half, NoFinish: true}, is: []error{ErrIncompleteStream}, status: 200, partial: true},
		"cut connection":          {reply: modeltest.Reply{Turn: half, CutAfter: 2}, is: []error{ErrIncompleteStream, io.ErrUnexpectedEOF}, status: 200, partial: true},
		"empty stream":            {reply: modeltest.Reply{Events: event("data: [DONE]\n\n")}, is: []error{ErrEmpty}, status: 200},
		"nothing at all":          {reply: modeltest.Reply{Events: event("")}, is: []error{ErrIncompleteStream, ErrEmpty}, status: 200},
		"broken JSON line":        {reply: modeltest.Reply{Events: event("data: {\"choices\":[{\n\ndata: [DONE]\n\n")}, is: []error{ErrMalformed}, status: 200},
		"cut within a line":       {reply: modeltest.Reply{Events: event("data: {\"choi")}, is: []error{ErrIncompleteStream, io.ErrUnexpectedEOF}, status: 200},
		"line over the limit":     {reply: modeltest.Reply{Events: event("data: {\"x\":\"" + long + "\"}\n\n")}, is: []error{ErrTooLarge}, status: 200},
		"error with another name": {reply: modeltest.Reply{Events: event("event: error\ndata: boom\n\n")}, is: []error{ErrInBand}, status: 200},
		"JSON error for a stream": {reply: modeltest.Reply{Body: []byte(`{"error":{"message":"m","code":429}}`)}, is: []error{ErrInBand}, status: 429, code: "429", ask: llms.IsRateLimitError},

		"empty 200":            {plain: true, reply: modeltest.Reply{Body: []byte{}}, is: []error{ErrEmpty}, status: 200},
		"no choice":            {plain: true, reply: modeltest.Reply{Body: []byte(`{"choices":[]}`)}, is: []error{ErrEmpty}, status: 200},
		"malformed 200":        {plain: true, reply: modeltest.Reply{Body: []byte(`<html>`)}, is: []error{ErrMalformed}, status: 200},
		"cut body":             {plain: true, reply: modeltest.Reply{Turn: half, CutBody: 20}, is: []error{io.ErrUnexpectedEOF}, status: 200},
		"error within a 200":   {plain: true, reply: modeltest.Reply{Body: []byte(`{"error":{"message":"no room","type":"overloaded_error"}}`)}, is: []error{ErrInBand}, status: 200},
		"body over the limit":  {plain: true, reply: modeltest.Reply{Body: []byte(`{"x":"` + long + `"}`)}, is: []error{ErrTooLarge}, status: 200},
		"dropped":              {plain: true, reply: modeltest.Reply{Drop: true}, is: []error{io.EOF}},
		"rate limit":           {plain: true, reply: modeltest.Reply{Error: modeltest.RateLimited(3 * time.Second)}, status: 429, code: "rate_limit_exceeded", ask: llms.IsRateLimitError},
		"quota":                {plain: true, reply: modeltest.Reply{Error: modeltest.OutOfQuota()}, status: 429, code: "insufficient_quota", ask: llms.IsQuotaExceededError},
		"context length":       {plain: true, reply: modeltest.Reply{Error: modeltest.ContextTooLong(8192, 9000)}, status: 400, code: "context_length_exceeded", ask: llms.IsTokenLimitError},
		"overloaded":           {plain: true, reply: modeltest.Reply{Error: modeltest.Overloaded()}, status: 503, code: "", ask: llms.IsProviderUnavailableError},
		"FastAPI's detail":     {plain: true, reply: modeltest.Reply{Status: 422, Body: []byte(`{"detail":[{"loc":["body"],"msg":"m"}]}`)}, status: 422, ask: llms.IsInvalidRequestError},
		"a proxy's page":       {plain: true, reply: modeltest.Reply{Status: 502, Body: []byte("<html>\n<b>bad</b></html>"), Header: http.Header{"Content-Type": {"text/html"}}}, status: 502, ask: llms.IsProviderUnavailableError},
		"error as a string":    {plain: true, reply: modeltest.Reply{Status: 404, Body: []byte(`{"error":"model not found"}`)}, status: 404},
		"an int as code":       {plain: true, reply: modeltest.Reply{Status: 400, Body: []byte(`{"error":{"message":"m","code":400}}`)}, status: 400, code: "400"},
		"old vLLM":             {plain: true, reply: modeltest.Reply{Status: 400, Body: []byte(`{"object":"error","message":"m","type":"BadRequestError","code":400}`)}, status: 400, code: "400"},
		"Azure content filter": {plain: true, reply: modeltest.Reply{Status: 400, Body: []byte(`{"error":{"message":"m","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`)}, status: 400, code: "content_filter", ask: llms.IsContentFilterError},
		"no body":              {plain: true, reply: modeltest.Reply{Status: 500, Body: []byte{}}, status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			m, s := serve(t, Options{MaxLineBytes: 50_000, MaxBodyBytes: 90_000, APIKey: "sk-secret-key"}, c.reply)
			options := (&heard{}).options()[:1]
			if c.plain {
				options = nil
			}
			_, err := m.GenerateContent(t.Context(), ask("q"), options...)
			e := new(Error)
			require.ErrorAs(t, err, &e)
			for _, want := range c.is {
				require.ErrorIs(t, err, want)
			}
			require.Equal(t, c.status, e.HTTPStatus())
			if c.code != "" {
				require.Equal(t, c.code, e.Code())
			}
			require.Equal(t, c.partial, e.Partial() != nil)
			if c.partial {
				require.NotEmpty(t, e.Partial().Choices[0].Content)
				require.True(t, strings.HasPrefix("half an answer", e.Partial().Choices[0].Content))
			}
			require.NotEmpty(t, err.Error())
			require.NotContains(t, err.Error(), "secret")
			var provider *llms.Error
			require.ErrorAs(t, err, &provider)
			if c.ask != nil {
				require.True(t, c.ask(err), provider.Code)
			}
			require.Len(t, s.Requests(), 1)
		})
	}
}

func TestEndsThatAreGood(t *testing.T) {
	for name, reply := range map[string]modeltest.Reply{
		"no [DONE]":              {Turn: modeltest.Say("fine"), NoDone: true},
		"no usage":               {Turn: modeltest.Say("fine"), NoUsage: true},
		"comments between":       {Turn: modeltest.Say("fine"), KeepAlive: true},
		"no blank line at last":  {Events: []modeltest.Event{{Data: "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"fine\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]"}}},
		"CR, a BOM, two lines":   {Events: []modeltest.Event{{Data: "\ufeffdata: {\"choices\":[{\"index\":0,\rdata:\"delta\":{\"content\":\"fine\"},\"finish_reason\":\"stop\"}]}\r\rdata: [DONE]\r\r"}}},
		"whole, though streamed": {Body: []byte(`{"choices":[{"index":0,"message":{"content":"fine"},"finish_reason":"stop"}]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := serve(t, Options{}, reply)
			var h heard
			r, err := m.GenerateContent(t.Context(), ask("q"), h.options()[0])
			require.NoError(t, err)
			require.Equal(t, "fine", r.Choices[0].Content)
			require.Equal(t, "fine", strings.Join(h.text, ""))
		})
	}
}

func TestALineOfTenMegabytes(t *testing.T) {
	text := strings.Repeat("y", 10<<20)
	m, _ := serve(t, Options{}, modeltest.Reply{Turn: modeltest.Turn{Chunks: []modeltest.Chunk{{Text: text}}}})
	r, err := m.GenerateContent(t.Context(), ask("q"), (&heard{}).options()[0])
	require.NoError(t, err)
	require.Len(t, r.Choices[0].Content, len(text))
}

func TestWhatTheServerSaidIsKept(t *testing.T) {
	h := http.Header{"X-Request-Id": {"req-1"}, "X-Ratelimit-Remaining-Tokens": {"0"}, "Retry-After": {"7"}}
	m, _ := serve(t, Options{APIKey: "sk-secret-key"}, modeltest.Reply{Status: 429, Header: h, Body: []byte(`{"error":{"message":"key sk-secret-key is slow","type":"requests","code":"rate_limit_exceeded","param":"p"}}`)})
	_, err := m.Call(t.Context(), "q")
	e := new(Error)
	require.ErrorAs(t, err, &e)
	require.Equal(t, []string{"rate_limit_exceeded", "requests", "p", "req-1", "0"}, []string{e.Code(), e.Type(), e.Param(), e.RequestID(), e.Header().Get("X-Ratelimit-Remaining-Tokens")})
	d, ok := e.RetryAfter()
	require.True(t, ok)
	require.Equal(t, 7*time.Second, d)
	require.Equal(t, "key [key] is slow", e.Message())
	require.NotContains(t, string(e.Body()), "secret")
	require.Equal(t, "openai: status 429: rate_limit_exceeded: key [key] is slow (request req-1)", err.Error())
}

// TestContext: whenever the context ends, the error wraps its error at once, and no
// goroutine is left (else the bubble would not end).
func TestContext(t *testing.T) {
	for name, reply := range map[string]modeltest.Reply{
		"before the status":   {Stall: true},
		"before the body":     {Turn: modeltest.Turn{Delay: time.Hour, Chunks: modeltest.Words("x")}},
		"between two chunks":  {Turn: modeltest.Turn{Chunks: modeltest.Words("a b"), Hang: true}},
		"slower than allowed": {Turn: modeltest.Turn{Chunks: []modeltest.Chunk{{Text: "a"}, {Text: "b", Delay: time.Hour}}}},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprint(name, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{reply}})
					require.NoError(t, err)
					defer s.Close()
					m, err := New("m", &Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client()})
					require.NoError(t, err)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					var options []llms.CallOption
					if stream {
						options = (&heard{}).options()[:1]
					}
					began := time.Now()
					_, err = m.GenerateContent(ctx, ask("q"), options...)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.True(t, llms.IsTimeoutError(err))
					require.Equal(t, time.Minute, time.Since(began))
				})
			})
		}
	}
}

func TestCallbackEndsTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reply := modeltest.Reply{Times: -1, Turn: modeltest.Turn{Chunks: modeltest.Words("one two three"), Hang: true}}
		s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{reply}})
		require.NoError(t, err)
		defer s.Close()
		m, err := New("m", &Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client()})
		require.NoError(t, err)

		enough := errors.New("enough")
		_, err = m.GenerateContent(t.Context(), ask("q"), llms.WithStreamingFunc(func(context.Context, []byte) error { return enough }))
		require.ErrorIs(t, err, enough)
		require.ErrorIs(t, err, ErrCallback)

		ctx, cancel := context.WithCancel(t.Context())
		_, err = m.GenerateContent(ctx, ask("q"), llms.WithStreamingFunc(func(context.Context, []byte) error { cancel(); return nil }))
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, llms.IsCanceledError(err))

		synctest.Wait()
		for _, r := range s.Requests() {
			require.True(t, r.Aborted, "the provider stops, and stops billing")
		}
		require.Zero(t, s.Connections())
	})
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	m, s := serve(t, Options{}, modeltest.Reply{Times: -1, Turn: modeltest.Say("x")})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				_, err := m.GenerateContent(t.Context(), ask("q"))
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, s.Connections(), 8)
}

func TestAzure(t *testing.T) {
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Key: "azure-key-1"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	o := &Options{BaseURL: s.URL, HTTPClient: s.Client(), APIKey: "azure-key-1", Azure: &Azure{APIVersion: "2024-10-21"}}
	m, err := New("gpt 4o deploy", o)
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
	e, err := NewEmbedder("emb", o)
	require.NoError(t, err)
	_, err = e.EmbedQuery(t.Context(), "q")
	require.NoError(t, err)
	o.Azure.Bearer = true
	m, err = New("d", o)
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
	r := s.Requests()
	require.Equal(t, "2024-10-21", r[0].Query.Get("api-version"))
	require.Equal(t, "gpt 4o deploy", r[0].Model)
	require.Equal(t, []string{"azure-key-1", ""}, []string{r[0].Header.Get("Api-Key"), r[0].Header.Get("Authorization")})
	require.Equal(t, []string{"", "Bearer azure-key-1"}, []string{r[2].Header.Get("Api-Key"), r[2].Header.Get("Authorization")})
}

func TestWhatCannotBeSent(t *testing.T) {
	for _, o := range []*Options{{BaseURL: "no address"}, {BaseURL: "ftp://x"}, {Azure: &Azure{APIVersion: "x"}}, {BaseURL: "http://x", Azure: &Azure{}},
		{MaxLineBytes: -1}, {MaxBodyBytes: -1}, {Dimensions: -1}, {TokensField: 9}} {
		_, err := New("m", o)
		require.ErrorIs(t, err, ErrOption)
	}
	_, err := New("", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewEmbedder("", nil)
	require.ErrorIs(t, err, ErrOption)
	m, s := serve(t, Options{})
	for _, c := range []struct {
		messages []llms.MessageContent
		option   llms.CallOption
	}{
		{ask("q"), llms.WithMetadata(map[string]any{MetadataExtra: 5})},
		{ask("q"), llms.WithMetadata(map[string]any{MetadataResponseFormat: func() {}})},
		{ask("q"), llms.WithTools([]llms.Tool{{Type: "function"}})},
		{[]llms.MessageContent{{Role: "wizard"}}, nil},
		{[]llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.BinaryPart("text/csv", nil)}}}, nil},
		{[]llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{nil}}}, nil},
	} {
		_, err := m.GenerateContent(t.Context(), c.messages, c.option)
		require.ErrorIs(t, err, ErrOption)
	}
	require.Empty(t, s.Requests())
}

func TestReasoningIsKnownByName(t *testing.T) {
	for name, want := range map[string]bool{"o3-mini": true, "gpt-4o": false} {
		m, err := New(name, nil)
		require.NoError(t, err)
		require.Equal(t, want, m.SupportsReasoning())
	}
}
