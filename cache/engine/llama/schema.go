package llama

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A Grammar is what a JSON schema allows, as rules over bytes. It may be shared by
// goroutines.
type Grammar struct {
	root  *term
	terms int
}

// The kinds of rules.
type termKind uint8

const (
	termLiteral termKind = iota + 1
	termSequence
	termChoice
	termText    // a JSON string, with its quotes
	termInteger // a JSON number without a fraction
	termNumber
)

type term struct {
	kind     termKind
	id       int
	literal  string
	items    []*term
	min, max int // characters of a text, -1: no bound; bounds of an integer
	least    int // bytes of the shortest text that fulfills the rule
	best     int // the item of a choice that has it
}

// maxSchema bounds the rules of a schema, and so the memory of a hostile one.
const maxSchema = 50_000

// maxInteger bounds integers, so that every reader has room for them.
const maxInteger = 999_999_999_999_999

// NewGrammar compiles a JSON schema. What it allows is JSON that the schema accepts,
// without white space except at most one space after a colon or a comma; an object has
// the listed properties in their order, and no others unless none are listed; integers
// have at most 15 digits.
//
// It enforces type, properties, required, additionalProperties, items, prefixItems,
// minItems, maxItems, minLength, maxLength, enum, const, anyOf, oneOf (as anyOf, refused
// where two alternatives could both hold), $ref to the document's own parts, and minimum,
// maximum, exclusiveMinimum and exclusiveMaximum of integers. Annotations such as title,
// description, default and format are allowed. Any other keyword is an error that wraps
// [ErrSchema] and names it: a constraint that is ignored in silence is worse than none.
func NewGrammar(schema []byte) (*Grammar, error) {
	v, err := decodeOrdered(schema)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	c := &compiler{root: v, refs: map[string]*term{}}
	root := c.compile(v, "#", 0)
	if c.err != nil {
		return nil, c.err
	}
	if err := c.finish(root); err != nil {
		return nil, err
	}
	return &Grammar{root: root, terms: len(c.terms)}, nil
}

// AnyJSON is the grammar of a JSON object with whatever is in it: JSON mode.
func AnyJSON() *Grammar {
	g, err := NewGrammar([]byte(`{"type":"object"}`))
	if err != nil {
		panic("llama: the grammar of JSON: " + err.Error()) // a constant
	}
	return g
}

// An ordered is a JSON object that keeps its order.
type ordered struct {
	keys   []string
	values map[string]any
}

func (o *ordered) get(key string) (any, bool) {
	v, ok := o.values[key]
	return v, ok
}

func decodeOrdered(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := decodeValue(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the schema")
	}
	return v, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > 100 {
		return nil, fmt.Errorf("nested more than 100 deep")
	}
	switch t {
	case json.Delim('{'):
		o := &ordered{values: map[string]any{}}
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			key := k.(string) // the decoder allows no other key
			if _, twice := o.values[key]; twice {
				return nil, fmt.Errorf("the key %q appears twice", key)
			}
			o.keys = append(o.keys, key)
			o.values[key] = v
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.Token()
		return out, err
	}
	return t, nil
}

type compiler struct {
	root  any
	refs  map[string]*term
	terms []*term
	any   *term
	err   error
}

func (c *compiler) fail(at, format string, args ...any) *term {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s: "+format, append([]any{ErrSchema, at}, args...)...)
	}
	return &term{kind: termLiteral}
}

func (c *compiler) add(t *term) *term {
	t.id = len(c.terms)
	c.terms = append(c.terms, t)
	if len(c.terms) > maxSchema && c.err == nil {
		c.err = fmt.Errorf("%w: more than %d rules", ErrSchema, maxSchema)
	}
	return t
}

func (c *compiler) literal(s string) *term { return c.add(&term{kind: termLiteral, literal: s}) }
func (c *compiler) sequence(items ...*term) *term {
	return c.add(&term{kind: termSequence, items: items})
}
func (c *compiler) choice(items ...*term) *term {
	return c.add(&term{kind: termChoice, items: items})
}

// comma and colon may be followed by one space.
func (c *compiler) mark(s string) *term {
	return c.sequence(c.literal(s), c.choice(c.literal(""), c.literal(" ")))
}

