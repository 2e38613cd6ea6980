package chunk

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

// JSON cuts the text of a JSON document between members and elements, as high
// up in the tree as the size allows. A passage's headings are the path of keys
// (and indexes) to where it begins. Unlike a JSON splitter it leaves the source as
// it is, so a passage is a part of a document and is not a document itself.
//
// It doesn't check the text: what is not JSON is cut all the same.
type JSON struct{ m measure }

// NewJSON returns a JSON. It fails with [ErrOption].
func NewJSON(o *Options) (*JSON, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &JSON{m}, nil
}

// Chunk cuts the text.
func (j *JSON) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return assemble(text, j.m, jsonJoints(text)), nil
}

// jsonPathLimit is the longest path of a heading; deeper places have the same path.
const jsonPathLimit = 8

// A jsonLevel is an open object or list and where in it the text is.
type jsonLevel struct {
	array bool
	index int
	key   string
}

// jsonPath returns the keys and indexes of the open levels.
func jsonPath(open []jsonLevel) (path []string) {
	for _, l := range open[:min(len(open), jsonPathLimit)] {
		if l.array {
			l.key = strconv.Itoa(l.index)
		}
		if l.key != "" {
			path = append(path, l.key)
		}
	}
	return path
}

// jsonKey returns the key that is written as the inside of a JSON string, or the
// text itself if it isn't valid.
func jsonKey(written string) (key string) {
	if strings.IndexByte(written, '\\') < 0 || json.Unmarshal([]byte(`"`+written+`"`), &key) != nil {
		return written
	}
	return key
}

// jsonJoints returns a joint after each comma and each opening bracket.
func jsonJoints(text string) []joint {
	joints := 1
	for _, mark := range []string{"{", "[", ","} {
		joints += strings.Count(text, mark)
	}
	out := make([]joint, 0, joints)
	var open []jsonLevel
	var path []string
	known := true // path is that of open
	changed := func() { known = known && len(open) > jsonPathLimit }
	add := func(at int) {
		if !known {
			known, path = true, jsonPath(open)
		}
		out = append(out, joint{at: at, rank: len(open), headings: path})
	}
	key := ""
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			end := stringEnd(text, i)
			key = text[i+1 : max(i+1, end-1)]
			i = end - 1
		case ':':
			if n := len(open); n > 0 && !open[n-1].array {
				open[n-1].key = jsonKey(key)
				changed()
			}
		case '{', '[':
			open = append(open, jsonLevel{array: text[i] == '['})
			changed()
			add(i + 1)
		case '}', ']':
			changed()
			open = open[:max(0, len(open)-1)]
		case ',':
			if n := len(open); n > 0 {
				open[n-1].index++
				open[n-1].key = ""
				changed()
			}
			add(i + 1)
		}
	}
	if n := len(out); n > 0 && out[n-1].at == len(text) {
		out = out[:n-1]
	}
	return out
}

// stringEnd returns the place after the string that begins at i.
func stringEnd(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
