package jinja

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

type undefined struct{}

// A Dict is a map that keeps its order.
type Dict struct {
	Keys   []string
	Values map[string]any
}

// Set adds or replaces an entry.
func (d *Dict) Set(key string, value any) {
	if d.Values == nil {
		d.Values = map[string]any{}
	}
	if _, ok := d.Values[key]; !ok {
		d.Keys = append(d.Keys, key)
	}
	d.Values[key] = value
}

// MarshalJSON keeps the order.
func (d *Dict) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, k := range d.Keys {
		if i > 0 {
			b.WriteString(", ")
		}
		key, _ := json.Marshal(k) // a string has a JSON form
		v, err := toJSON(d.Values[k])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteString(": ")
		b.WriteString(v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		d := &Dict{}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			d.Set(k, normal(v[k]))
		}
		return d
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normal(x)
		}
		return out
	}
	return v
}

type renderer struct {
	out    strings.Builder
	scopes []map[string]any
	steps  int
}

func (r *renderer) step() error {
	if r.steps++; r.steps > maxSteps {
		return fmt.Errorf("%w: more than %d steps", ErrRender, maxSteps)
	}
	if r.out.Len() > maxOutput {
		return fmt.Errorf("%w: more than %d bytes", ErrRender, maxOutput)
	}
	return nil
}

func (r *renderer) lookup(name string) any {
	for i := len(r.scopes) - 1; i >= 0; i-- {
		if v, ok := r.scopes[i][name]; ok {
			return v
		}
	}
	return undefined{}
}

func (r *renderer) all(body []node) error {
	for i := range body {
		if err := r.step(); err != nil {
			return err
		}
		if err := r.one(&body[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *renderer) one(n *node) error {
	switch n.kind {
	case "text":
		r.out.WriteString(n.text)
		return nil
	case "set":
		return r.set(n)
	}
	v, err := r.eval(n.expr)
	if err != nil {
		return err
	}
	switch n.kind {
	case "out":
		r.out.WriteString(toString(v))
		return nil
	case "if":
		if truth(v) {
			return r.all(n.body)
		}
		return r.all(n.other)
	}
	return r.loop(n, v)
}

func (r *renderer) set(n *node) error {
	var v any
	var err error
	if n.expr != nil {
		v, err = r.eval(n.expr)
	} else {
		inner := &renderer{scopes: r.scopes, steps: r.steps}
		err = inner.all(n.body)
		r.steps = inner.steps
		v = inner.out.String()
	}
	if err != nil {
		return err
	}
	if n.attr == "" {
		r.scopes[len(r.scopes)-1][n.names[0]] = v
		return nil
	}
	d, ok := r.lookup(n.names[0]).(*Dict)
	if !ok {
		return fmt.Errorf("%w: %s is not a namespace", ErrRender, n.names[0])
	}
	d.Set(n.attr, v)
	return nil
}

func (r *renderer) loop(n *node, over any) error {
	items, ok := elements(over)
	if !ok {
		return fmt.Errorf("%w: a for over %s", ErrRender, kindName(over))
	}
	r.scopes = append(r.scopes, nil)
	defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	bind := func(item any) (map[string]any, error) {
		scope := map[string]any{}
		if len(n.names) == 1 {
			scope[n.names[0]] = item
			return scope, nil
		}
		parts, ok := item.([]any)
		if !ok || len(parts) != len(n.names) {
			return nil, fmt.Errorf("%w: a for that takes %d names from %s", ErrRender, len(n.names), kindName(item))
		}
		for i, name := range n.names {
			scope[name] = parts[i]
		}
		return scope, nil
	}
	if n.cond != nil {
		var kept []any
		for _, item := range items {
			scope, err := bind(item)
			if err != nil {
				return err
			}
			r.scopes[len(r.scopes)-1] = scope
			v, err := r.eval(n.cond)
			if err != nil {
				return err
			}
			if truth(v) {
				kept = append(kept, item)
			}
		}
		items = kept
	}
	if len(items) == 0 {
		r.scopes[len(r.scopes)-1] = map[string]any{}
		return r.all(n.other)
	}
	for i, item := range items {
		scope, err := bind(item)
		if err != nil {
			return err
		}
		loop := &Dict{}
		loop.Set("index0", i)
		loop.Set("index", i+1)
		loop.Set("first", i == 0)
		loop.Set("last", i == len(items)-1)
		loop.Set("length", len(items))
		if i > 0 {
			loop.Set("previtem", items[i-1])
		}
		if i+1 < len(items) {
			loop.Set("nextitem", items[i+1])
		}
		scope["loop"] = loop
		r.scopes[len(r.scopes)-1] = scope
		if err := r.all(n.body); err != nil {
			return err
		}
	}
	return nil
}

func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case *Dict:
		out := make([]any, len(v.Keys))
		for i, k := range v.Keys {
			out[i] = k
		}
		return out, true
	case string:
		var out []any
		for _, c := range v {
			out = append(out, string(c))
		}
		return out, true
	case undefined:
		return nil, true
	}
	return nil, false
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case *Dict:
		return len(v.Keys) > 0
	}
	return true
}

func toString(v any) string {
	switch v := v.(type) {
	case undefined:
		return ""
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case string:
		return v
	case []any, *Dict:
		s, _ := toJSON(v) // Python's own notation differs in its quotes; templates use tojson
		return s
	}
	return fmt.Sprint(v)
}

// toJSON is Python's json.dumps: spaces after separators.
func toJSON(v any) (string, error) {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			s, err := toJSON(x)
			if err != nil {
				return "", err
			}
			parts[i] = s
		}
		return "[" + strings.Join(parts, ", ") + "]", nil
	case *Dict:
		b, err := v.MarshalJSON()
		return string(b), err
	case undefined:
		return "", fmt.Errorf("%w: tojson of what is undefined", ErrRender)
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("%w: %w", ErrRender, err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "none"
	case undefined:
		return "what is undefined"
	case *Dict:
		return "a mapping"
	case []any:
		return "a list"
	}
	return fmt.Sprintf("a %T", v)
}

// now is the date that strftime_now formats.
var now = time.Now
