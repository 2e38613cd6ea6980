package jsonl

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Read yields the spans of a file in order. For a line that isn't JSON, an error
// with the line's number is yielded, and reading goes on; an error of r ends it. A
// line may be of any length.
//
// A whole number in the attributes is an int64, exactly; another number is a
// float64. JSON does not distinguish 2.0 from 2, so a float attribute with a whole
// value comes back as an int64 too. [Span.Record] reads the attributes of package
// trace into typed fields.
func Read(r io.Reader) iter.Seq2[Span, error] {
	return func(yield func(Span, error) bool) {
		if r == nil {
			yield(Span{}, fmt.Errorf("%w: the reader is nil", ErrOption))
			return
		}
		br := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := br.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				s, bad := decode(line)
				if bad != nil {
					bad = fmt.Errorf("jsonl: line %d: %w", n, bad)
				}
				if !yield(s, bad) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Span{}, fmt.Errorf("jsonl: line %d: %w", n, err))
				return
			}
		}
	}
}

func decode(line []byte) (Span, error) {
	var s Span
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&s); err != nil {
		return s, err
	}
	if rest := line[d.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return s, errors.New("text after the JSON object")
	}
	exact(s.Attributes)
	exact(s.Resource)
	for _, e := range s.Events {
		exact(e.Attributes)
	}
	for _, l := range s.Links {
		exact(l.Attributes)
	}
	return s, nil
}

// exact turns json.Number into int64 or float64, in place.
func exact(m map[string]any) {
	for k, v := range m {
		m[k] = exactValue(v)
	}
}

func exactValue(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil { // beyond the range of float64
			return v.String()
		}
		return f
	case []any:
		for i, x := range v {
			v[i] = exactValue(x)
		}
	case map[string]any:
		exact(v)
	}
	return v
}
