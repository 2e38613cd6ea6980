package structured

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNoJSON reports that a text contains nothing that could be meant as JSON.
var ErrNoJSON = errors.New("structured: the text contains no JSON value")

// ErrDepth reports a value that nests deeper than [MaxDepth].
var ErrDepth = fmt.Errorf("structured: the value nests deeper than %d", MaxDepth)

// MaxDepth is how deep arrays and objects may nest.
const MaxDepth = 512

// A Value is a JSON value found in a text.
type Value struct {
	// JSON is the value in legal JSON. Numbers are as they were written, so no
	// digit is lost.
	JSON []byte

	// Start and End are the place of the value in the text, in bytes.
	Start, End int

	// Repaired reports whether something had to be repaired.
	Repaired bool

	// Cut reports whether the text ended before the value did. The value then has
	// what was complete, and the beginning of a string that was cut.
	Cut bool
}

// Repair returns the JSON value that a model's answer means. It reads what JSON
// allows, and beyond that:
//
//   - text before and after, code fences, a byte order mark, comments, "..." and
//     <think>...</think> are dropped; of several values the first counts; of the
//     channels of a harmony answer (<|channel|>) the final one;
//   - strings may have any quotes, or lack the first or the last one, and may
//     contain newlines and quotes of their own: a quote ends a string only if
//     what follows could follow a string;
//   - a backslash that begins no escape of JSON stays, as in "\d+" and "C:\Users";
//   - keys and words may come without quotes; True, False and None are read as
//     in Python, NaN and infinities as null;
//   - commas and colons may be missing, too many or of full width, and closing
//     brackets may be missing; Python's tuples and sets are arrays; an object
//     whose quotes are all escaped is read as if they were not;
//   - a text that was cut gives what was complete before.
//
// The time is linear in the text. Repair never guesses a value. Text that has no quotes
// and is not clearly a number stays a string, as it was written: 1,299.50 is the
// string "1,299.50", which a schema can refuse. Text that can't be read as a value is
// an error, [ErrNoJSON] or [ErrDepth].
func Repair(text string) (Value, error) { return repair(text, false) }

// RepairPrefix is Repair for a text that is still growing: a number at its end
// is left out, since more digits may follow.
func RepairPrefix(text string) (Value, error) { return repair(text, true) }

func repair(text string, growing bool) (Value, error) {
	text = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(text, "<|return|>"), "<|call|>"), "<|end|>")
	r := &reader{text: text, growing: growing}
	from := afterThoughts(text)
	for _, from := range []int{0, from} { // brackets and marks in a string are a part of it
		if start, end := trimmed(text, from); start < end && text[start] == '"' && json.Valid([]byte(text[start:end])) {
			return Value{JSON: []byte(text[start:end]), Start: start, End: end}, nil
		}
	}
	if v, ok := repairEscaped(text, from, growing); ok {
		return v, nil
	}
	var failed error
	for _, at := range starts(r, from) {
		v, err := r.read(at)
		if err == nil {
			return v, nil
		}
		failed = err
	}
	if failed != nil {
		return Value{}, failed
	}
	return r.readBare(from)
}

// A reader reads one value of a text and writes it as JSON.
type reader struct {
	text     string
	at       int
	out      []byte
	stack    []byte // the open brackets
	repaired bool
	cut      bool
	growing  bool // a number at the end isn't one yet
	quote    int  // the first double quote at or after the place it was asked for
	stop     int  // the same for a byte that no string without quotes contains
}

// read reads the object or array at a place.
func (r *reader) read(at int) (Value, error) {
	*r = reader{text: r.text, growing: r.growing, at: at}
	if err := r.value(); err != nil {
		return Value{}, err
	}
	return Value{JSON: r.out, Start: at, End: r.at, Repaired: r.repaired, Cut: r.cut}, nil
}

