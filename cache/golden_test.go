package cache

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/golden"
)

type keyRow struct {
	A       keyRequest `json:"a"`
	B       keyRequest `json:"b"`
	SameKey bool       `json:"same_key"`
	Why     string     `json:"why"`
	Config  struct {
		DefaultModel string `json:"default_model"`
		Normalize    string `json:"normalize"`
	} `json:"config"`
}

type keyRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role  string            `json:"role"`
		Parts []json.RawMessage `json:"parts"`
	} `json:"messages"`
	Options   map[string]json.RawMessage `json:"options"`
	Tenant    string                     `json:"tenant"`
	Namespace string                     `json:"namespace"`
	RawB64    string                     `json:"raw_b64"`
}

func TestGoldenCacheKey(t *testing.T) {
	golden.Rows(t, "cache", "cache_key.jsonl", func(row keyRow) error {
		a, err := row.A.key(row)
		if err != nil {
			return err
		}
		b, err := row.B.key(row)
		if err != nil {
			return err
		}
		if (a == b) != row.SameKey {
			return fmt.Errorf("same key: %v, want %v: %s", a == b, row.SameKey, row.Why)
		}
		return nil
	})
}

func (q keyRequest) key(row keyRow) (Key, error) {
	scope := Scope{Model: row.Config.DefaultModel, Tenant: q.Tenant, Namespace: q.Namespace}
	if row.Config.Normalize == "NFC" {
		scope.Normalize = composeE
	}
	var messages []llms.MessageContent
	for _, m := range q.Messages {
		msg := llms.MessageContent{Role: llms.ChatMessageType(m.Role)}
		for _, raw := range m.Parts {
			part, err := goldenPart(raw)
			if err != nil {
				return Key{}, err
			}
			msg.Parts = append(msg.Parts, part)
		}
		messages = append(messages, msg)
	}
	if q.RawB64 != "" {
		text, err := base64.StdEncoding.DecodeString(q.RawB64)
		if err != nil {
			return Key{}, err
		}
		last := messages[len(messages)-1]
		last.Parts[len(last.Parts)-1] = llms.TextPart(string(text))
	}
	options := []llms.CallOption{llms.WithModel(q.Model)}
	for name, raw := range q.Options {
		o, err := goldenOption(name, raw)
		if err != nil {
			return Key{}, err
		}
		options = append(options, o)
	}
	return KeyOf(scope, messages, options...)
}

