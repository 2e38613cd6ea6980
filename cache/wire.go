package cache

import (
	"encoding/json"
	"math"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"
)

// wireEntry is the JSON form of an [Entry]. langchaingo's own types do not
// survive encoding/json: a tool call loses its function, and text that is not
// UTF-8 is changed.
type wireEntry struct {
	Choices []*wireChoice `json:"choices"`
	Stream  *Recording    `json:"stream,omitempty"`
	Model   string        `json:"model,omitempty"`
	Stored  time.Time     `json:"stored"`
	Expires time.Time     `json:"expires"`
	Keep    time.Time     `json:"keep,omitzero"`

	Tenant     string            `json:"tenant,omitempty"`
	Namespace  string            `json:"namespace,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Took       time.Duration     `json:"took,omitzero"` // nanoseconds
	Extra      []byte            `json:"extra,omitempty"`
}

type wireChoice struct {
	Content    wireText       `json:"content,omitempty"`
	StopReason wireText       `json:"stop_reason,omitempty"`
	Info       map[string]any `json:"info,omitempty"`
	FuncCall   *wireFunction  `json:"func_call,omitempty"`
	ToolCalls  []wireTool     `json:"tool_calls,omitempty"`
	Reasoning  wireText       `json:"reasoning,omitempty"`
}

type wireTool struct {
	ID       string        `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"`
	Function *wireFunction `json:"function,omitempty"`
}

type wireFunction struct {
	Name      wireText `json:"name"`
	Arguments wireText `json:"arguments"`
}

// A wireText is a JSON string or, if it is not UTF-8, an object with its bytes.
type wireText string

// MarshalJSON writes the text.
func (t wireText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(t)) {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string][]byte{"bytes": []byte(t)})
}

// UnmarshalJSON reads either form.
func (t *wireText) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var raw struct{ Bytes []byte }
		err := json.Unmarshal(data, &raw)
		*t = wireText(raw.Bytes)
		return err
	}
	return json.Unmarshal(data, (*string)(t))
}

// MarshalJSON writes the whole entry, so that any store of bytes can keep it.
func (e *Entry) MarshalJSON() ([]byte, error) {
	w := wireEntry{Stream: e.Stream, Model: e.Model, Stored: e.Stored, Expires: e.Expires, Keep: e.Keep,
		Tenant: e.Tenant, Namespace: e.Namespace, Attributes: e.Attributes, Took: e.Took, Extra: e.Extra}
	if e.Response != nil {
		for _, c := range e.Response.Choices {
			w.Choices = append(w.Choices, wireOf(c))
		}
	}
	return json.Marshal(w)
}

func wireOf(c *llms.ContentChoice) *wireChoice {
	if c == nil {
		return nil
	}
	w := &wireChoice{Content: wireText(c.Content), StopReason: wireText(c.StopReason), Info: c.GenerationInfo, Reasoning: wireText(c.ReasoningContent), FuncCall: functionOf(c.FuncCall)}
	for _, t := range c.ToolCalls {
		w.ToolCalls = append(w.ToolCalls, wireTool{t.ID, t.Type, functionOf(t.FunctionCall)})
	}
	return w
}

func functionOf(f *llms.FunctionCall) *wireFunction {
	if f == nil {
		return nil
	}
	return &wireFunction{wireText(f.Name), wireText(f.Arguments)}
}

// UnmarshalJSON reads what MarshalJSON wrote. Whole numbers in GenerationInfo
// are int again; a value of another Go type comes back as its JSON form.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var w wireEntry
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*e = Entry{Response: &llms.ContentResponse{}, Stream: w.Stream, Model: w.Model, Stored: w.Stored, Expires: w.Expires, Keep: w.Keep,
		Tenant: w.Tenant, Namespace: w.Namespace, Attributes: w.Attributes, Took: w.Took, Extra: w.Extra}
	for _, c := range w.Choices {
		e.Response.Choices = append(e.Response.Choices, c.choice())
	}
	return nil
}

func (w *wireChoice) choice() *llms.ContentChoice {
	if w == nil {
		return nil
	}
	c := &llms.ContentChoice{Content: string(w.Content), StopReason: string(w.StopReason), ReasoningContent: string(w.Reasoning), FuncCall: w.FuncCall.call()}
	if w.Info != nil {
		c.GenerationInfo = wholeNumbers(w.Info).(map[string]any)
	}
	for _, t := range w.ToolCalls {
		c.ToolCalls = append(c.ToolCalls, llms.ToolCall{ID: t.ID, Type: t.Type, FunctionCall: t.Function.call()})
	}
	return c
}

func (w *wireFunction) call() *llms.FunctionCall {
	if w == nil {
		return nil
	}
	return &llms.FunctionCall{Name: string(w.Name), Arguments: string(w.Arguments)}
}

// wholeNumbers makes ints of the float64 that JSON reads, where nothing is lost.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			v[key] = wholeNumbers(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = wholeNumbers(inner)
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
	}
	return v
}
