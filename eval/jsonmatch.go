package eval

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// JSONMatchOptions sets how structured outputs are compared; nil means the
// defaults.
type JSONMatchOptions struct {
	// Partial gives the F1 of matching fields. Default: all or nothing.
	Partial bool
	// IgnoreExtra lets the output have fields that the reference lacks. Default:
	// an extra field is a mistake.
	IgnoreExtra bool
	// Ignore names fields that don't count at any depth: ids, timestamps.
	// Default: all fields count.
	Ignore []string
	// AnyOrder compares arrays as bags. Default: the order counts.
	AnyOrder bool
}

// JSONMatch compares an output with a reference as JSON values: the order of
// fields and the spelling of numbers and strings don't matter (1, 1.0 and 1e0
// are equal; a number and a string never are). An output may wrap the value in
// a code fence or prose; the first JSON object or array counts. One without
// JSON scores 0, not an error: it is a wrong answer.
//
// With Partial the score is the F1 of the leaves, path and value: how much of
// the structure is right. Of several references the best counts. It misleads
// where fields matter unequally: one wrong amount among twenty right labels is
// 0.95.
type JSONMatch struct{ o JSONMatchOptions }

// NewJSONMatch returns the metric; nil options mean the defaults.
func NewJSONMatch(o *JSONMatchOptions) (*JSONMatch, error) {
	m := &JSONMatch{}
	if o != nil {
		m.o = *o
		m.o.Ignore = slices.Sorted(slices.Values(o.Ignore))
	}
	if slices.Contains(m.o.Ignore, "") {
		return nil, fmt.Errorf("%w: JSONMatchOptions.Ignore contains an empty name: want names of fields", ErrOption)
	}
	return m, nil
}

// Signature names the metric and its options.
func (m *JSONMatch) Signature() Signature {
	name := "json_match"
	if m.o.Partial {
		name = "json_f1"
	}
	return Signature{Metric: name, Params: fmt.Sprintf("extra:%s|order:%s|ignore:%s", yesNo(!m.o.IgnoreExtra), yesNo(!m.o.AnyOrder), signatureList(m.o.Ignore))}
}

// Width is 2: the score and the segment.
func (m *JSONMatch) Width() int { return 2 }

// Stats writes the score against the best reference. A reference that is not
// JSON is an error: the case is broken.
func (m *JSONMatch) Stats(_ context.Context, c *Case, o *Output, dst []float64) error {
	if err := checkSegment(c, o); err != nil {
		return err
	}
	got, found := findJSON(o.Text)
	dst[0], dst[1] = 0, 1
	for i, ref := range c.References {
		want, err := parseJSON(ref)
		if err != nil {
			return fmt.Errorf("%w: reference %d is not JSON: %w", ErrCase, i, err)
		}
		if found {
			dst[0] = max(dst[0], m.score(want, got))
		}
	}
	return nil
}

// Value returns the mean score, 0 to 1.
func (m *JSONMatch) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

func (m *JSONMatch) score(want, got any) float64 {
	w, g := map[string]int{}, map[string]int{}
	m.leaves("", want, w, false)
	m.leaves("", got, g, m.o.IgnoreExtra)
	hits, nw, ng := 0, 0, 0
	for leaf, n := range w {
		hits += min(n, g[leaf])
		nw += n
	}
	for _, n := range g {
		ng += n
	}
	if m.o.IgnoreExtra {
		ng = hits
	}
	if !m.o.Partial {
		return indicator(hits == nw && hits == ng)
	}
	return prf(float64(hits), float64(ng), float64(nw)).F
}

// leaves counts the paths to the scalars, and to empty objects and arrays, of a
// value, each with its value. With objects it counts every object, so that an
// expected empty object matches one with extra fields.
func (m *JSONMatch) leaves(path string, v any, out map[string]int, objects bool) {
	switch v := v.(type) {
	case map[string]any:
		empty := true
		for key, field := range v {
			if !slices.Contains(m.o.Ignore, key) {
				empty = false
				m.leaves(deeper(path, "."+strconv.Quote(key)), field, out, objects)
			}
		}
		if empty || objects {
			out[path+"{}"]++
		}
	case []any:
		if len(v) == 0 {
			out[path+"[]"]++
		}
		for i, element := range v {
			if m.o.AnyOrder { // an element is compared as a whole: halves of two elements don't make one
				out[path+"[]="+m.canonical(element)]++
			} else {
				m.leaves(deeper(path, "["+strconv.Itoa(i)+"]"), element, out, objects)
			}
		}
	default:
		out[path+"="+scalar(v)]++
	}
}

// maxPath is from which length on a path is a hash, so that the paths of a value
// ten thousand levels deep don't fill the memory.
const maxPath = 512

func deeper(path, step string) string {
	if path += step; len(path) > maxPath {
		h := sha256.Sum256([]byte(path))
		return "#" + string(h[:]) // no path of steps begins with #
	}
	return path
}

// canonical is equal for equal values. It is a hash, so that its length doesn't
// grow with the depth of a value.
func (m *JSONMatch) canonical(v any) string {
	leaves := map[string]int{}
	m.leaves("", v, leaves, false)
	h := sha256.New()
	for _, leaf := range slices.Sorted(maps.Keys(leaves)) {
		fmt.Fprintf(h, "%d*%d:%s", leaves[leaf], len(leaf), leaf)
	}
	return string(h.Sum(nil))
}

func scalar(v any) string {
	switch v := v.(type) {
	case json.Number:
		// exactly, so that 0.1 and 0.10 are equal and two large ids that differ in
		// the last digit aren't; a number too long for that is compared as text
		if len(v) < 400 && !hugeExponent(string(v)) {
			if r, ok := new(big.Rat).SetString(string(v)); ok {
				return "number " + r.RatString()
			}
		}
		return "number " + string(v)
	case string:
		return "string " + v
	case bool:
		return "bool " + strconv.FormatBool(v)
	}
	return "null"
}

// hugeExponent reports whether writing the number out would take long: 1e999999999
// is eleven bytes of text.
func hugeExponent(s string) bool {
	_, exp, ok := strings.Cut(strings.ToLower(s), "e")
	if !ok {
		return false
	}
	n, err := strconv.Atoi(exp)
	return err != nil || n > 1000 || n < -1000
}

func parseJSON(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return v, nil
}

// findJSON returns the text's value: all of it, or the first object or array in it.
// It tries a bounded number of brackets, since a text may contain very many
// brackets.
func findJSON(text string) (any, bool) {
	if v, err := parseJSON(text); err == nil {
		return v, true
	}
	rest := []byte(text)
	for range 64 {
		i := bytes.IndexAny(rest, "{[")
		if i < 0 {
			break
		}
		rest = rest[i:]
		d := json.NewDecoder(bytes.NewReader(rest))
		d.UseNumber()
		var v any
		if d.Decode(&v) == nil {
			return v, true
		}
		rest = rest[1:]
	}
	return nil, false
}
