package celery

import (
	"encoding/json"
	"fmt"
)

// A Call is the arguments of a task: the payload of a job. Use it as the type In of a
// queue.Kind.
type Call struct {
	Args   []json.RawMessage          `json:"args"`
	Kwargs map[string]json.RawMessage `json:"kwargs"`
}

// Args makes a call with positional arguments.
func Args(values ...any) (Call, error) {
	c := Call{Args: []json.RawMessage{}}
	for i, v := range values {
		raw, err := json.Marshal(v)
		if err != nil {
			return Call{}, fmt.Errorf("celery: argument %d: %w", i+1, err)
		}
		c.Args = append(c.Args, raw)
	}
	return c, nil
}

// With returns the call with one more named argument.
func (c Call) With(name string, value any) (Call, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return Call{}, fmt.Errorf("celery: argument %s: %w", name, err)
	}
	named := map[string]json.RawMessage{name: raw}
	for k, v := range c.Kwargs {
		if k != name {
			named[k] = v
		}
	}
	return Call{Args: c.Args, Kwargs: named}, nil
}

// Bind reads the arguments into pointers by the parameters' names, in their order, as
// Python does: positional ones first, the others by name. A parameter without an
// argument keeps its value, which is its default. An argument that fits no parameter
// is an error.
func (c Call) Bind(names []string, into ...any) error {
	if len(names) != len(into) {
		return fmt.Errorf("celery: Bind has %d names for %d values", len(names), len(into))
	}
	if len(c.Args) > len(names) {
		return fmt.Errorf("celery: %d positional arguments, and the task has %d parameters", len(c.Args), len(names))
	}
	known := map[string]bool{}
	for i, name := range names {
		known[name] = true
		raw, named := c.Kwargs[name]
		if i < len(c.Args) {
			if named {
				return fmt.Errorf("celery: two values for the parameter %s", name)
			}
			raw = c.Args[i]
		}
		if raw == nil {
			continue
		}
		if err := json.Unmarshal(raw, into[i]); err != nil {
			return fmt.Errorf("celery: the argument %s: %w", name, err)
		}
	}
	for name := range c.Kwargs {
		if !known[name] {
			return fmt.Errorf("celery: the task has no parameter %s", name)
		}
	}
	return nil
}
