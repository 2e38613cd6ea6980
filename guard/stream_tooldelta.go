package guard

import (
	"encoding/json"
	"strings"
)

// A toolDelta is a fragment of a tool call in OpenAI's form, as models stream
// it: the first of an index carries id and name, the others add to the
// arguments.
type toolDelta struct {
	Index    int           `json:"index"`
	ID       string        `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"`
	Function *functionPart `json:"function"`
}

type functionPart struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// isTools reports whether a chunk of unknown kind is a list of tool deltas.
func isTools(chunk []byte) bool {
	var deltas []toolDelta
	if len(chunk) == 0 || json.Unmarshal(chunk, &deltas) != nil {
		return false
	}
	for _, d := range deltas {
		if d.Function != nil {
			return true
		}
	}
	return false
}

// assemble puts calls together from chunks of deltas, in the order of their first
// pieces. A delta without an index that carries an id begins a call, as with models
// that send whole calls. Another id or name at an index that has one begins a call
// too, since some servers give every call the index 0.
func assemble(chunks [][]byte) ([]toolDelta, error) {
	var calls []toolDelta
	for _, chunk := range chunks {
		if len(chunk) == 0 {
			continue
		}
		var deltas []struct {
			toolDelta
			Index *int `json:"index"`
		}
		if err := json.Unmarshal(chunk, &deltas); err != nil {
			return nil, err
		}
		for _, d := range deltas {
			if d.Function == nil {
				d.Function = &functionPart{}
			}
			i := findCall(calls, d.Index, d.ID)
			if i < 0 || endsBefore(&calls[i], &d.toolDelta, d.Index != nil) {
				i = len(calls)
				made := toolDelta{Index: i, ID: d.ID, Type: d.Type, Function: &functionPart{}}
				if d.Index != nil {
					made.Index = *d.Index
				}
				calls = append(calls, made)
			}
			into := calls[i].Function
			into.Name += strings.TrimPrefix(d.Function.Name, into.Name) // the name again, or more of it
			into.Arguments += d.Function.Arguments
		}
	}
	return calls, nil
}

// findCall returns the call that an index and an id point to, -1 if there is none. It
// is the last one with that index, and of those the one with the id.
func findCall(calls []toolDelta, index *int, id string) int {
	if index == nil && id == "" {
		return len(calls) - 1
	}
	found := -1
	for i, c := range calls {
		if index != nil && c.Index != *index {
			continue
		}
		if id != "" && c.ID == id {
			return i
		}
		if index != nil {
			found = i
		}
	}
	return found
}

// endsBefore reports whether a delta that points to a call begins another one.
func endsBefore(c, d *toolDelta, indexed bool) bool {
	name := d.Function.Name
	sameName := name == c.Function.Name
	switch {
	case name == "", d.ID != "" && d.ID == c.ID: // more of the call
		return false
	case d.ID != "" && c.ID != "" && d.ID != c.ID: // unless the id is made up in each delta
		return !sameName || json.Valid([]byte(c.Function.Arguments))
	case c.Function.Arguments != "":
		return !sameName || d.Function.Arguments != "" && json.Valid([]byte(c.Function.Arguments))
	}
	// The rest of a name, or the name again. Without index and id, calls come whole.
	return !indexed && d.ID == "" && c.ID == "" && !sameName
}
