package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/apierror"
	"github.com/prodailabs/prodai/retry/fault"
)

// A completion is an answer, or a chunk of one, as the protocol has it. Raw
// parts are pointers, so that a null costs nothing in each chunk of a stream.
type completion struct {
	ID                string           `json:"id"`
	Model             string           `json:"model"`
	SystemFingerprint string           `json:"system_fingerprint"`
	ServiceTier       string           `json:"service_tier"`
	Choices           []wireChoice     `json:"choices"`
	Usage             *json.RawMessage `json:"usage"`
	Error             *json.RawMessage `json:"error"`
	Object            string           `json:"object"`
	Detail            *json.RawMessage `json:"detail"`
	BaseResp          *baseResp        `json:"base_resp"`
	Groq              *groq            `json:"x_groq"`
}

// A groq has what Groq sends and the protocol's chunks have no field for.
type groq struct {
	Usage *json.RawMessage `json:"usage"`
	Error *json.RawMessage `json:"error"`
}

// A baseResp is MiniMax's status, which comes with HTTP's 200.
type baseResp struct {
	StatusCode int    `json:"status_code"`
	StatusMsg  string `json:"status_msg"`
}

// failed reports whether the JSON is an error instead of an answer.
func (c *completion) failed() bool {
	if c.Groq != nil && c.Groq.Error != nil && !apierror.Blank(*c.Groq.Error) {
		return true
	}
	if c.Error != nil && (!apierror.Blank(*c.Error) || len(c.Choices) == 0 && c.Usage == nil) {
		return true // some servers send an empty error beside a good answer
	}
	return c.Object == "error" || c.Detail != nil && c.Choices == nil || c.BaseResp != nil && c.BaseResp.StatusCode != 0
}

type wireChoice struct {
	Index        int              `json:"index"`
	Message      *wireDelta       `json:"message"`
	Delta        *wireDelta       `json:"delta"`
	FinishReason *string          `json:"finish_reason"`
	Error        *json.RawMessage `json:"error"`
	Usage        *json.RawMessage `json:"usage"` // Moonshot's place for it
	Logprobs     *json.RawMessage `json:"logprobs"`
}

type wireDelta struct {
	Content          *string        `json:"content"`
	Refusal          *string        `json:"refusal"`
	ReasoningContent *string        `json:"reasoning_content"` // DeepSeek's name
	Reasoning        *string        `json:"reasoning"`         // vLLM's and OpenRouter's
	ToolCalls        []toolDelta    `json:"tool_calls"`
	FunctionCall     *functionDelta `json:"function_call"` // what tool calls replaced

	parts []any // of the content, those that are not text
}

type toolDelta struct {
	Index    *int             `json:"index,omitempty"`
	ID       string           `json:"id,omitempty"`
	Type     string           `json:"type,omitempty"`
	Function functionDelta    `json:"function"`
	Extra    *json.RawMessage `json:"extra_content,omitempty"` // Gemini's
}

type functionDelta struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments,omitempty"`
}

// says reports whether a delta has any content for the reader.
func (d *wireDelta) says() bool {
	return d != nil && (d.Content != nil && *d.Content != "" || d.Refusal != nil && *d.Refusal != "" || d.thought() != "" ||
		len(d.ToolCalls)+len(d.parts) > 0 || d.FunctionCall != nil && *d.FunctionCall != (functionDelta{}))
}

func (d *wireDelta) thought() string {
	if d.ReasoningContent != nil && *d.ReasoningContent != "" {
		return *d.ReasoningContent
	}
	if d.Reasoning != nil {
		return *d.Reasoning
	}
	return ""
}

// An answer gathers a completion's choices, from one body or from chunks.
type answer struct {
	head    completion // without its choices
	usage   []byte
	choices []*choice
}

// A choice is what a choice's deltas add up to.
type choice struct {
	index     int
	content   []byte
	reasoning []byte
	refusal   []byte
	calls     []*call
	recent    *call // that the last delta was for
	deltas    bool  // a delta contained something
	function  *call // what tool calls replaced
	finish    string
	finished  bool
	err       []byte // the choice's own error
	logprobs  []json.RawMessage
	parts     []any
}

// choice returns the choice of an index, making it if it is new.
func (a *answer) choice(index int) *choice {
	for _, c := range a.choices {
		if c.index == index {
			return c
		}
	}
	c := &choice{index: index}
	a.choices = append(a.choices, c)
	return c
}

