package guard

import "encoding/json"

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

// assemble puts the calls together that chunks of deltas are the pieces of, in
// the order of their first pieces. A delta without an index that carries an id
// begins a call, as with models that send whole calls.
func assemble(chunks [][]byte) ([]toolDelta, error) {
	var calls []toolDelta
	at := map[int]int{}
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
			index := max(0, len(calls)-1)
			if d.Index != nil {
				index = *d.Index
			} else if d.ID != "" {
				index = len(calls)
			}
			i, ok := at[index]
			if !ok {
				i = len(calls)
				at[index] = i
				calls = append(calls, toolDelta{ID: d.ID, Type: d.Type, Function: &functionPart{}})
			}
			if d.Function != nil {
				calls[i].Function.Name += d.Function.Name
				calls[i].Function.Arguments += d.Function.Arguments
			}
		}
	}
	return calls, nil
}
