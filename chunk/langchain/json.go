package langchain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrJSON is the error for a text that is not JSON, or whose value is not an
// object.
var ErrJSON = errors.New("langchain: not JSON that can be cut")

// maxDepth limits the nesting of JSON, as encoding/json does.
const maxDepth = 10000

// JSONOptions configure [JSON]. The sizes are in bytes of the form that JSON
// writes; as in the original, chunks may miss them.
type JSONOptions struct {
	// Size is the largest size, 1 or more. Default: 2000.
	Size int

	// MinSize is the size from which an object is full, 1 or more. Default: Size
	// less 200, but at least 50.
	MinSize int

	// ConvertLists makes an object, keyed by index, of each list. Without it a
	// list isn't cut and may not be the whole text. Default: false.
	ConvertLists bool
}

// JSON cuts a JSON object exactly as RecursiveJsonSplitter of
// langchain-text-splitters 1.1.3 does, into objects that repeat the keys above
// them, in the form of Python's json.dumps. For new work [chunk.JSON] is better,
// whose chunks are parts of the text.
//
// It fails with [ErrOption] or [ErrJSON].
func JSON(data []byte, o *JSONOptions) ([]string, error) {
	var opts JSONOptions
	if o != nil {
		opts = *o
	}
	if opts.Size == 0 {
		opts.Size = 2000
	}
	if opts.Size < 0 {
		return nil, fmt.Errorf("%w: JSONOptions.Size is %d: want 1 or more", ErrOption, opts.Size)
	}
	if opts.MinSize == 0 {
		opts.MinSize = max(opts.Size-200, 50)
	}
	if opts.MinSize < 0 {
		return nil, fmt.Errorf("%w: JSONOptions.MinSize is %d: want 1 or more", ErrOption, opts.MinSize)
	}
	r := jsonReader{Decoder: json.NewDecoder(bytes.NewReader(data)), data: data, convertLists: opts.ConvertLists}
	r.UseNumber()
	root, err := r.value(0)
	if err == nil {
		if _, more := r.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("text after the value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if root.keys == nil && root.text != "null" {
		return nil, fmt.Errorf("%w: the value must be an object (a list too, with ConvertLists)", ErrJSON)
	}
	c := jsonCutter{size: opts.Size, smallest: opts.MinSize, out: []*jsonValue{{keys: map[string]int{}}}}
	c.cut(root, nil)
	if last := len(c.out) - 1; len(c.out[last].values) == 0 {
		c.out = c.out[:last]
	}
	texts := make([]string, len(c.out))
	for i, v := range c.out {
		texts[i] = string(v.dump(nil))
	}
	return texts, nil
}

// A jsonValue is an object in the order of its keys, or the text of another value
// as Python writes it.
type jsonValue struct {
	keys   map[string]int // nil: not an object
	names  []string
	values []*jsonValue
	text   string
}

func (v *jsonValue) set(name string, value *jsonValue) {
	if i, ok := v.keys[name]; ok {
		v.values[i] = value
		return
	}
	v.keys[name] = len(v.names)
	v.names, v.values = append(v.names, name), append(v.values, value)
}

func (v *jsonValue) dump(to []byte) []byte {
	if v.keys == nil {
		return append(to, v.text...)
	}
	to = append(to, '{')
	for i, name := range v.names {
		if i > 0 {
			to = append(to, ", "...)
		}
		to = append(append(to, pythonString(name)...), ": "...)
		to = v.values[i].dump(to)
	}
	return append(to, '}')
}

func (v *jsonValue) size() int {
	if v.keys == nil {
		return len(v.text)
	}
	n := len("{}")
	for i, name := range v.names {
		if i > 0 {
			n += len(", ")
		}
		n += len(pythonString(name)) + len(": ") + v.values[i].size()
	}
	return n
}

type jsonCutter struct {
	size, smallest int
	out            []*jsonValue
}

func (c *jsonCutter) cut(v *jsonValue, path []string) {
	if v.keys == nil || len(v.names) == 0 {
		if len(path) > 0 {
			c.put(path, v)
		}
		return
	}
	for i, name := range v.names {
		value := v.values[i]
		below := append(path[:len(path):len(path)], name)
		have := c.out[len(c.out)-1].size()
		if len(pythonString(name))+len("{: }")+value.size() < c.size-have {
			c.put(below, value)
			continue
		}
		if have >= c.smallest {
			c.out = append(c.out, &jsonValue{keys: map[string]int{}})
		}
		c.cut(value, below)
	}
}

func (c *jsonCutter) put(path []string, value *jsonValue) {
	at := c.out[len(c.out)-1]
	for _, name := range path[:len(path)-1] {
		i, ok := at.keys[name]
		if !ok {
			at.set(name, &jsonValue{keys: map[string]int{}})
			i = at.keys[name]
		}
		at = at.values[i]
	}
	at.set(path[len(path)-1], value)
}

type jsonReader struct {
	*json.Decoder
	data         []byte
	convertLists bool
}

// token is Token, but keeps half a surrogate pair, as Python does.
func (d *jsonReader) token() (json.Token, error) {
	start := d.InputOffset()
	tok, err := d.Token()
	if s, ok := tok.(string); ok && strings.ContainsRune(s, utf8.RuneError) {
		raw := d.data[start:d.InputOffset()]
		return halves(string(raw[bytes.IndexByte(raw, '"'):])), err
	}
	return tok, err
}

// halves decodes a JSON string that is known to be valid. Half a surrogate pair
// becomes the three bytes that UTF-8 would have for it if it allowed one.
func halves(quoted string) string {
	var out []byte
	for rest := quoted[1 : len(quoted)-1]; rest != ""; {
		code, n := escapedUnit(rest)
		if low, m := escapedUnit(rest[n:]); m > 0 && utf16.DecodeRune(code, low) != utf8.RuneError {
			n += m // a whole pair
		} else if utf16.IsSurrogate(code) {
			out = append(out, 0xe0|byte(code>>12), 0x80|byte(code>>6)&0x3f, 0x80|byte(code)&0x3f)
			rest = rest[n:]
			continue
		}
		switch {
		case n > 0:
		case rest[0] == '\\':
			n = 2
		default:
			_, n = utf8.DecodeRuneInString(rest)
		}
		var s string
		if json.Unmarshal([]byte(`"`+rest[:n]+`"`), &s) == nil {
			out = append(out, s...)
		}
		rest = rest[n:]
	}
	return string(out)
}

// escapedUnit returns the UTF-16 unit that text begins with as \uXXXX, and how many
// bytes that is, or 0.
func escapedUnit(text string) (rune, int) {
	const size = len(`\uXXXX`)
	if len(text) < size || text[:2] != `\u` {
		return 0, 0
	}
	code, err := strconv.ParseUint(text[2:size], 16, 16)
	if err != nil {
		return 0, 0
	}
	return rune(code), size
}

// value reads one value.
func (d *jsonReader) value(depth int) (*jsonValue, error) {
	if depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	tok, err := d.token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Delim:
		v := &jsonValue{}
		if tok == '{' || d.convertLists {
			v.keys = map[string]int{}
		}
		var list []string
		for i := 0; d.More(); i++ {
			name := strconv.Itoa(i)
			if tok == '{' {
				key, err := d.token()
				if err != nil {
					return nil, err
				}
				name = key.(string)
			}
			child, err := d.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if v.keys != nil {
				v.set(name, child)
			} else {
				list = append(list, string(child.dump(nil)))
			}
		}
		if v.keys == nil {
			v.text = "[" + strings.Join(list, ", ") + "]"
		}
		_, err := d.Token()
		return v, err
	case string:
		return &jsonValue{text: pythonString(tok)}, nil
	case json.Number:
		return &jsonValue{text: pythonNumber(tok.String())}, nil
	case bool:
		return &jsonValue{text: strconv.FormatBool(tok)}, nil
	}
	return &jsonValue{text: "null"}, nil
}

// pythonNumber writes a number as Python's json does after reading it.
func pythonNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		if s == "-0" {
			return "0"
		}
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil { // beyond what a float can be: Python has an infinity
		if f < 0 {
			return "-Infinity"
		}
		return "Infinity"
	}
	e := strconv.FormatFloat(f, 'e', -1, 64)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	if exp < -4 || exp >= 16 {
		return e
	}
	out := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}

// pythonString writes a string as json.dumps does: all in ASCII.
func pythonString(s string) string {
	out := append(make([]byte, 0, len(s)+2), '"')
	for i, r := range s {
		switch {
		case r == utf8.RuneError && s[i] == 0xed && i+2 < len(s): // half a surrogate pair, see halves
			out = fmt.Appendf(out, `\u%04x`, 0xd000|rune(s[i+1]&0x3f)<<6|rune(s[i+2]&0x3f))
		case r == utf8.RuneError && s[i] < 0xc0: // the rest of it
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\b':
			out = append(out, `\b`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r >= 0x10000:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		case r < 0x20 || r > 0x7e && r != 0x7f:
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, byte(r))
		}
	}
	return string(append(out, '"'))
}