// add adds a completion or a chunk.
func (a *answer) add(c *completion) {
	if c.ID != "" {
		a.head.ID = c.ID
	}
	if c.Model != "" {
		a.head.Model = c.Model
	}
	if c.SystemFingerprint != "" {
		a.head.SystemFingerprint = c.SystemFingerprint
	}
	if c.ServiceTier != "" {
		a.head.ServiceTier = c.ServiceTier
	}
	a.addUsage(c.Usage)
	if c.Groq != nil {
		a.addUsage(c.Groq.Usage)
	}
	for i := range c.Choices {
		w := &c.Choices[i]
		into := a.choice(w.Index)
		if w.Message != nil && !w.Delta.says() {
			w.Delta = into.missing(w.Message, w.FinishReason != nil && *w.FinishReason != "")
		} else if w.Delta.says() {
			into.deltas = true
		}
		if w.Delta != nil {
			into.add(w.Delta)
		}
		if w.FinishReason != nil && *w.FinishReason != "" {
			if fault.StopReasonOf(into.finish) != fault.StopFailed { // else a later finish reason doesn't count
				into.finish = *w.FinishReason
			}
			into.finished = true
		}
		if w.Error != nil && !apierror.Blank(*w.Error) {
			into.err = *w.Error
		}
		a.addUsage(w.Usage)
		if w.Logprobs != nil {
			into.logprobs = append(into.logprobs, *w.Logprobs)
		}
	}
}

func (c *choice) add(d *wireDelta) {
	if d.Content != nil {
		c.content = append(c.content, *d.Content...)
	}
	c.reasoning = append(c.reasoning, d.thought()...)
	if d.Refusal != nil {
		c.refusal = append(c.refusal, *d.Refusal...)
	}
	c.parts = append(c.parts, d.parts...)
	if len(d.ToolCalls) > 0 {
		c.addCalls(d.ToolCalls)
	}
	if f := d.FunctionCall; f != nil && *f != (functionDelta{}) {
		if c.function == nil {
			c.function = &call{}
		}
		c.function.join(f, false)
	}
}

// broken returns the choice that shows that the answer isn't complete, or nil. Such
// a choice has an error of its own, or a reason that isn't known to be good. A
// limit of length is known: the caller set it, and the reason reports it. A filter
// that left no text is not an error either, since nothing could be taken for an
// answer.
func (a *answer) broken() *choice {
	for _, c := range a.choices {
		if c.err != nil {
			return c
		}
	}
	for _, c := range a.choices {
		switch fault.StopReasonOf(c.finish) {
		case fault.StopComplete, fault.StopCut:
			continue
		case fault.StopFiltered:
			if len(c.content)+len(c.calls)+len(c.parts) == 0 && c.function == nil {
				continue
			}
		}
		if c.finished {
			return c
		}
	}
	return nil
}

// unfinished reports whether a choice lacks its finish reason.
func (a *answer) unfinished() bool {
	return slices.ContainsFunc(a.choices, func(c *choice) bool { return !c.finished })
}

// spoken reports whether there is any content that the caller could have received.
// A server's first chunk has only a role.
func (a *answer) spoken() bool {
	return slices.ContainsFunc(a.choices, func(c *choice) bool {
		return len(c.content)+len(c.reasoning)+len(c.refusal)+len(c.calls)+len(c.parts) > 0 || c.function != nil
	})
}

// response returns the answer in langchaingo's form.
func (a *answer) response(header http.Header) *llms.ContentResponse {
	slices.SortStableFunc(a.choices, func(x, y *choice) int { return x.index - y.index })
	counts := tokenCounts(a.usage)
	out := &llms.ContentResponse{Choices: make([]*llms.ContentChoice, 0, len(a.choices))}
	for _, c := range a.choices {
		out.Choices = append(out.Choices, a.contentChoice(c, header, counts))
	}
	return out
}

