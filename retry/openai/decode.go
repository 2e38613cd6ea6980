package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// decode reads an answer or a chunk of one. If a field has another type than the
// protocol's, the answer is read again with types that accept any value. So a wrong
// type in an unused field doesn't lose the answer.
//
// Content is a string in the protocol. Mistral's reasoning models send a list of
// parts instead, of the kinds that a request has and of thoughts. Arguments of a
// tool are a string of JSON; some servers send the JSON itself.
func decode(data []byte, into *completion) error {
	err := json.Unmarshal(data, into)
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return err
	}
	var loose looseCompletion
	if err := json.Unmarshal(data, &loose); err != nil {
		return err
	}
	*into = loose.head()
	if loose.Choices == nil {
		return nil
	}
	into.Choices = make([]wireChoice, len(loose.Choices))
	for i, c := range loose.Choices {
		w := &into.Choices[i]
		w.Index, w.Error, w.Usage, w.Logprobs = c.Index.value(), c.Error, c.Usage, c.Logprobs
		w.FinishReason = c.FinishReason.pointer()
		if w.Message, err = c.Message.delta(); err != nil {
			return fmt.Errorf("choice %d: %w", i, err)
		}
		if w.Delta, err = c.Delta.delta(); err != nil {
			return fmt.Errorf("choice %d: %w", i, err)
		}
	}
	return nil
}

// head returns all but the choices in the protocol's form.
func (l *looseCompletion) head() completion {
	c := completion{
		ID: string(l.ID), Model: string(l.Model), SystemFingerprint: string(l.SystemFingerprint), ServiceTier: string(l.ServiceTier),
		Object: string(l.Object), Usage: l.Usage, Error: l.Error, Detail: l.Detail,
	}
	take(l.BaseResp, &c.BaseResp)
	take(l.Groq, &c.Groq)
	return c
}

// take reads an optional field, if it is what it should be.
func take[T any](raw *json.RawMessage, into **T) {
	v := new(T)
	if raw != nil && json.Unmarshal(*raw, v) == nil {
		*into = v
	}
}

type (
	// A looseCompletion is a completion whose fields may have foreign types.
	looseCompletion struct {
		ID                looseText        `json:"id"`
		Model             looseText        `json:"model"`
		SystemFingerprint looseText        `json:"system_fingerprint"`
		ServiceTier       looseText        `json:"service_tier"`
		Choices           []looseChoice    `json:"choices"`
		Usage             *json.RawMessage `json:"usage"`
		Error             *json.RawMessage `json:"error"`
		Object            looseText        `json:"object"`
		Detail            *json.RawMessage `json:"detail"`
		BaseResp          *json.RawMessage `json:"base_resp"`
		Groq              *json.RawMessage `json:"x_groq"`
	}
	looseChoice struct {
		Index        looseIndex       `json:"index"`
		Message      looseMessage     `json:"message"`
		Delta        looseMessage     `json:"delta"`
		FinishReason looseOptional    `json:"finish_reason"`
		Error        *json.RawMessage `json:"error"`
		Usage        *json.RawMessage `json:"usage"`
		Logprobs     *json.RawMessage `json:"logprobs"`
	}
	looseDelta struct {
		Content          json.RawMessage  `json:"content"`
		Refusal          looseOptional    `json:"refusal"`
		ReasoningContent looseOptional    `json:"reasoning_content"`
		Reasoning        looseOptional    `json:"reasoning"`
		ToolCalls        []looseTool      `json:"tool_calls"`
		FunctionCall     *json.RawMessage `json:"function_call"`
	}
	looseTool struct {
		Index    looseIndex       `json:"index"`
		ID       looseText        `json:"id"`
		Type     looseText        `json:"type"`
		Function looseFunction    `json:"function"`
		Extra    *json.RawMessage `json:"extra_content"`
	}
	looseFunction struct {
		Name      looseText       `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	}
)

// A looseText is a text, or a number as it is written; "" for anything else.
type looseText string

// UnmarshalJSON implements json.Unmarshaler.
func (t *looseText) UnmarshalJSON(data []byte) error {
	var o looseOptional
	err := o.UnmarshalJSON(data)
	*t = looseText(o.value)
	return err
}

// A looseOptional is a looseText that may be missing.
type looseOptional struct {
	value string
	set   bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *looseOptional) UnmarshalJSON(data []byte) error {
	switch c := data[0]; {
	case c == '"':
		t.set = true
		return json.Unmarshal(data, &t.value)
	case c == '-' || '0' <= c && c <= '9':
		t.value, t.set = string(data), true
	}
	return nil
}

func (t *looseOptional) pointer() *string {
	if !t.set {
		return nil
	}
	return &t.value
}

// A looseIndex is a whole number, in any way that JSON can write one.
type looseIndex struct{ n *int }

// UnmarshalJSON implements json.Unmarshaler.
func (i *looseIndex) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64)
	if err == nil && f == math.Trunc(f) && math.Abs(f) <= maxLimit {
		n := int(f)
		i.n = &n
	}
	return nil
}

func (i looseIndex) value() int {
	if i.n == nil {
		return 0
	}
	return *i.n
}

// A looseMessage is a message or a delta; an empty list where PHP writes an empty
// object.
type looseMessage struct{ json.RawMessage }

// delta returns the message in the protocol's form.
func (m looseMessage) delta() (*wireDelta, error) {
	switch string(m.RawMessage) {
	case "", "null", "[]", `""`:
		return nil, nil
	}
	var l looseDelta
	if err := json.Unmarshal(m.RawMessage, &l); err != nil {
		return nil, err
	}
	d := &wireDelta{Refusal: l.Refusal.pointer(), ReasoningContent: l.ReasoningContent.pointer(), Reasoning: l.Reasoning.pointer()}
	for _, t := range l.ToolCalls {
		d.ToolCalls = append(d.ToolCalls, toolDelta{Index: t.Index.n, ID: string(t.ID), Type: string(t.Type), Function: t.Function.delta(), Extra: t.Extra})
	}
	var function *looseFunction
	if take(l.FunctionCall, &function); function != nil {
		f := function.delta()
		d.FunctionCall = &f
	}
	return d, d.content(l.Content)
}

// delta returns the function with its arguments as a text, which is what the
// protocol has.
func (f *looseFunction) delta() functionDelta {
	d := functionDelta{Name: string(f.Name)}
	if len(f.Arguments) == 0 || string(f.Arguments) == "null" || json.Unmarshal(f.Arguments, &d.Arguments) == nil {
		return d
	}
	var b bytes.Buffer
	if json.Compact(&b, f.Arguments) == nil { // it was read as JSON
		d.Arguments = b.String()
	}
	return d
}