// readBare reads a text without brackets: a single string, number or word, or
// the inside of an object.
func (r *reader) readBare(from int) (Value, error) {
	*r = reader{text: r.text, growing: r.growing, at: from}
	r.skip()
	if rest, ok := strings.CutPrefix(r.text[r.at:], "```"); ok {
		r.at = len(r.text) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		r.skip()
	}
	start := r.at
	c, size := r.peek()
	switch {
	case size == 0:
		return Value{}, ErrNoJSON
	case isQuote(c) && r.keyAhead(r.at):
		r.repaired = true
		if err := r.members(); err != nil {
			return Value{}, err
		}
	case isQuote(c):
		r.string(c, false)
	default:
		end := r.wordEnd(r.at)
		word := r.text[r.at:end]
		if number, ok := number(word, end == len(r.text)); ok {
			r.out = append(r.out, number...)
			r.repaired = r.repaired || number != word
		} else if lit, exact, ok := literal(word); ok {
			r.out = append(r.out, lit...)
			r.repaired = r.repaired || !exact
		} else {
			return Value{}, ErrNoJSON
		}
		r.at = end
		r.skip()
		if rest := strings.TrimLeft(r.text[r.at:], "`"); strings.TrimSpace(rest) != "" {
			return Value{}, ErrNoJSON // a sentence that begins with a number
		}
	}
	return Value{JSON: r.out, Start: start, End: r.at, Repaired: r.repaired, Cut: r.cut}, nil
}

func (r *reader) peek() (rune, int) {
	if r.at >= len(r.text) {
		return 0, 0
	}
	return utf8.DecodeRuneInString(r.text[r.at:])
}

func isBlank(c rune) bool {
	return unicode.IsSpace(c) || c == '\ufeff' || c >= '\u200b' && c <= '\u200d' || c == '\u2060'
}

// skip passes over blanks, comments and ellipses.
func (r *reader) skip() {
	for r.at < len(r.text) {
		c, size := r.peek()
		rest := r.text[r.at:]
		switch {
		case c == ' ' || c == '\n' || c == '\r' || c == '\t':
			r.at += size
		case isBlank(c):
			r.at += size
			r.repaired = true
		case strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "# "):
			r.repaired = true
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				r.at += i + 1
			} else {
				r.at = len(r.text)
			}
		case strings.HasPrefix(rest, "/*"):
			r.repaired = true
			if i := strings.Index(rest, "*/"); i >= 0 {
				r.at += i + len("*/")
			} else {
				r.at = len(r.text)
			}
		case strings.HasPrefix(rest, "..."):
			r.repaired = true
			r.at += len("...")
		case c == '…':
			r.repaired = true
			r.at += size
		default:
			return
		}
	}
}

// value reads any value. If there is none, it writes nothing.
func (r *reader) value() error {
	r.skip()
	c, size := r.peek()
	switch {
	case size == 0:
		r.cut = true
		return nil
	case c == '{' || c == '[':
		if len(r.stack) >= MaxDepth {
			return ErrDepth
		}
		set := c == '{' && r.isSet(r.at)
		r.at++
		switch {
		case set:
			return r.elements('}')
		case c == '{':
			return r.members()
		}
		return r.elements(']')
	case c == '(' && r.isTuple(r.at):
		if len(r.stack) >= MaxDepth {
			return ErrDepth
		}
		r.at++
		return r.elements(')')
	case isQuote(c):
		r.string(c, false)
	default:
		r.bare()
	}
	return nil
}

// members reads the inside of an object and its end.
func (r *reader) members() error {
	return r.items(items{
		open: '{', close: '}', end: '}', mark: '}',
		stray:   ":][{`", // no key begins with these: templates write {{"a": 1}}
		missing: func(c rune) bool { return c == ']' && r.enclosedBy(']') },
		item: func() (bool, error) {
			ok, err := r.member()
			r.repaired = r.repaired || !ok
			return ok, err
		},
	})
}

// items describes an object or an array.
type items struct {
	open, close byte // the brackets to write
	end         byte // the bracket that ends it in the text
	mark        byte // what the stack has for it
	stray       string
	missing     func(c rune) bool    // whether c belongs to what is around, since the end is missing
	item        func() (bool, error) // reads a member or an element; false if there was none
}

