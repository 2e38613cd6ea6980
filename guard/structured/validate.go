package structured

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/jsonschema-go/jsonschema"
)

// A Problem is one way in which a value differs from its schema, in words that
// a model can act on.
type Problem struct {
	Path    string // where, as a JSON Pointer (RFC 6901); "" is the value itself
	Message string // what is wrong and what would be right
}

// A ValidationError lists what is wrong with a value.
type ValidationError struct {
	Problems []Problem
}

// Error lists the problems, one a line.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("structured: the value doesn't fit its schema")
	for _, p := range e.Problems {
		b.WriteString("\n- ")
		b.WriteString(p.String())
	}
	return b.String()
}

// String returns where and what.
func (p Problem) String() string {
	if p.Path == "" {
		return "the value " + p.Message
	}
	return p.Path + " " + p.Message
}

// maxProblems is how many problems an error lists. A model corrects no more at once.
const maxProblems = 20

// Validate checks a JSON value. The error is a [*ValidationError] with every
// problem, not only the first, so that one more attempt can repair them all.
//
// Formats are checked: date-time, date, time, duration, email, uri, uuid, ipv4,
// ipv6. The standard leaves that open. pydantic checks them, and a model that was asked
// for a date and wrote "tomorrow" has not done what was asked.
func (s *Schema) Validate(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return fmt.Errorf("structured: the value is not JSON: %w", err)
	}
	w := &walker{root: s.root}
	w.value(v, s.root, "", 0)
	if len(w.problems) == 0 {
		// The library checks every keyword; the walk makes messages for a model.
		if err := s.resolved.Validate(v); err != nil {
			w.problems = []Problem{{Message: "breaks the schema: " + err.Error()}}
		}
	}
	if len(w.problems) == 0 {
		return nil
	}
	return &ValidationError{Problems: w.problems[:min(len(w.problems), maxProblems)]}
}

// A walker collects what is wrong with a value, keyword by keyword.
type walker struct {
	root     *jsonschema.Schema
	problems []Problem
}

func (w *walker) add(path, format string, args ...any) {
	if len(w.problems) <= maxProblems {
		w.problems = append(w.problems, Problem{path, fmt.Sprintf(format, args...)})
	}
}

// maxRefs is how many schemas a value may pass through, so that a schema with recursive
// references ends.
const maxRefs = 1000

func (w *walker) value(v any, s *jsonschema.Schema, path string, depth int) {
	if s == nil || depth > maxRefs || len(w.problems) > maxProblems {
		return
	}
	if s.Ref != "" {
		w.value(v, w.deref(s.Ref), path, depth+1)
	}
	if types := typesOf(s); len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return hasType(v, t) }) {
		w.add(path, "is %s, but must be %s", describe(v), article(types))
		return
	}
	if s.Enum != nil && !slices.ContainsFunc(s.Enum, func(e any) bool { return jsonschema.Equal(e, v) }) {
		w.add(path, "is %s, but must be one of %s", show(v), list(s.Enum))
	}
	if s.Const != nil && !jsonschema.Equal(*s.Const, v) {
		w.add(path, "is %s, but must be %s", show(v), show(*s.Const))
	}
	switch v := v.(type) {
	case string:
		w.text(v, s, path)
	case float64:
		w.number(v, s, path)
	case []any:
		w.array(v, s, path, depth)
	case map[string]any:
		w.object(v, s, path, depth)
	}
	for _, sub := range s.AllOf {
		w.value(v, sub, path, depth+1)
	}
	w.alternatives(v, s, path, depth)
}

// alternatives reports the problems of the alternative that is closest to the value.
// The problems of all of them would contradict each other.
func (w *walker) alternatives(v any, s *jsonschema.Schema, path string, depth int) {
	for _, choices := range [][]*jsonschema.Schema{s.AnyOf, s.OneOf} {
		var best []Problem
		for i, sub := range choices {
			branch := &walker{root: w.root}
			branch.value(v, sub, path, depth+1)
			if len(branch.problems) == 0 {
				best = nil
				break
			}
			if i == 0 || closer(branch.problems, best, path) {
				best = branch.problems
			}
		}
		if len(best) > 0 && len(choices) > 1 && slices.ContainsFunc(best, func(p Problem) bool { return p.Path == path && strings.Contains(p.Message, "but must be a") }) {
			var types []string
			for _, sub := range choices {
				types = append(types, typesOf(w.follow(sub))...)
			}
			if len(types) > 0 {
				slices.Sort(types)
				best = []Problem{{path, fmt.Sprintf("is %s, but must be %s", describe(v), article(slices.Compact(types)))}}
			}
		}
		w.problems = append(w.problems, best...)
	}
}

