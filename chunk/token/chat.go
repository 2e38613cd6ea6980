package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A Message is what of a chat message costs tokens.
type Message struct {
	Role    string // "system", "user", "assistant", "tool"
	Name    string // the participant's name, "" for none
	Content string

	ToolCalls  []ToolCall // tools that the message calls
	ToolCallID string     // for a tool's answer: the call it answers
	Images     []Image    // images beside the text
}

// A ToolCall is a call of a tool.
type ToolCall struct {
	ID, Name  string
	Arguments string // JSON
}

// A Tool is a function that a model may call.
type Tool struct {
	Name, Description string

	// Parameters is a JSON Schema of an object: anything that marshals to one,
	// or nil.
	Parameters any
}

// A Count is a number of tokens. It is Estimated where the provider has not
// published how it counts, or where [Estimate] counted: close enough for a budget,
// not for a bill.
type Count struct {
	Tokens    int
	Estimated bool
}

func (t *Count) add(o Count) {
	t.Tokens += o.Tokens
	t.Estimated = t.Estimated || o.Estimated
}

// A ChatRule is how many tokens the frame of a chat costs beyond its texts. The
// rules are data: change a field for a provider that counts in another way.
//
// Its methods count texts by the function given, such as [Encoding.Count]; nil is
// [Estimate], and the result is then Estimated.
type ChatRule struct {
	Model string // what the rule was found by

	PerMessage int // around each message
	PerName    int // more for a name
	Reply      int // the beginning of the answer

	// The tools of a request: once, for each function, for its having
	// properties, and for each property; an enum replaces EnumOpen and costs
	// EnumItem for each value.
	Tools, Function, Properties, Property, EnumOpen, EnumItem int

	// EstimatedMessages and EstimatedTools are true if the numbers are taken over
	// from an older model.
	EstimatedMessages, EstimatedTools bool

	// Image is what images cost; nil is [ImageEstimate].
	Image *ImageRule
}

// ChatRuleOf returns the rule of a model of OpenAI, or an
// [*UnknownModelError]. Source: "How to count tokens with tiktoken" in OpenAI's
// cookbook, which covers GPT-3.5, GPT-4 and GPT-4o; for later models the rule is
// that of GPT-4o and is marked as an estimate.
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

// CountMessages counts a chat: its texts by count, the frame by the rule. Calls of
// tools and their answers are framed in a way that is not published, so with
// them the total is an estimate; so it is for an image whose size or rule is
// not known, which is counted by [ImageEstimate].
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

// counter returns count or, for nil, Estimate.
func counter(count func(text string) int) (_ func(text string) int, estimated bool) {
	if count == nil {
		return Estimate, true
	}
	return count, false
}

// CountTools counts the definitions of tools, which go with every request that
// offers them. Nested objects and lists are counted as compact JSON, which is
// an estimate. It fails if a tool's parameters don't marshal to an object.
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
