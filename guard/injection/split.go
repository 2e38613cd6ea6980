package injection

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Payload splitting hides a text by cutting it: a = "ignore prev", b = "ious
// instructions", and then a + b (D. Kang et al., "Exploiting Programmatic Behavior
// of LLMs", 2023). concatenations reads what a model would: it keeps the strings
// that names are given and writes out, a line each, what is put together of names
// and strings.
func concatenations(m *mapped, emit func(string, mapped)) {
	c := concatenator{m: m, values: map[string][]span{}}
	b := newBuilder(m, 256)
	found := false
	for at := 0; at < len(m.text); {
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
// without them its length would double with each line.
const (
	maxNames    = 64
	maxParts    = 64
	maxLiteral  = 1024
	maxNameSize = 32
	maxListItem = 24 // a longer string in a list of strings stands for itself
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
// a = , let a be , a: and the like.
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

// columns reads a table from top to bottom, and short lines, list items or cells
// without the gaps between them: "igno", "re all ru", "les".
func columns(m *mapped, emit func(string, mapped)) {
	for at := 0; at < len(m.text); {
		var rows [][]span
		end := at
		for end < len(m.text) && len(rows) < maxRows {
			line := lineAt(m.text, end)
			cells := cellsOf(line, end)
			if cells == nil {
				break
			}
			rows = append(rows, cells)
			end += len(line) + 1
		}
		if len(rows) >= minRows {
			glued, down := newBuilder(m, end-at), newBuilder(m, end-at)
			for _, row := range rows {
				for _, cell := range row {
					glued.keep(cell.from, cell.to)
				}
			}
			emit("joined", glued.mapped())
			for i := range rows[0] {
				for _, row := range rows {
					if i < len(row) && row[i].to > row[i].from {
						down.keep(row[i].from, row[i].to)
						down.add(" ", row[i].to-1, row[i].to)
					}
				}
			}
			if len(rows[0]) > 1 {
				emit("columns", down.mapped())
			}
		}
		if at == end {
			end += len(lineAt(m.text, at)) + 1
		}
		at = end
	}
}

const (
	minRows     = 3
	maxRows     = 256
	maxFragment = 24 // a longer line, item or cell stands for itself
)

// cellsOf returns the cells of a table's row, or the text of a short line or list
// item in prose; nil for any other line.
func cellsOf(line string, at int) []span {
	from, to := trim(line, 0, len(line))
	if from == to {
		return nil
	}
	if line[from] != '|' {
		if strings.ContainsAny(line, "(){}[]=;<>:+/\\\"") {
			return nil // code, settings
		}
		for from < to && !wordByteAt(line, from) { // a bullet, a number
			from++
		}
		if n := strings.IndexAny(line[from:to], ".)"); n > 0 && n <= 3 && digitsOnly(line[from:from+n]) {
			from, to = trim(line, from+n+1, to)
		}
		if from == to || to-from > maxFragment {
			return nil
		}
		return []span{{at + from, at + to}}
	}
	var cells []span
	for from < to {
		from++ // the bar
		next := from
		for next < to && line[next] != '|' {
			next++
		}
		if start, end := trim(line, from, next); end > start || next < to {
			if end-start > maxFragment {
				return nil
			}
			if strings.Trim(line[start:end], "-:") == "" {
				end = start
			}
			cells = append(cells, span{at + start, at + end})
		}
		from = next
	}
	return cells
}

func lineAt(s string, at int) string {
	line, _, _ := strings.Cut(s[at:], "\n")
	return line
}

func trim(s string, from, to int) (int, int) {
	for from < to && s[from] <= ' ' {
		from++
	}
	for to > from && s[to-1] <= ' ' {
		to--
	}
	return from, to
}

func digitsOnly(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) || r >= utf8.RuneSelf }) < 0
}
