package injection

import "strings"

// Payload splitting hides a text by cutting it: a = "ignore prev", b = "ious
// instructions", and then a + b (D. Kang et al., "Exploiting Programmatic Behavior
// of LLMs", 2023). concatenations reads what a model would: it keeps the strings
// that names are given. It writes out what is put together of names and strings, a
// line each.
func concatenations(m *mapped, emit func(string, mapped)) {
	c := concatenator{m: m, values: map[string][]span{}}
	b := newBuilder(m, 256)
	found := false
	for at := 0; at < len(m.text) && len(b.out) <= len(m.text); {
		parts, operands, next := c.expression(at)
		if operands == 0 {
			at = max(next, at+1)
			continue
		}
		if name := c.nameBefore(at); name != "" && len(c.values) < maxNames {
			c.values[name] = parts
		}
		if operands > 1 {
			for i, p := range parts {
				if i == 0 && found {
					b.add("\n", p.from, p.from+1)
				}
				b.keep(p.from, p.to)
			}
			found = true
		}
		at = next
	}
	if found {
		emit("concat", b.mapped())
	}
}

// Limits of a concatenation. A name may be used twice and the result again, so
// without them its length would double with each line. All of them together end
// where they are as long as the text.
const (
	maxNames    = 64
	maxParts    = 64
	maxLiteral  = 1024
	maxNameSize = 32
	maxListItem = 24 // a longer string in a list of strings is complete
)

type span struct{ from, to int }

type concatenator struct {
	m      *mapped
	values map[string][]span // the strings that names stand for
}

// expression reads operands with operators between them. It returns the strings
// they stand for, the number of operands, 0 if none begins here, and where to go
// on.
func (c *concatenator) expression(at int) (parts []span, operands, next int) {
	s := c.m.text
	value, literal, end := c.operand(at)
	if value == nil {
		return nil, 0, end
	}
	parts, operands, next = value, 1, end
	for {
		i := skipBlanks(s, next)
		gap := i - next
		size, kind := operator(s[i:])
		j := skipBlanks(s, i+size)
		value, isLiteral, end := c.operand(j)
		if value == nil || len(parts)+len(value) > maxParts {
			return parts, operands, next
		}
		fits := false
		switch kind {
		case "+":
			fits = true
		case ",":
			fits = !literal && !isLiteral || short(value) && short(parts[len(parts)-1:])
		case "and":
			fits = !literal && !isLiteral && gap > 0
		case "":
			fits = literal == isLiteral && (literal || s[next-1] == '}' && s[j] == '{' || gap == 0)
		}
		if !fits {
			return parts, operands, next
		}
		parts = append(parts[:len(parts):len(parts)], value...)
		operands, next, literal = operands+1, end, isLiteral
	}
}

func short(parts []span) bool {
	for _, p := range parts {
		if p.to-p.from > maxListItem {
			return false
		}
	}
	return true
}

// operator returns the length and kind of an operator that puts texts together.
func operator(s string) (size int, kind string) {
	for _, o := range []string{"+=", "..", "||", "+", ".", "&", "~"} {
		if strings.HasPrefix(s, o) {
			return len(o), "+"
		}
	}
	for _, o := range []string{"and ", "then ", "followed by "} {
		if strings.HasPrefix(s, o) {
			return len(o), "and"
		}
	}
	if strings.HasPrefix(s, ",") {
		return 1, ","
	}
	return 0, ""
}

// operand reads a string or a name that has a value. Without one it returns how
// far to go on.
func (c *concatenator) operand(at int) (value []span, literal bool, end int) {
	s := c.m.text
	if at >= len(s) {
		return nil, false, at
	}
	if size, closing := quotation(s, at); size > 0 {
		from := at + size
		line := s[from:min(len(s), from+maxLiteral)]
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		i := strings.Index(line, closing)
		if i < 0 || closing == "'" && from+i+1 < len(s) && wordByteAt(s, from+i+1) {
			return nil, false, from
		}
		return []span{{from, from + i}}, true, from + i + len(closing)
	}
	start := at
	for start < len(s) && start < at+2 && (s[start] == '$' || s[start] == '{') {
		start++
	}
	end = start
	for end < len(s) && wordByteAt(s, end) {
		end++
	}
	if end == start {
		return nil, false, at + 1
	}
	if end-start > maxNameSize {
		return nil, false, end
	}
	value = c.values[s[start:end]]
	if start > at && s[start-1] == '{' {
		if end == len(s) || s[end] != '}' {
			return nil, false, end
		}
		end++
	}
	return value, false, end
}

// quotation returns the length of a quotation mark that opens at a place, and
// the mark that closes it. An apostrophe inside a word opens nothing.
func quotation(s string, at int) (size int, closing string) {
	switch s[at] {
	case '"', '`':
		return 1, s[at : at+1]
	case '\'':
		if at > 0 && wordByteAt(s, at-1) {
			return 0, ""
		}
		return 1, "'"
	}
	if strings.HasPrefix(s[at:], "“") {
		return len("“"), "”"
	}
	return 0, ""
}

// nameBefore returns the name that is given the value which begins at a place:
// a = , let a be , a: and similar forms.
func (c *concatenator) nameBefore(at int) string {
	s := strings.TrimRight(c.m.text[max(0, at-maxNameSize-16):at], " \t")
	for _, given := range []string{":=", "=", ":", " is", " be", " to"} {
		rest, ok := strings.CutSuffix(s, given)
		if !ok {
			continue
		}
		rest = strings.TrimRight(rest, " \t")
		from := len(rest)
		for from > 0 && wordByteAt(rest, from-1) {
			from--
		}
		return rest[from:]
	}
	return ""
}

func skipBlanks(s string, at int) int {
	for at < len(s) && (s[at] == ' ' || s[at] == '\t') {
		at++
	}
	return at
}

func wordByteAt(s string, at int) bool {
	return classes[s[at]]&(isLetter|isDigit|isHigh) != 0 || s[at] == '_'
}
