package modeltest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
)

// created is the time in every answer, so that answers are the same each time.
const created = 1767225600 // 2026-01-01T00:00:00Z

// encode writes JSON as providers do, without escaping HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		// Only an Edit that puts a channel or a NaN into an object gets here.
		return encode(map[string]string{"modeltest": err.Error()})
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

func (p *player) head(object string) map[string]any {
	return map[string]any{
		"id": fmt.Sprintf("chatcmpl-%d", p.number), "object": object, "created": created,
		"model": p.req.Model, "system_fingerprint": "fp_scripted", "service_tier": "default",
	}
}

// completion is the answer to a call that doesn't stream.
func (p *player) completion() map[string]any {
	out := p.head("chat.completion")
	choices := []any{}
	for i, c := range p.reply.Turn.response().Choices {
		if c == nil {
			choices = append(choices, nil)
			continue
		}
		message := map[string]any{"role": "assistant", "content": c.Content, "refusal": nil}
		if c.ReasoningContent != "" {
			message["reasoning_content"] = c.ReasoningContent
		}
		if len(c.ToolCalls) > 0 {
			if c.Content == "" {
				message["content"] = nil
			}
			var calls []any
			for _, t := range c.ToolCalls {
				function := map[string]any{}
				if t.FunctionCall != nil {
					function = map[string]any{"name": t.FunctionCall.Name, "arguments": t.FunctionCall.Arguments}
				}
				calls = append(calls, map[string]any{"id": t.ID, "type": "function", "function": function})
			}
			message["tool_calls"] = calls
		}
		choice := map[string]any{"index": i, "message": message, "logprobs": nil, "finish_reason": finish(c.StopReason)}
		if p.reply.NoFinish {
			choice["finish_reason"] = nil
		}
		choices = append(choices, choice)
	}
	out["choices"] = choices
	if !p.reply.NoUsage {
		out["usage"] = p.usage()
	}
	return out
}

func finish(reason string) any {
	if reason == "" {
		return nil
	}
	return reason
}

