package openai

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A call is what a tool call's deltas add up to.
type call struct {
	index     int // its place in the answer
	wire      int // the index that the server gave it: several calls may have the same
	id, typ   string
	name      []byte
	arguments []byte
	extra     json.RawMessage
}

// numberCalls gives the calls of a whole message their places: there each is a
// call of its own, and mostly has no index.
func numberCalls(message *wireDelta) {
	for i := range message.ToolCalls {
		message.ToolCalls[i].Index = &i
	}
}

// addCalls adds the tool calls of a delta. It rewrites each of them to its new
// part, under the index of its place in the answer, so that a reader of the stream
// that uses only the indexes puts the same calls together.
func (c *choice) addCalls(deltas []toolDelta) {
	var seen []*call // the calls of this list so far
	for i := range deltas {
		t := &deltas[i]
		into := c.callOf(t, seen)
		seen = append(seen, into)
		c.recent = into
		t.Index = &into.index
		if into.id == "" {
			into.id = t.ID
		} else if t.ID != "" {
			t.ID = into.id // some servers make a new id for each delta
		}
		if t.Type != "" {
			into.typ = t.Type
		}
		if t.Extra != nil {
			into.extra = *t.Extra
		}
		into.join(&t.Function, t.ID != "")
	}
}

// join adds a delta's name and arguments, and leaves only the new parts in it.
func (c *call) join(f *functionDelta, named bool) {
	repeated := named || f.Name != ""
	if rest, ok := strings.CutPrefix(f.Name, string(c.name)); ok {
		f.Name = rest // the name again, or all of it so far
	}
	c.name = append(c.name, f.Name...)
	if repeated && len(f.Arguments) == len(c.arguments) && string(c.arguments) == f.Arguments && c.complete() {
		f.Arguments = ""
	}
	c.arguments = append(c.arguments, f.Arguments...)
}

// complete reports whether the arguments are a whole object.
func (c *call) complete() bool {
	return bytes.HasPrefix(c.arguments, []byte("{")) && json.Valid(c.arguments)
}

// callOf returns the call that a delta belongs to. It makes a new call if no known
// one fits. Servers number their calls, or give all of them the number 0, or no
// number. Some send an id once, some in each delta, and some never.
func (c *choice) callOf(t *toolDelta, seen []*call) *call {
	known := c.find(t)
	again := false
	for _, s := range seen {
		again = again || s == known
	}
	if known != nil && !known.endsBefore(t, again) {
		return known
	}
	made := &call{index: len(c.calls)}
	if t.Index != nil && *t.Index >= 0 {
		made.index = *t.Index
	}
	for _, other := range c.calls {
		if other.index == made.index { // the place is taken, so the next place after all
			for _, other := range c.calls {
				made.index = max(made.index, other.index+1)
			}
			break
		}
	}
	made.wire = made.index
	if t.Index != nil {
		made.wire = *t.Index
	}
	c.calls = append(c.calls, made)
	return made
}

// find returns the call that a delta's index and id point to, or nil: the last with
// that index, and of those the one with the id.
func (c *choice) find(t *toolDelta) (found *call) {
	if t.Index == nil && t.ID == "" {
		return c.recent
	}
	for _, known := range c.calls {
		if t.Index != nil && known.wire != *t.Index {
			continue
		}
		if t.ID != "" && known.id == t.ID {
			return known
		}
		if t.Index != nil {
			found = known
		}
	}
	return found
}

// endsBefore reports whether a delta that points to the call begins another one.
// again is whether the call was in the same list of deltas before.
func (c *call) endsBefore(t *toolDelta, again bool) bool {
	name := t.Function.Name
	otherID := t.ID != "" && c.id != "" && t.ID != c.id
	sameID := t.ID != "" && t.ID == c.id
	sameName := name == string(c.name)
	switch {
	case name == "": // more arguments, whatever the id
		return false
	case again && !sameID:
		return true
	case otherID: // unless each delta has a new id
		return !sameName || len(c.arguments) == 0 || c.complete()
	case len(c.arguments) > 0 && sameName:
		return c.complete() && t.Function.Arguments != "" && t.Function.Arguments != string(c.arguments)
	case len(c.arguments) > 0:
		return true
	}
	// The rest of a name, or the name again. Where the server sends neither index
	// nor id, the calls of a stream come whole.
	return t.Index == nil && t.ID == "" && c.id == "" && !sameName
}

// missing returns the part of a message that the choice doesn't have yet, as a
// delta. Servers end a stream with the whole message once more; others send
// messages instead of deltas, each with what it adds or with all there is. end is
// whether the choice is at its end.
func (c *choice) missing(m *wireDelta, end bool) *wireDelta {
	text := func(have []byte, whole string) *string {
		rest, again := strings.CutPrefix(whole, string(have))
		switch {
		case len(have) == 0 || again && (rest != "" || end || c.deltas):
		case c.deltas: // what was streamed counts
			rest = ""
		default:
			rest = whole
		}
		return &rest
	}
	d := &wireDelta{}
	if m.Content != nil {
		d.Content = text(c.content, *m.Content)
	}
	if m.Refusal != nil {
		d.Refusal = text(c.refusal, *m.Refusal)
	}
	if thought := m.thought(); thought != "" {
		d.Reasoning = text(c.reasoning, thought)
	}
	for i, t := range m.ToolCalls {
		known := c.find(&toolDelta{ID: t.ID, Index: &i})
		for _, other := range c.calls {
			if t.ID != "" && other.id == t.ID {
				known = other
			}
		}
		if known != nil && !c.deltas && t.ID != "" && known.id != "" && known.id != t.ID {
			known = nil // the next message, with the next call
		}
		if known == nil {
			t.Index = &i
			d.ToolCalls = append(d.ToolCalls, t)
		}
	}
	if c.function == nil {
		d.FunctionCall = m.FunctionCall
	}
	if len(c.parts) == 0 {
		d.parts = m.parts
	}
	return d
}