func (r *reader) items(l items) error {
	r.stack = append(r.stack, l.mark)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()
	r.out = append(r.out, l.open)
	empty, comma := true, true // whether a comma came before
	for {
		r.skip()
		c, size := r.peek()
		switch {
		case size == 0:
			r.cut, r.repaired = true, true
			r.out = append(r.out, l.close)
			return nil
		case c == rune(l.end):
			r.at++
			r.repaired = r.repaired || comma && !empty
			r.out = append(r.out, l.close)
			return nil
		case l.missing(c):
			r.repaired = true
			r.out = append(r.out, l.close)
			return nil
		case isComma(c):
			r.at += size
			r.repaired = r.repaired || comma || c != ','
			comma = true
			continue
		case oneOf(l.stray, c):
			r.at += size
			r.repaired = true
			continue
		}
		before := len(r.out)
		if !empty {
			r.out = append(r.out, ',')
		}
		r.repaired = r.repaired || !comma
		comma = false
		ok, err := l.item()
		switch {
		case err != nil:
			return err
		case ok:
			empty = false
		default:
			r.out = r.out[:before]
		}
	}
}

// member reads a key and its value. It reports false if the text was cut before
// there was a value, or there is no key.
func (r *reader) member() (bool, error) {
	c, _ := r.peek()
	start := r.at
	if isQuote(c) {
		r.string(c, true)
	} else if q := r.lostQuote(r.at); q > 0 {
		r.repaired = true
		r.out = appendString(r.out, unescape(r.text[r.at:q]))
		_, size := utf8.DecodeRuneInString(r.text[q:])
		r.at = q + size
	} else {
		end := r.keyEnd(r.at)
		if end == r.at {
			_, size := r.peek()
			r.at += size
			return false, nil
		}
		r.repaired = true
		r.out = appendString(r.out, unescape(strings.TrimRightFunc(r.text[r.at:end], isBlank)))
		r.at = end
	}
	if r.cut {
		return false, nil
	}
	r.skip()
	c, size := r.peek()
	switch {
	case size == 0:
		r.cut = true
		return false, nil
	case c == ':' || c == '=' || c == '：':
		r.at += size
		if c == '=' && strings.HasPrefix(r.text[r.at:], ">") {
			r.at++
		}
		r.repaired = r.repaired || c != ':'
	case isComma(c) || c == '}' || c == ']':
		r.repaired = true
		r.out = append(r.out, ":null"...)
		return true, nil
	default:
		r.repaired = true // the colon is missing
	}
	r.out = append(r.out, ':')
	before := len(r.out)
	r.skip()
	if c, _ := r.peek(); isComma(c) || c == '}' || c == ']' {
		r.repaired = true
		r.out = append(r.out, "null"...)
		return true, nil
	}
	if err := r.value(); err != nil {
		return false, err
	}
	if len(r.out) == before && r.at == start {
		r.at++ // always make progress
	}
	return len(r.out) > before, nil
}

// elements reads the inside of an array and its end: of a tuple or set of Python's if
// end is another bracket.
func (r *reader) elements(end byte) error {
	r.repaired = r.repaired || end != ']'
	mark := end
	if end == '}' {
		mark = setMark
	}
	return r.items(items{
		open: '[', close: ']', end: end, mark: mark,
		stray: ":}]`",
		missing: func(c rune) bool {
			return (c == '}' || c == ']') && r.enclosedBy(byte(c)) || isQuote(c) && r.enclosedBy('}') && r.keyAhead(r.at)
		},
		item: func() (bool, error) {
			written, at := len(r.out), r.at
			err := r.value()
			if len(r.out) > written {
				return true, err
			}
			if r.at == at && r.at < len(r.text) {
				_, size := r.peek()
				r.at += size // always make progress
			}
			return false, err
		},
	})
}

// enclosedBy reports whether a bracket further out waits for c.
func (r *reader) enclosedBy(c byte) bool {
	for _, open := range r.stack[:len(r.stack)-1] {
		if open == c {
			return true
		}
	}
	return false
}