func (p *player) usage() map[string]any {
	u := p.reply.Turn.Usage
	if u == nil {
		u = &Usage{Prompt: len(strings.Fields(p.req.text))}
		for _, c := range p.reply.Turn.response().Choices {
			if c != nil {
				u.Completion += len(strings.Fields(c.Content))
			}
		}
	}
	return map[string]any{
		"prompt_tokens": u.Prompt, "completion_tokens": u.Completion, "total_tokens": u.Prompt + u.Completion,
		"prompt_tokens_details":     map[string]any{"cached_tokens": u.Cached, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{"reasoning_tokens": u.Reasoning, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
	}
}

// stream sends the turn as server-sent events: for each choice its role, its
// deltas and its finish reason, then the usage if it was asked for, then
// [DONE].
func (p *player) stream() {
	h := p.w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
	}
	h.Set("Cache-Control", "no-cache")
	p.begin(p.status(200))
	p.flush()
	switch {
	case p.reply.Events != nil:
		for _, e := range p.reply.Events {
			if !p.sleep(e.Delay) || !p.event(e.Data) {
				return
			}
		}
		if p.reply.Turn.Hang {
			p.hang()
		}
		return
	case !p.sleep(p.reply.Turn.Delay) || !p.chunks():
		return
	case p.reply.Turn.Hang:
		p.hang()
		return
	case p.reply.StreamError != nil:
		p.event("data: " + string(encode(p.reply.StreamError.object())) + "\n\n")
		return
	}
	if !p.reply.NoFinish {
		for i, c := range p.reply.Turn.response().Choices {
			if c != nil && !p.delta(i, map[string]any{}, finish(c.StopReason)) {
				return
			}
		}
	}
	if p.req.IncludeUsage && !p.reply.NoUsage {
		out := p.head("chat.completion.chunk")
		out["choices"], out["usage"] = []any{}, p.usage()
		if !p.object(out) {
			return
		}
	}
	if !p.reply.NoDone {
		p.event("data: [DONE]\n\n")
	}
}

// chunks sends the deltas, with each choice's role before its first one, and
// reports whether to continue.
func (p *player) chunks() bool {
	chunks := p.reply.Turn.Chunks
	if chunks == nil {
		chunks = chunksOf(p.reply.Turn.Choices)
	}
	var begun []int
	for _, c := range chunks {
		if !p.sleep(c.Delay) {
			return false
		}
		if !slices.Contains(begun, c.Choice) {
			begun = append(begun, c.Choice)
			role := map[string]any{"role": "assistant", "content": ""}
			if c.Tools != nil {
				role["content"] = nil
			}
			if !p.delta(c.Choice, role, nil) {
				return false
			}
		}
		delta := map[string]any{"content": c.Text}
		switch {
		case c.Tools != nil:
			delta = map[string]any{"tool_calls": c.Tools}
		case c.Reasoning != "":
			delta = map[string]any{"reasoning_content": c.Reasoning}
		}
		if !p.delta(c.Choice, delta, nil) {
			return false
		}
	}
	return true
}

func (p *player) delta(choice int, delta map[string]any, reason any) bool {
	out := p.head("chat.completion.chunk")
	out["choices"] = []any{map[string]any{"index": choice, "delta": delta, "logprobs": nil, "finish_reason": reason}}
	if p.req.IncludeUsage {
		out["usage"] = nil
	}
	return p.object(out)
}

// models lists the models, or shows one.
func (p *player) models(id string) {
	model := func(id string) map[string]any {
		return map[string]any{"id": id, "object": "model", "created": created, "owned_by": "scripted"}
	}
	switch {
	case id == "":
		data := []any{}
		for _, m := range p.server.o.Models {
			data = append(data, model(m))
		}
		p.json(200, map[string]any{"object": "list", "data": data})
	case slices.Contains(p.server.o.Models, id):
		p.json(200, model(id))
	default:
		p.fail(&APIError{Status: 404, Type: "invalid_request_error", Code: "model_not_found", Param: "model", Message: fmt.Sprintf("The model '%s' does not exist", id)})
	}
}

const (
	defaultDimensions = 8
	maxDimensions     = 4096
)

// embeddings answers with the reply's vectors, or with hashed words if it has none.
func embeddings(req *Request, vectors [][]float32, noUsage bool) map[string]any {
	data, words := []any{}, 0
	for i, input := range req.inputs {
		words += len(strings.Fields(input))
		var v []float32
		switch {
		case i < len(vectors):
			v = vectors[i]
		case vectors == nil:
			v = hashed(input, req.dimensions)
		default:
			continue // fewer vectors than inputs: a fault that the test asks for
		}
		var embedding any = v
		if req.base64 {
			raw := make([]byte, 0, 4*len(v))
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			embedding = base64.StdEncoding.EncodeToString(raw)
		}
		data = append(data, map[string]any{"object": "embedding", "index": i, "embedding": embedding})
	}
	out := map[string]any{"object": "list", "data": data, "model": req.Model}
	if !noUsage {
		out["usage"] = map[string]any{"prompt_tokens": words, "total_tokens": words}
	}
	return out
}

// hashed is a vector of length 1; texts that share words have similar vectors. Each
// word adds or subtracts 1 at a place that its hash gives.
func hashed(text string, dimensions int) []float32 {
	if dimensions == 0 {
		dimensions = defaultDimensions
	}
	v := make([]float32, dimensions)
	norm := float32(0)
	for _, w := range strings.Fields(strings.ToLower(text)) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(w)) // a hash never fails
		sum := h.Sum64()
		v[sum%uint64(dimensions)] += 1 - 2*float32(sum>>63)
	}
	for _, x := range v {
		norm += x * x
	}
	if norm == 0 {
		v[0] = 1
		return v
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(float64(norm)))
	}
	return v
}
