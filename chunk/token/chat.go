package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Message has the parts of a chat message that cost tokens.
type Message struct {
	Role    string // "system", "user", "assistant", "tool"
	Name    string // the participant's name, "" for none
	Content string

	ToolCalls  []ToolCall // tools that the message calls
	ToolCallID string     // in a tool's answer: the id of the call
	Images     []Image    // images that go with the text
}

// A ToolCall is a model's call of a tool.
type ToolCall struct {
	ID, Name  string
	Arguments string // JSON
}

// A Tool is a function that a model may call.
type Tool struct {
	Name, Description string

	// Parameters is the JSON Schema of an object: any value that marshals to one, or
	// nil.
	Parameters any
}

// A Count is a number of tokens. It is Estimated if the provider has not published
// how it counts, or if [Estimate] counted. An estimate is good enough for a
// budget, but not for a bill.
type Count struct {
	Tokens    int
	Estimated bool
}

func (t *Count) add(o Count) {
	t.Tokens += o.Tokens
	t.Estimated = t.Estimated || o.Estimated
}

// A ChatRule states how many tokens the frame of a chat costs, in addition to the
// texts. The rules are data: change a field for a provider that counts in another
// way.
//
// The methods count texts with the given function, such as [Encoding.Count]. For
// nil they use [Estimate], and the result is then Estimated.
type ChatRule struct {
	Model string // the name that the rule was found by

	PerMessage int // for each message
	PerName    int // more, for a message with a name
	Reply      int // for the beginning of the answer

	// The cost of a request's tools: Tools once, Function for each function,
	// Properties for each function that has any, and Property for each property. An
	// enum adds EnumOpen, and EnumItem for each value.
	Tools, Function, Properties, Property, EnumOpen, EnumItem int

	// EstimatedMessages and EstimatedTools are true if the numbers are those of an
	// older model.
	EstimatedMessages, EstimatedTools bool

	// Image is the rule for images. Default: [ImageEstimate].
	Image *ImageRule
}

// ChatRuleOf returns the rule of a model of OpenAI, or an [*UnknownModelError]. The
// source is "How to count tokens with tiktoken" in OpenAI's cookbook, which covers
// GPT-3.5, GPT-4 and GPT-4o. Later models have the rule of GPT-4o, marked as an
// estimate.
func ChatRuleOf(model string) (ChatRule, error) {
	base := strings.TrimPrefix(bareModel(model), "ft:")
	encoding, err := EncodingName(model)
	chat := slices.ContainsFunc([]string{"gpt-", "chatgpt-", "o1", "o3", "o4"}, func(p string) bool { return strings.HasPrefix(base, p) })
	if err != nil || !chat || encoding == "gpt2" {
		return ChatRule{}, &UnknownModelError{model, "chat format"}
	}
	r := ChatRule{
		Model: model, PerMessage: 3, PerName: 1, Reply: 3,
		Tools: 12, Function: 7, Properties: 3, Property: 3, EnumOpen: -3, EnumItem: 3,
	}
	switch {
	case base == "gpt-3.5-turbo-0301":
		r.PerMessage, r.PerName, r.Function = 4, -1, 10
	case encoding == "cl100k_base":
		r.Function = 10
	case !strings.HasPrefix(base, "gpt-4o") && !strings.HasPrefix(base, "chatgpt-4o"):
		r.EstimatedMessages, r.EstimatedTools = true, true
	}
	if image, err := ImageRuleOf(model); err == nil {
		r.Image = &image
	}
	return r, nil
}

// CountMessages counts a chat: the texts with count, the frame by the rule.
//
// The total is an estimate if there are calls of tools or their answers, because
// their frame is not published. It is also an estimate if the size or the rule of an
// image is not known; such an image is counted by [ImageEstimate].
func (r *ChatRule) CountMessages(count func(text string) int, messages ...Message) Count {
	count, estimated := counter(count)
	total := Count{r.Reply, r.EstimatedMessages || estimated}
	for i := range messages {
		total.add(r.CountMessage(count, &messages[i]))
	}
	return total
}

// CountMessage counts one message of a chat, without the beginning of the answer.
func (r *ChatRule) CountMessage(count func(text string) int, m *Message) Count {
	count, estimated := counter(count)
	t := Count{r.PerMessage + count(m.Role) + count(m.Content), r.EstimatedMessages || estimated}
	if m.Name != "" {
		t.Tokens += r.PerName + count(m.Name)
	}
	for _, c := range m.ToolCalls {
		t.add(Count{r.PerMessage + count(c.Name) + count(c.Arguments), true})
	}
	if m.ToolCallID != "" {
		t.Estimated = true
	}
	for _, img := range m.Images {
		rule := ImageEstimate()
		if r.Image != nil {
			rule = *r.Image
		}
		t.add(rule.Count(img))
	}
	return t
}

// counter returns count, or Estimate for nil.
func counter(count func(text string) int) (_ func(text string) int, estimated bool) {
	if count == nil {
		return Estimate, true
	}
	return count, false
}

// CountTools counts the definitions of tools, which are a part of every request
// that offers them. Nested objects and lists are counted as compact JSON, which
// is an estimate. It returns an error if a tool's parameters don't marshal to an
// object.
func (r *ChatRule) CountTools(count func(text string) int, tools ...Tool) (Count, error) {
	if len(tools) == 0 {
		return Count{}, nil
	}
	count, estimated := counter(count)
	total := Count{r.Tools, r.EstimatedTools || estimated}
	for _, tool := range tools {
		var schema struct {
			Properties map[string]map[string]json.RawMessage `json:"properties"`
		}
		if tool.Parameters != nil {
			data, err := json.Marshal(tool.Parameters)
			if err == nil {
				err = json.Unmarshal(data, &schema)
			}
			if err != nil {
				return Count{}, fmt.Errorf("token: parameters of the tool %q: %w", tool.Name, err)
			}
		}
		total.Tokens += r.Function + count(tool.Name+":"+strings.TrimSuffix(tool.Description, "."))
		if len(schema.Properties) > 0 {
			total.Tokens += r.Properties
		}
		for key, property := range schema.Properties {
			total.add(r.property(count, key, property))
		}
	}
	return total, nil
}

func (r *ChatRule) property(count func(string) int, key string, property map[string]json.RawMessage) Count {
	t := Count{Tokens: r.Property}
	text := func(field string) string {
		var s string
		raw, ok := property[field]
		if ok && json.Unmarshal(raw, &s) != nil {
			t.Estimated = true // a list of types, for instance
			s = compact(raw)
		}
		return s
	}
	t.Tokens += count(key + ":" + text("type") + ":" + strings.TrimSuffix(text("description"), "."))
	for field, raw := range property {
		switch field {
		case "type", "description", "title":
		case "enum":
			var items []json.RawMessage
			if json.Unmarshal(raw, &items) != nil {
				t.Estimated = true
				continue
			}
			t.Tokens += r.EnumOpen
			for _, item := range items {
				var s string
				if json.Unmarshal(item, &s) != nil {
					s = compact(item)
				}
				t.Tokens += r.EnumItem + count(s)
			}
		default:
			t.add(Count{count(compact(raw)), true})
		}
	}
	return t
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