var annotations = []string{
	"$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "example", "format", "deprecated", "readOnly", "writeOnly",
}

// keywords says which keywords each type enforces.
var keywords = map[string][]string{
	"object":  {"properties", "required", "additionalProperties"},
	"array":   {"items", "prefixItems", "minItems", "maxItems"},
	"string":  {"minLength", "maxLength"},
	"integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"number":  {}, "boolean": {}, "null": {},
}

func (c *compiler) compile(v any, at string, depth int) *term {
	if depth > 100 || c.err != nil {
		return c.fail(at, "nested more than 100 deep")
	}
	switch v := v.(type) {
	case bool:
		if v {
			return c.anything()
		}
		return c.fail(at, "false allows nothing")
	case *ordered:
		return c.object(v, at, depth)
	}
	return c.fail(at, "a schema is an object or a bool")
}

func (c *compiler) object(s *ordered, at string, depth int) *term {
	if ref, ok := s.get("$ref"); ok {
		c.only(s, at, "$ref")
		return c.ref(ref, at, depth)
	}
	if v, ok := s.get("const"); ok {
		c.only(s, at, "const", "type")
		return c.values([]any{v}, c.types(s, at), at)
	}
	if v, ok := s.get("enum"); ok {
		c.only(s, at, "enum", "type")
		list, _ := v.([]any)
		return c.values(list, c.types(s, at), at)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if v, ok := s.get(key); ok {
			c.only(s, at, key)
			list, _ := v.([]any)
			return c.alternatives(list, at+"/"+key, key == "oneOf", depth)
		}
	}
	types := c.types(s, at)
	allowed := []string{"type"}
	for _, t := range types {
		if _, ok := keywords[t]; !ok {
			return c.fail(at, "the type %q", t)
		}
		allowed = append(allowed, keywords[t]...)
	}
	if len(types) == 0 {
		c.only(s, at)
		return c.anything()
	}
	c.only(s, at, allowed...)
	out := make([]*term, len(types))
	for i, t := range types {
		out[i] = c.typed(t, s, at, depth)
	}
	if len(out) == 1 {
		return out[0]
	}
	return c.choice(out...)
}

// types returns the types that a schema names, or that its keywords imply.
func (c *compiler) types(s *ordered, at string) []string {
	v, ok := s.get("type")
	if !ok {
		for _, t := range []string{"object", "array", "string"} {
			for _, k := range keywords[t] {
				if _, ok := s.get(k); ok {
					return []string{t}
				}
			}
		}
		return nil
	}
	if name, ok := v.(string); ok {
		return []string{name}
	}
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		name, _ := x.(string)
		out = append(out, name)
	}
	if len(out) == 0 {
		c.fail(at, "type is %v", v)
	}
	return out
}

// only refuses keywords that are neither annotations nor enforced.
func (c *compiler) only(s *ordered, at string, enforced ...string) {
	for _, k := range s.keys {
		if !slices.Contains(enforced, k) && !slices.Contains(annotations, k) && !strings.HasPrefix(k, "x-") {
			c.fail(at, "the keyword %q can't be enforced here", k)
		}
	}
}

func (c *compiler) ref(v any, at string, depth int) *term {
	path, _ := v.(string)
	if t, ok := c.refs[path]; ok {
		return t
	}
	rest, ok := strings.CutPrefix(path, "#")
	if !ok {
		return c.fail(at, "$ref %q is not in this document", path)
	}
	to := c.root
	for _, step := range strings.Split(strings.TrimPrefix(rest, "/"), "/") {
		if rest == "" {
			break
		}
		o, _ := to.(*ordered)
		if o == nil {
			return c.fail(at, "$ref %q leads nowhere", path)
		}
		if to, ok = o.get(strings.NewReplacer("~1", "/", "~0", "~").Replace(step)); !ok {
			return c.fail(at, "$ref %q leads nowhere", path)
		}
	}
	// The rule is known by its place before it is compiled: it may contain itself.
	t := c.choice(nil)
	c.refs[path] = t
	t.items[0] = c.compile(to, path, depth+1)
	return t
}

