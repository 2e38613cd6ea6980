package llama

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// properties compiles an object. Its listed properties come in their order; the ones
// that are not required may be left out.
func (c *compiler) properties(s *ordered, at string, depth int) *term {
	list := &ordered{values: map[string]any{}}
	if v, ok := s.get("properties"); ok {
		if list, ok = v.(*ordered); !ok {
			return c.fail(at, "properties is not an object")
		}
	}
	must, ok := required(s)
	if !ok {
		return c.fail(at, "required is not a list of names")
	}
	extra, free := s.get("additionalProperties")
	if !free {
		extra = true
	}
	if len(list.keys) == 0 && len(must) == 0 {
		if extra == false {
			return c.literal("{}")
		}
		pair := c.sequence(c.add(&term{kind: termText, max: -1}), c.mark(":"), c.compile(extra, at+"/additionalProperties", depth+1))
		return c.listOf("{", "}", pair, 0, -1)
	}
	names := slices.Clone(list.keys)
	for _, r := range must {
		if !slices.Contains(names, r) { // it must be there, with any value
			if extra == false {
				return c.fail(at, "%q is required and not allowed", r)
			}
			names = append(names, r)
		}
	}
	pairs := make([]*term, len(names))
	for i, name := range names {
		schema, listed := list.values[name]
		if !listed {
			schema = extra
		}
		var key bytes.Buffer
		writeCompact(&key, name)
		pairs[i] = c.sequence(c.literal(key.String()), c.mark(":"), c.compile(schema, at+"/properties/"+name, depth+1))
	}
	return c.sequence(c.literal("{"), c.rest(names, pairs, must))
}

func required(s *ordered) ([]string, bool) {
	v, ok := s.get("required")
	if !ok {
		return nil, true
	}
	list, ok := v.([]any)
	var out []string
	for _, x := range list {
		name, isText := x.(string)
		if !isText {
			return nil, false
		}
		out = append(out, name)
	}
	return out, ok
}

// rest builds, from the last property to the first, the rules for "this property or a
// later one": with a comma before it, or as the first.
func (c *compiler) rest(names []string, pairs []*term, required []string) *term {
	first, later := c.literal("}"), c.literal("}")
	for i := len(names) - 1; i >= 0; i-- {
		begin := c.sequence(pairs[i], later)
		follow := c.sequence(c.mark(","), pairs[i], later)
		if slices.Contains(required, names[i]) {
			first, later = begin, follow
			continue
		}
		first, later = c.choice(begin, first), c.choice(follow, later)
	}
	return first
}

func (c *compiler) array(s *ordered, at string, depth int) *term {
	lo, hi := c.number(s, "minItems", at, 0), c.number(s, "maxItems", at, -1)
	if lo < 0 || lo > 1000 || hi > 1000 || hi >= 0 && hi < lo {
		return c.fail(at, "an array of %d to %d items: at most 1000 are supported", lo, hi)
	}
	item, isSet := s.get("items")
	if !isSet {
		item = true
	}
	prefix, has := s.get("prefixItems")
	if !has {
		if hi == 0 || item == false {
			if lo > 0 {
				return c.fail(at, "no item is allowed and %d are wanted", lo)
			}
			return c.literal("[]")
		}
		return c.listOf("[", "]", c.compile(item, at+"/items", depth+1), lo, hi)
	}
	list, _ := prefix.([]any)
	if len(list) == 0 || lo > len(list) || hi >= 0 && hi < len(list) || isSet && item != false {
		return c.fail(at, "prefixItems: exactly the listed items are supported")
	}
	items := []*term{c.literal("[")}
	for i, p := range list {
		if i > 0 {
			items = append(items, c.mark(","))
		}
		items = append(items, c.compile(p, fmt.Sprintf("%s/prefixItems/%d", at, i), depth+1))
	}
	return c.sequence(append(items, c.literal("]"))...)
}

// listOf is open, lo to hi items between commas, closing; hi -1 is no bound.
func (c *compiler) listOf(open, closing string, item *term, lo, hi int) *term {
	end := c.literal(closing)
	var more *term // what may follow the last item that is bounded
	if hi < 0 {
		more = c.choice(end, nil)
		more.items[1] = c.sequence(c.mark(","), item, more)
	} else {
		more = end
		for i := hi; i > max(lo, 1); i-- {
			more = c.choice(end, c.sequence(c.mark(","), item, more))
		}
	}
	for i := lo; i > 1; i-- {
		more = c.sequence(c.mark(","), item, more)
	}
	first := c.sequence(item, more)
	if lo == 0 {
		first = c.choice(end, first)
	}
	return c.sequence(c.literal(open), first)
}

// finish computes the length of each rule's shortest text, which shows the rules that
// never end, and refuses rules that begin with themselves.
func (c *compiler) finish(root *term) error {
	for _, t := range c.terms {
		t.least = endless
	}
	for changed := true; changed; {
		changed = false
		for _, t := range c.terms {
			if n := t.length(); n < t.least {
				t.least, changed = n, true
			}
		}
	}
	if root.least >= endless {
		return fmt.Errorf("%w: no finite text fulfills it, or none of less than %d bytes", ErrSchema, endless)
	}
	for _, t := range c.terms { // an alternative that never ends is none
		if t.kind == termChoice {
			t.items = slices.DeleteFunc(t.items, func(x *term) bool { return x.least >= endless })
			for i, x := range t.items {
				if x.least < t.items[t.best].least {
					t.best = i
				}
			}
		}
	}
	return leftRecursion(c.terms, root)
}

func leftRecursion(terms []*term, root *term) error {
	state := make([]uint8, len(terms)) // 1: open, 2: done
	var visit func(t *term) error
	visit = func(t *term) error {
		if state[t.id] == 2 {
			return nil
		}
		if state[t.id] == 1 {
			return fmt.Errorf("%w: a $ref that refers to itself", ErrSchema)
		}
		state[t.id] = 1
		for i, x := range t.items {
			if t.kind == termSequence && i > 0 && t.items[i-1].least > 0 {
				break
			}
			if err := visit(x); err != nil {
				return err
			}
		}
		state[t.id] = 2
		return nil
	}
	return visit(root)
}

// endless is more bytes than a text may need.
const endless = 1 << 17

// length returns the length of the shortest text, from what is known of the items.
func (t *term) length() int {
	switch t.kind {
	case termLiteral:
		return len(t.literal)
	case termText:
		return t.min + 2
	case termInteger:
		return len(strconv.Itoa(shortInteger(t.min, t.max)))
	case termNumber:
		return 1
	case termChoice:
		n := endless
		for _, x := range t.items {
			n = min(n, x.least)
		}
		return n
	}
	n := 0
	for _, x := range t.items {
		n = min(endless, n+x.least)
	}
	return n
}

// write appends the shortest text.
func (t *term) write(b *strings.Builder) {
	switch t.kind {
	case termLiteral:
		b.WriteString(t.literal)
	case termText:
		b.WriteString(`"` + strings.Repeat("a", t.min) + `"`)
	case termInteger:
		b.WriteString(strconv.Itoa(shortInteger(t.min, t.max)))
	case termNumber:
		b.WriteByte('0')
	case termChoice:
		t.items[t.best].write(b)
	case termSequence:
		for _, x := range t.items {
			x.write(b)
		}
	}
}

// shortInteger returns the integer from lo to hi that is nearest to 0.
func shortInteger(lo, hi int) int { return min(max(0, lo), hi) }
