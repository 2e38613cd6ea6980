package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// A leaf is a value in a tool call's arguments: a string, a number or a key. A key can
// carry as much as a value.
type leaf struct {
	top        string // the argument it belongs to
	depth      int    // how many objects and lists it is in
	value      string // decoded
	start, end int    // in the JSON text
	text       bool   // it is a string
	key        bool
	name       bool // it is the name of an argument, which the tool's definition gives
}

var errNoObject = errors.New("the arguments aren't one JSON object")

// leavesOf reads the arguments of a call. No arguments at all are an empty
// object.
func leavesOf(arguments string) ([]leaf, error) {
	switch text := strings.TrimSpace(arguments); {
	case text == "":
		return nil, nil
	case text[0] != '{':
		return nil, errNoObject
	}
	return readLeaves(arguments)
}

// readLeaves reads one JSON text that can be read in one way only. A key that comes
// twice, or text after the end, is an error, since two readers could see different
// values.
func readLeaves(text string) ([]leaf, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	r := leafReader{d: d, text: text}
	if err := r.value("", 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	return r.leaves, nil
}

type leafReader struct {
	d      *json.Decoder
	text   string
	leaves []leaf
}

// maxDepth is how deep arguments may nest.
const maxDepth = 64

func (r *leafReader) object(top string, depth int) error {
	if depth > maxDepth {
		return errNoObject
	}
	seen := map[string]bool{}
	for r.d.More() {
		start := int(r.d.InputOffset())
		token, err := r.d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if seen[key] {
			return errNoObject
		}
		seen[key] = true
		if depth == 1 {
			top = key
		}
		r.add(leaf{top: top, depth: depth, value: key, text: true, key: true, name: depth == 1}, start)
		if err := r.value(top, depth); err != nil {
			return err
		}
	}
	_, err := r.d.Token()
	return err
}

func (r *leafReader) value(top string, depth int) error {
	start := int(r.d.InputOffset())
	token, err := r.d.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return r.object(top, depth+1)
		}
		if depth >= maxDepth {
			return errNoObject
		}
		for r.d.More() {
			if err := r.value(top, depth+1); err != nil {
				return err
			}
		}
		_, err := r.d.Token()
		return err
	case string:
		r.add(leaf{top: top, depth: depth, value: t, text: true}, start)
	case json.Number:
		r.add(leaf{top: top, depth: depth, value: t.String()}, start)
	}
	return nil
}

// add notes a leaf that ends where the decoder is and begins after the separators at
// from.
func (r *leafReader) add(l leaf, from int) {
	for from < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[from]) >= 0 {
		from++
	}
	l.start, l.end = from, int(r.d.InputOffset())
	r.leaves = append(r.leaves, l)
}

// mapLeaves returns a JSON text in which change has replaced each string. All else
// stays as it was.
func mapLeaves(text string, leaves []leaf, change func(string) (string, error)) (string, error) {
	var b strings.Builder
	at := 0
	for _, l := range leaves {
		if !l.text {
			continue
		}
		changed, err := change(l.value)
		if err != nil {
			return "", err
		}
		if changed != l.value {
			b.WriteString(text[at:l.start])
			b.WriteString(quote(changed))
			at = l.end
		}
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

// quote writes s as a JSON string, without escaping what needs none.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return strconv.QuoteToASCII(s) // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