func (c *compiler) constant(v any) *term {
	var b bytes.Buffer
	writeCompact(&b, v)
	return c.literal(b.String())
}

func writeCompact(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case *ordered:
		b.WriteByte('{')
		for i, k := range v.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeCompact(b, k)
			b.WriteByte(':')
			writeCompact(b, v.values[k])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, x := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeCompact(b, x)
		}
		b.WriteByte(']')
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)         // a decoded value has a JSON form
		b.Truncate(b.Len() - 1) // the line end
	}
}

// values compiles the values of an enum that have one of the types; no types: all.
func (c *compiler) values(list []any, types []string, at string) *term {
	var out []*term
	for _, v := range list {
		if len(types) == 0 || slices.ContainsFunc(types, func(t string) bool { return hasType(v, t) }) {
			out = append(out, c.constant(v))
		}
	}
	if len(out) == 0 {
		return c.fail(at, "no value is allowed")
	}
	return c.choice(out...)
}

func hasType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		f, err := v.Float64()
		return name == "number" || name == "integer" && err == nil && f == math.Trunc(f)
	case []any:
		return name == "array"
	}
	return name == "object"
}

func (c *compiler) alternatives(list []any, at string, exclusive bool, depth int) *term {
	if len(list) == 0 {
		return c.fail(at, "no alternative")
	}
	seen := map[string]bool{}
	out := make([]*term, len(list))
	for i, s := range list {
		if o, ok := s.(*ordered); ok && exclusive {
			for _, t := range c.types(o, at) {
				if seen[t] || t == "number" && seen["integer"] || t == "integer" && seen["number"] {
					return c.fail(at, "two alternatives of the type %s may both hold", t)
				}
				seen[t] = true
			}
			if len(c.types(o, at)) == 0 {
				return c.fail(at, "an alternative without a type may hold beside another")
			}
		}
		out[i] = c.compile(s, fmt.Sprintf("%s/%d", at, i), depth+1)
	}
	return c.choice(out...)
}

// number reads a keyword with a whole number.
func (c *compiler) number(s *ordered, key, at string, otherwise int) int {
	v, ok := s.get(key)
	if !ok {
		return otherwise
	}
	n, isNumber := v.(json.Number)
	f, err := n.Float64()
	if !isNumber || err != nil || math.Abs(f) > maxInteger || f != math.Trunc(f) {
		c.fail(at, "%s is %v, want a whole number", key, v)
		return otherwise
	}
	return int(f)
}

func (c *compiler) typed(name string, s *ordered, at string, depth int) *term {
	switch name {
	case "object":
		return c.properties(s, at, depth)
	case "array":
		return c.array(s, at, depth)
	case "string":
		t := &term{kind: termText, min: c.number(s, "minLength", at, 0), max: c.number(s, "maxLength", at, -1)}
		if t.min < 0 || t.min > 1<<16 || t.max >= 0 && t.max < t.min {
			return c.fail(at, "a text of %d to %d characters", t.min, t.max)
		}
		return c.add(t)
	case "integer":
		lo := max(c.number(s, "minimum", at, -maxInteger), c.number(s, "exclusiveMinimum", at, -maxInteger-1)+1)
		hi := min(c.number(s, "maximum", at, maxInteger), c.number(s, "exclusiveMaximum", at, maxInteger+1)-1)
		if lo > hi {
			return c.fail(at, "no integer from %d to %d", lo, hi)
		}
		return c.add(&term{kind: termInteger, min: lo, max: hi})
	case "number":
		return c.add(&term{kind: termNumber})
	case "boolean":
		return c.choice(c.literal("true"), c.literal("false"))
	}
	return c.literal("null")
}

// anything is a value without a schema.
func (c *compiler) anything() *term {
	if c.any != nil {
		return c.any
	}
	c.any = c.choice(nil)
	free := &ordered{}
	c.any.items = []*term{
		c.properties(free, "#", 0), c.array(free, "#", 0), c.typed("string", free, "#", 0), c.typed("number", free, "#", 0),
		c.typed("boolean", free, "#", 0), c.typed("null", free, "#", 0),
	}
	return c.any
}