func goldenPart(raw json.RawMessage) (llms.ContentPart, error) {
	var p struct {
		Text         *string           `json:"text"`
		Binary       []byte            `json:"binary"`
		MIME         string            `json:"mime"`
		CacheControl map[string]string `json:"cache_control"`
		ImageURL     string            `json:"image_url"`
		ToolCallID   *string           `json:"tool_call_id"` // a tool's answer
		Name         string            `json:"name"`
		Content      string            `json:"content"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	var part llms.ContentPart
	switch {
	case p.Text != nil:
		part = llms.TextPart(*p.Text)
	case p.MIME != "":
		part = llms.BinaryPart(p.MIME, p.Binary)
	case p.ImageURL != "":
		part = llms.ImageURLPart(p.ImageURL)
	case p.ToolCallID != nil:
		part = llms.ToolCallResponse{ToolCallID: *p.ToolCallID, Name: p.Name, Content: p.Content}
	default:
		return nil, fmt.Errorf("a part this test doesn't know: %s", raw)
	}
	if p.CacheControl != nil {
		part = llms.WithCacheControl(part, &llms.CacheControl{Type: p.CacheControl["type"]})
	}
	return part, nil
}

// goldenOption turns an option's JSON into the call option.
func goldenOption(name string, raw json.RawMessage) (llms.CallOption, error) {
	var number float64
	var words []string
	var text string
	var tools []llms.Tool
	var metadata map[string]any
	var choice any
	target := map[string]any{
		"stop_words": &words, "response_mime_type": &text, "tools": &tools, "metadata": &metadata, "tool_choice": &choice,
		"stream": new(bool), "json": new(bool), "model": &text,
	}[name]
	if target == nil {
		target = &number
	}
	if err := json.Unmarshal(raw, target); err != nil {
		return nil, fmt.Errorf("option %s: %w", name, err)
	}
	switch name {
	case "stop_words":
		return llms.WithStopWords(words), nil
	case "response_mime_type":
		return llms.WithResponseMIMEType(text), nil
	case "tools":
		return llms.WithTools(tools), nil
	case "metadata":
		return llms.WithMetadata(metadata), nil
	case "tool_choice":
		return llms.WithToolChoice(choice), nil
	case "stream":
		return llms.WithStreamingFunc(nil), nil
	case "json":
		return llms.WithJSONMode(), nil
	case "temperature":
		return llms.WithTemperature(number), nil
	case "top_p":
		return llms.WithTopP(number), nil
	case "max_tokens":
		return llms.WithMaxTokens(int(number)), nil
	case "seed":
		return llms.WithSeed(int(number)), nil
	case "n":
		return llms.WithN(int(number)), nil
	case "top_k":
		return llms.WithTopK(int(number)), nil
	case "frequency_penalty":
		return llms.WithFrequencyPenalty(number), nil
	case "presence_penalty":
		return llms.WithPresencePenalty(number), nil
	case "repetition_penalty":
		return llms.WithRepetitionPenalty(number), nil
	}
	return nil, fmt.Errorf("an option this test doesn't know: %s", name)
}

type cacheableRow struct {
	Response *struct {
		Choices []struct {
			Content    string `json:"content"`
			StopReason string `json:"stop_reason"`
			ToolCalls  []struct {
				ID        string `json:"id"`
				Name      string `json:"name"`
				Arguments string `json:"arguments"`
			} `json:"tool_calls"`
		} `json:"choices"`
		Error string `json:"error"`
		Ctx   string `json:"ctx"`
	} `json:"response"`
	Policy struct {
		StoreLength bool            `json:"store_length"`
		SideEffects map[string]bool `json:"side_effects"`
	} `json:"policy"`
	Store bool   `json:"store"`
	Note  string `json:"note"`
}

// TestGoldenCacheable runs each row through a Model: the answer is stored if
// and only if a second call doesn't reach the model.
func TestGoldenCacheable(t *testing.T) {
	golden.Rows(t, "cache", "cacheable.jsonl", func(row cacheableRow) error {
		p := Policy{StoreLength: row.Policy.StoreLength}
		if row.Policy.SideEffects != nil {
			p.SideEffects = func(tool string) bool { return row.Policy.SideEffects[tool] }
		}
		calls := 0
		m, err := New(answer(func() (*llms.ContentResponse, error) {
			calls++
			return row.answer()
		}), &Options{Policy: p})
		if err != nil {
			return err
		}
		for range 2 {
			_, _ = m.GenerateContent(t.Context(), question("q")) // the answer doesn't matter here
		}
		if stored := calls == 1; stored != row.Store {
			return fmt.Errorf("stored: %v, want %v: %s", stored, row.Store, row.Note)
		}
		return nil
	})
}

func (row cacheableRow) answer() (*llms.ContentResponse, error) {
	switch r := row.Response; {
	case r == nil:
		return nil, nil
	case r.Error != "":
		return nil, fmt.Errorf("status %s", r.Error)
	case r.Ctx != "":
		return nil, fmt.Errorf("stream ended: context %s", r.Ctx)
	}
	out := &llms.ContentResponse{}
	for _, c := range row.Response.Choices {
		choice := &llms.ContentChoice{Content: c.Content, StopReason: c.StopReason}
		for _, tc := range c.ToolCalls {
			choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{ID: tc.ID, Type: "function",
				FunctionCall: &llms.FunctionCall{Name: tc.Name, Arguments: tc.Arguments}})
		}
		out.Choices = append(out.Choices, choice)
	}
	return out, nil
}

// A tool's answer has no row in the given set, so the reader of the form is tried here.
func TestGoldenFormOfAToolsAnswer(t *testing.T) {
	keyOf := func(part string) Key {
		p, err := goldenPart(json.RawMessage(part))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := p.(llms.ToolCallResponse); !ok {
			t.Fatalf("%T", p)
		}
		key, err := KeyOf(Scope{Model: "m"}, []llms.MessageContent{{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{p}}})
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	a := keyOf(`{"tool_call_id":"1","content":"12 degrees"}`)
	if a != keyOf(`{"content":"12 degrees","tool_call_id":"1"}`) || a == keyOf(`{"tool_call_id":"2","content":"12 degrees"}`) || a == keyOf(`{"tool_call_id":"1","content":"13 degrees"}`) {
		t.Error("keys don't follow id and content")
	}
}