func (a *answer) contentChoice(c *choice, header http.Header, counts []tokenCount) *llms.ContentChoice {
	out := &llms.ContentChoice{
		Content: string(c.content), ReasoningContent: string(c.reasoning), StopReason: c.finish,
		GenerationInfo: a.info(c, header, counts),
	}
	slices.SortStableFunc(c.calls, func(x, y *call) int { return x.index - y.index })
	for _, t := range c.calls {
		typ := t.typ
		if typ == "" {
			typ = "function"
		}
		out.ToolCalls = append(out.ToolCalls, llms.ToolCall{ID: t.id, Type: typ,
			FunctionCall: &llms.FunctionCall{Name: string(t.name), Arguments: string(t.arguments)}})
	}
	switch {
	case c.function != nil:
		out.FuncCall = &llms.FunctionCall{Name: string(c.function.name), Arguments: string(c.function.arguments)}
	case len(out.ToolCalls) > 0:
		out.FuncCall = out.ToolCalls[0].FunctionCall
	}
	return out
}

// info is the choice's GenerationInfo, with the counts of the whole answer.
func (a *answer) info(c *choice, header http.Header, counts []tokenCount) map[string]any {
	info := map[string]any{"FinishReason": c.finish}
	for _, f := range [...]struct{ key, text string }{
		{"ID", a.head.ID}, {"Model", a.head.Model}, {"SystemFingerprint", a.head.SystemFingerprint}, {"ServiceTier", a.head.ServiceTier},
		{"RequestID", (&Error{header: header}).RequestID()}, {"Refusal", string(c.refusal)}, {"ThinkingContent", string(c.reasoning)},
	} {
		if f.text != "" {
			info[f.key] = f.text
		}
	}
	if len(c.logprobs) > 0 {
		info["Logprobs"] = joinLogprobs(c.logprobs)
	}
	if extra := c.toolCallExtra(); extra != nil {
		info["ToolCallExtra"] = extra
	}
	if len(c.parts) > 0 {
		info["ContentParts"] = c.parts
	}
	for _, n := range counts {
		info[n.key] = n.n
	}
	return info
}

// joinLogprobs returns a choice's logprobs as the JSON value that an answer
// which isn't streamed has: the lists of all chunks, one after another.
func joinLogprobs(chunks []json.RawMessage) any {
	joined := map[string]any{}
	for _, raw := range chunks {
		var m map[string]any
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		for key, v := range m {
			list, isList := v.([]any)
			before, had := joined[key].([]any)
			if isList && had {
				v = append(before, list...)
			}
			if v != nil || !had {
				joined[key] = v
			}
		}
	}
	return joined
}

// parse reads an answer that isn't streamed.
func (c *client) parse(ctx context.Context, resp *http.Response, data []byte) (*answer, *completion, error) {
	body := &completion{}
	if err := decode(data, body); err != nil {
		return nil, nil, c.malformed(ctx, resp, err, data)
	}
	if body.failed() {
		return nil, nil, c.inBandError(resp, data)
	}
	numberChoices(body.Choices)
	for i := range body.Choices {
		if w := &body.Choices[i]; w.Message != nil {
			numberCalls(w.Message)
			w.Delta, w.Message = w.Message, nil
		}
	}
	a := &answer{}
	a.add(body)
	if len(a.choices) == 0 {
		return nil, nil, c.brokenError(ctx, resp, ErrEmpty, data)
	}
	for _, choice := range a.choices {
		choice.finished = true // a reason that is missing here doesn't come later
	}
	if bad := a.broken(); bad != nil {
		return nil, nil, c.stopError(resp, a, bad, data)
	}
	return a, body, nil
}

// numberChoices gives the choices of a whole answer their places if two claim
// the same one, as they do where a server leaves the index out.
func numberChoices(choices []wireChoice) {
	seen := make(map[int]bool, len(choices))
	for i := range choices {
		seen[choices[i].Index] = true
	}
	if len(seen) == len(choices) {
		return
	}
	for i := range choices {
		choices[i].Index = i
	}
}

func (c *client) malformed(ctx context.Context, resp *http.Response, err error, data []byte) *Error {
	if len(data) == 0 {
		return c.brokenError(ctx, resp, fmt.Errorf("%w: the body has no bytes", ErrEmpty), data)
	}
	err = fmt.Errorf("%w: %w", ErrMalformed, err)
	if text := bytes.TrimSpace(data); len(text) > 0 && text[0] != '{' && text[0] != '[' { // a page, which is for people
		err = fmt.Errorf("%w: %s", err, beginning(string(text)))
	}
	return c.brokenError(ctx, resp, err, data)
}
