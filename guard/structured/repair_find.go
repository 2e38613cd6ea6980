package structured

import (
	"strings"
)

// repairEscaped reads an object or array whose quotes are all escaped, as if it had
// been taken out of a string.
func repairEscaped(text string, from int, growing bool) (Value, bool) {
	start := from + strings.IndexAny(text[from:], "{[\"")
	if start < from || text[start] == '"' || !strings.HasPrefix(strings.TrimLeft(text[start:], "{[ \t\r\n"), `\"`) {
		return Value{}, false
	}
	var plain []byte
	var places []int // of the bytes of plain in text
	for i := start; i < len(text); i++ {
		places = append(places, i)
		if text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\') {
			i++
		}
		plain = append(plain, text[i])
	}
	v, err := repair(string(plain), growing)
	if err != nil {
		return Value{}, false
	}
	v.Start, v.End, v.Repaired = places[v.Start], append(places, len(text))[v.End], true
	return v, true
}

func trimmed(text string, from int) (start, end int) {
	end = from + len(strings.TrimRightFunc(text[from:], isBlank))
	return end - len(strings.TrimLeftFunc(text[from:end], isBlank)), end
}

// thoughts are the marks around a model's thinking.
var thoughts = [][2]string{{"<think>", "</think>"}, {"<thinking>", "</thinking>"}, {"<reasoning>", "</reasoning>"}, {"<thought>", "</thought>"}, {"[THINK]", "[/THINK]"}, {"◁think▷", "◁/think▷"}}

// afterThoughts returns where a text begins after its thinking. Some servers drop the
// opening mark, so the closing one counts.
func afterThoughts(text string) int {
	from := finalChannel(text)
	for _, mark := range thoughts {
		open, shut := mark[0], mark[1]
		rest := strings.TrimLeftFunc(text[from:], isBlank)
		if end := strings.Index(text[from:], shut); end >= 0 && (strings.HasPrefix(rest, open) ||
			!strings.Contains(text[from:from+end], open) && strings.ContainsAny(text[from+end:], "{[") && outside(text[from:from+end])) {
			from += end + len(shut)
		}
	}
	return from
}

// finalChannel returns where the answer begins in a text of OpenAI's harmony format:
// after the head of the last final channel. Without one it is the last commentary. A
// text that only has an analysis channel has no answer.
func finalChannel(text string) int {
	const channel, message = "<|channel|>", "<|message|>"
	first := strings.Index(text, channel)
	if first < 0 || !outside(text[:first]) || strings.ContainsAny(text[:first], "{}") {
		return 0
	}
	for _, name := range []string{"final", "commentary"} {
		if at := strings.LastIndex(text, channel+name); at >= 0 {
			if body := strings.Index(text[at:], message); body >= 0 {
				return at + body + len(message)
			}
		}
	}
	return len(text)
}

// outside reports whether the text before a closing tag isn't the beginning of a
// JSON text in which the tag is quoted.
func outside(before string) bool {
	before = strings.TrimLeftFunc(before, isBlank)
	return !strings.HasPrefix(before, "{") && !strings.HasPrefix(before, "[") && !strings.HasPrefix(before, "```")
}

// starts returns the places where a value may begin: the inside of the first code
// fence that contains one, then any bracket that looks like a beginning.
func starts(r *reader, from int) []int {
	var all []int
	first := -1
	for i := from; i < len(r.text); i++ {
		if c := r.text[i]; (c == '{' || c == '[') && r.plausible(i) {
			first = i
			break
		}
	}
	if first < 0 {
		return nil
	}
	if fence := strings.Index(r.text[from:], "```json"); fence >= 0 {
		i := from + fence + len("```json")
		for i < len(r.text) && isBlank(rune(r.text[i])) {
			i++
		}
		if i < len(r.text) && i != first && (r.text[i] == '{' || r.text[i] == '[') && !r.inside(first, i) {
			all = append(all, i)
		}
	}
	return append(all, first)
}

// inside reports whether a place is within the value that begins at start. A fence in
// a string is not a fence.
func (r *reader) inside(start, place int) bool {
	probe := &reader{text: r.text}
	v, err := probe.read(start)
	return err == nil && v.End > place
}

// plausible reports whether what follows the bracket at i could be the inside of a
// value: true for {"a": 1} and [1, 2], false for a {placeholder} and [a link].
func (r *reader) plausible(i int) bool {
	p := r.ahead(i + 1)
	p.skip()
	c, size := p.peek()
	switch {
	case size == 0 || c == '{' || c == '[':
		return true
	case r.text[i] == '{':
		if c == '}' || isQuote(c) {
			return true
		}
		end := p.wordEnd(p.at)
		if q := p.lostQuote(p.at); q > 0 || r.isSet(i) {
			return true
		}
		p.at = end
		p.skip()
		c, _ = p.peek()
		return strings.TrimFunc(r.text[i+1:end], isBlank) != "" && (c == ':' || c == '：')
	case c == ']' || isQuote(c) || c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return true
	}
	_, _, ok := literal(r.text[p.at:p.wordEnd(p.at)])
	return ok || c == '(' && r.isTuple(p.at)
}