// closer reports whether problems a are smaller than b: fewer at the value itself, then
// fewer in all.
func closer(a, b []Problem, path string) bool {
	top := func(ps []Problem) int {
		n := 0
		for _, p := range ps {
			if p.Path == path {
				n++
			}
		}
		return n
	}
	if x, y := top(a), top(b); x != y {
		return x < y
	}
	return len(a) < len(b)
}

func (w *walker) follow(s *jsonschema.Schema) *jsonschema.Schema {
	for range 10 {
		if s == nil || s.Ref == "" {
			break
		}
		s = w.deref(s.Ref)
	}
	if s == nil {
		return &jsonschema.Schema{}
	}
	return s
}

// deref finds a schema by a reference into the root. It returns nil where it can't, and
// then the library's result counts.
func (w *walker) deref(ref string) *jsonschema.Schema {
	if ref == "#" {
		return w.root
	}
	for prefix, defs := range map[string]map[string]*jsonschema.Schema{"#/$defs/": w.root.Defs, "#/definitions/": w.root.Definitions} {
		if name, ok := strings.CutPrefix(ref, prefix); ok {
			if unescaped, err := url.PathUnescape(name); err == nil {
				name = unescaped
			}
			return defs[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		}
	}
	return nil
}

func (w *walker) text(v string, s *jsonschema.Schema, path string) {
	n := utf8.RuneCountInString(v)
	if s.MinLength != nil && n < *s.MinLength {
		w.add(path, "has %d characters, but must have at least %d", n, *s.MinLength)
	}
	if s.MaxLength != nil && n > *s.MaxLength {
		w.add(path, "has %d characters, but must have at most %d", n, *s.MaxLength)
	}
	if s.Pattern != "" {
		if re, err := regexp.Compile(s.Pattern); err == nil && !re.MatchString(v) {
			w.add(path, "is %s, but must match the pattern %s", show(v), s.Pattern)
		}
	}
	if example := badFormat(s.Format, v); example != "" {
		w.add(path, "is %s, but must be in the format %s, such as %q", show(v), s.Format, example)
	}
}

func (w *walker) number(v float64, s *jsonschema.Schema, path string) {
	for _, limit := range []struct {
		at     *float64
		broken func(float64) bool
		words  string
	}{
		{s.Minimum, func(x float64) bool { return v < x }, "at least"},
		{s.Maximum, func(x float64) bool { return v > x }, "at most"},
		{s.ExclusiveMinimum, func(x float64) bool { return v <= x }, "more than"},
		{s.ExclusiveMaximum, func(x float64) bool { return v >= x }, "less than"},
		{s.MultipleOf, func(x float64) bool { return x > 0 && math.Abs(v/x-math.Round(v/x)) > 1e-9 }, "a multiple of"},
	} {
		if limit.at != nil && limit.broken(*limit.at) {
			w.add(path, "is %s, but must be %s %s", show(v), limit.words, show(*limit.at))
		}
	}
}

func (w *walker) array(v []any, s *jsonschema.Schema, path string, depth int) {
	if s.MinItems != nil && len(v) < *s.MinItems {
		w.add(path, "has %d items, but must have at least %d", len(v), *s.MinItems)
	}
	if s.MaxItems != nil && len(v) > *s.MaxItems {
		w.add(path, "has %d items, but must have at most %d", len(v), *s.MaxItems)
	}
	for i, e := range v {
		sub := s.Items
		if i < len(s.PrefixItems) {
			sub = s.PrefixItems[i]
		}
		w.value(e, sub, path+"/"+strconv.Itoa(i), depth+1)
	}
}

func (w *walker) object(v map[string]any, s *jsonschema.Schema, path string, depth int) {
	for _, name := range s.Required {
		if _, ok := v[name]; !ok {
			w.add(path+"/"+pointer(name), "is missing, but required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		at := path + "/" + pointer(name)
		if sub, ok := s.Properties[name]; ok {
			w.value(v[name], sub, at, depth+1)
			continue
		}
		if s.AdditionalProperties == nil || len(s.PatternProperties) > 0 {
			continue
		}
		if none := s.AdditionalProperties.Not; none != nil && jsonOf(none) == "true" || jsonOf(s.AdditionalProperties) == "false" {
			w.add(at, "isn't a property of the schema: leave it out%s", nearest(name, s.Properties))
			continue
		}
		w.value(v[name], s.AdditionalProperties, at, depth+1)
	}
}

// nearest suggests the property that a misspelt name may mean.
func nearest(name string, properties map[string]*jsonschema.Schema) string {
	plain := func(s string) string {
		return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
	}
	for _, p := range slices.Sorted(maps.Keys(properties)) {
		if plain(p) == plain(name) {
			return fmt.Sprintf(", or did you mean %q?", p)
		}
	}
	return ""
}

func jsonOf(s *jsonschema.Schema) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func pointer(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func typesOf(s *jsonschema.Schema) []string {
	if s.Type != "" {
		return []string{s.Type}
	}
	return s.Types
}

func hasType(v any, t string) bool {
	switch v := v.(type) {
	case nil:
		return t == "null"
	case bool:
		return t == "boolean"
	case string:
		return t == "string"
	case float64:
		return t == "number" || t == "integer" && v == math.Trunc(v)
	case []any:
		return t == "array"
	case map[string]any:
		return t == "object"
	}
	return false
}

func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	case string:
		return "the string " + show(v)
	case float64:
		return "the number " + show(v)
	}
	return show(v)
}

func article(types []string) string {
	var words []string
	for _, t := range types {
		switch t {
		case "null":
			words = append(words, "null")
		case "array", "object", "integer":
			words = append(words, "an "+t)
		default:
			words = append(words, "a "+t)
		}
	}
	return strings.Join(words, " or ")
}

// show writes a value as JSON, shortened.
func show(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "a value"
	}
	s := strings.TrimSpace(b.String())
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

func list(values []any) string {
	var words []string
	for _, v := range values {
		words = append(words, show(v))
	}
	return strings.Join(words, ", ")
}

// badFormat returns an example of a format that v doesn't have, "" if it has it
// or the format isn't known.
func badFormat(format, v string) string {
	ok, example := true, ""
	parses := func(layout string) bool { _, err := time.Parse(layout, v); return err == nil }
	switch format {
	case "date-time":
		ok, example = parses(time.RFC3339Nano), "2026-01-31T12:00:00Z"
	case "date":
		ok, example = parses(time.DateOnly), "2026-01-31"
	case "time":
		ok, example = parses("15:04:05.999999999Z07:00") || parses("15:04:05.999999999"), "12:00:00Z"
	case "duration":
		ok, example = isoDuration.MatchString(v) && !strings.HasSuffix(v, "P") && !strings.HasSuffix(v, "T"), "P1DT2H"
	case "email", "idn-email":
		a, err := mail.ParseAddress(v)
		ok, example = err == nil && a.Address == v && strings.Contains(v, "@"), "ana@example.org"
	case "uri":
		u, err := url.Parse(v)
		ok, example = err == nil && u.Scheme != "", "https://example.org/"
	case "uuid":
		ok, example = uuid.MatchString(v), "123e4567-e89b-12d3-a456-426614174000"
	case "ipv4":
		a, err := netip.ParseAddr(v)
		ok, example = err == nil && a.Is4(), "192.0.2.1"
	case "ipv6":
		a, err := netip.ParseAddr(v)
		ok, example = err == nil && a.Is6(), "2001:db8::1"
	}
	if ok {
		return ""
	}
	return example
}

var (
	isoDuration = regexp.MustCompile(`^-?P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$`)
	uuid        = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)
)
