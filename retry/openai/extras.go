package openai

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/prodailabs/prodai/internal/callopt"
)

// MetadataToolCallExtra is the key of a map[string]any. It maps the ids of tool
// calls in the messages to what the model sent beside them, as ToolCallExtra in
// GenerationInfo has it. Gemini 3 refuses a conversation whose calls lack their
// thought signatures, for which llms.ToolCall has no field. A [Model] sends those
// of its own recent calls by itself. A program that continues a conversation of
// another process passes them here.
const MetadataToolCallExtra = "openai:tool_call_extra"

// The bounds of what a Model keeps of its calls.
const (
	maxExtras    = 1024
	maxExtraSize = 64 << 10
)

// extras are what a server sent beside the recent tool calls. Its zero value is
// ready, and it is safe for concurrent use.
type extras struct {
	mu    sync.Mutex
	known map[extraKey]json.RawMessage
	order []extraKey // a ring
	next  int
}

// An extraKey is a call with its name and arguments: ids alone are not unique among
// conversations.
type extraKey struct{ id, name, arguments string }

func (e *extras) keep(key extraKey, extra json.RawMessage) {
	if len(extra) > maxExtraSize {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil {
		e.known = make(map[extraKey]json.RawMessage)
	}
	if _, ok := e.known[key]; !ok {
		if len(e.order) < maxExtras {
			e.order = append(e.order, key)
		} else {
			delete(e.known, e.order[e.next])
			e.order[e.next] = key
			e.next = (e.next + 1) % maxExtras
		}
	}
	e.known[key] = extra
}

func (e *extras) of(key extraKey) (json.RawMessage, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	extra, ok := e.known[key]
	return extra, ok
}

// learn keeps the extras of an answer's calls.
func (e *extras) learn(a *answer) {
	for _, c := range a.choices {
		for _, t := range c.calls {
			if len(t.extra) > 0 {
				e.keep(extraKey{t.id, string(t.name), string(t.arguments)}, t.extra)
			}
		}
	}
}

// toolCallExtra returns the extras of a choice's calls by their ids, nil if there are
// none.
func (c *choice) toolCallExtra() map[string]any {
	var all map[string]any
	for _, t := range c.calls {
		var extra any
		if len(t.extra) == 0 || json.Unmarshal(t.extra, &extra) != nil {
			continue
		}
		if all == nil {
			all = make(map[string]any)
		}
		all[t.id] = extra
	}
	return all
}

// addExtras puts the extras of the calls in the messages where the server sent them.
func (e *extras) addExtras(messages []wireMessage, o *callopt.Options) error {
	given, ok := o.Metadata[MetadataToolCallExtra].(map[string]any)
	if !ok && o.Metadata[MetadataToolCallExtra] != nil {
		return fmt.Errorf("%w: Metadata[%q] is a %T, want a map[string]any", ErrOption, MetadataToolCallExtra, o.Metadata[MetadataToolCallExtra])
	}
	for _, m := range messages {
		for i := range m.ToolCalls {
			t := &m.ToolCalls[i]
			if extra, ok := given[t.ID]; ok {
				t.Extra = extra
			} else if extra, ok := e.of(extraKey{t.ID, t.Function.Name, t.Function.Arguments}); ok {
				t.Extra = extra
			}
		}
	}
	return nil
}
