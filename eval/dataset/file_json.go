package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/prodailabs/prodai/eval"
)

// An objectCheck looks for what encoding/json changes silently. Its memory is
// reused from line to line.
type objectCheck struct {
	inside []object
	names  [][]byte // names of the objects that the check is inside of
	name   []byte   // the last one
}

// An object is one that the check is inside of, or an array.
type object struct {
	array  bool
	fields []string        // the names of a struct, which encoding/json matches in any case; nil for a map
	value  bool            // a value comes next, not a name
	first  int             // index of its first name
	keys   map[string]bool // its names, if there are many
}

// The fields of a line, and of a tool call in it.
var caseFields, callFields = fieldNames(reflect.TypeFor[eval.Case]()), fieldNames(reflect.TypeFor[eval.Call]())

func fieldNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// fieldsIn returns the fields of an object inside of another one.
func fieldsIn(outer *object) []string {
	switch {
	case outer == nil:
		return caseFields
	case outer.array: // of tool calls: no other array has objects
		return callFields
	}
	return nil
}

func known(fields []string, name []byte) bool {
	for _, f := range fields {
		if f == string(name) {
			return true
		}
	}
	return slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, string(name)) })
}

// manyNames is the number of names from which an object looks them up in a map.
const manyNames = 32

// check takes valid JSON that was already decoded into a case.
func (o *objectCheck) check(text []byte) error {
	if text[0] != '{' {
		return fmt.Errorf("%w: the line is %.20s: want an object", ErrFormat, text)
	}
	o.inside, o.names = o.inside[:0], o.names[:0]
	for i := 0; i < len(text); i++ {
		var top *object
		if len(o.inside) > 0 {
			top = &o.inside[len(o.inside)-1]
		}
		switch text[i] {
		case '{', '[':
			o.inside = append(o.inside, object{array: text[i] == '[', fields: fieldsIn(top), first: len(o.names)})
		case '}', ']':
			if len(o.inside) == 1 && !o.has(top, []byte("input")) {
				return fmt.Errorf("%w: the case has no field input", ErrFormat)
			}
			o.names = o.names[:top.first]
			o.inside = o.inside[:len(o.inside)-1]
		case ',':
			top.value = false
		case ':':
			top.value = true
		case '"':
			end := stringEnd(text, i)
			s := text[i:end]
			if err := checkEscapes(s); err != nil {
				return err
			}
			if !top.array && !top.value {
				if err := o.add(top, s); err != nil {
					return err
				}
			}
			i = end - 1
		case 'n': // of null: strings are skipped above
			if top.array || top.fields == nil || bytes.EqualFold(o.name, []byte("input")) {
				return fmt.Errorf("%w: null instead of a value (after %q)", ErrFormat, o.name)
			}
			i += len("null") - 1
		}
	}
	return nil
}

// has reports whether the object has the name.
func (o *objectCheck) has(top *object, name []byte) bool {
	if top.keys != nil {
		return top.keys[string(name)]
	}
	for _, n := range o.names[top.first:] {
		if bytes.Equal(n, name) || top.fields != nil && bytes.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// add takes the next name of an object, with its quotes.
func (o *objectCheck) add(top *object, quoted []byte) error {
	o.name = quoted[1 : len(quoted)-1]
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var name string
		if err := json.Unmarshal(quoted, &name); err != nil {
			return fmt.Errorf("%w: %w", ErrFormat, err)
		}
		o.name = []byte(name)
	}
	if top.fields != nil && !known(top.fields, o.name) {
		// A misspelled "refrences" would silently become a case without any.
		return fmt.Errorf("%w: unknown field %q; want one of %s", ErrFormat, o.name, strings.Join(top.fields, ", "))
	}
	if o.has(top, o.name) {
		return fmt.Errorf("%w: the field %q appears twice", ErrFormat, o.name)
	}
	if top.keys != nil {
		top.keys[string(o.name)] = true
		return nil
	}
	o.names = append(o.names, o.name)
	if own := o.names[top.first:]; len(own) == manyNames && top.fields == nil {
		top.keys = map[string]bool{}
		for _, n := range own {
			top.keys[string(n)] = true
		}
	}
	return nil
}

// stringEnd returns where the string that starts at i ends.
func stringEnd(text []byte, i int) int {
	for i++; ; i += 2 { // past what a backslash escapes
		i += bytes.IndexAny(text[i:], "\"\\")
		if text[i] == '"' {
			return i + 1
		}
	}
}

// checkEscapes refuses the escape of half a surrogate pair, which would become
// U+FFFD.
func checkEscapes(s []byte) error {
	for i := 0; i < len(s); i++ {
		next := bytes.IndexByte(s[i:], '\\')
		if next < 0 {
			return nil
		}
		i += next
		unit, ok := escapedUnit(s[i:])
		if !ok {
			i++
			continue
		}
		low, paired := escapedUnit(s[min(i+6, len(s)):])
		switch {
		case unit < 0xd800 || unit > 0xdfff:
			i += 5
		case unit < 0xdc00 && paired && 0xdc00 <= low && low <= 0xdfff:
			i += 11
		default:
			return fmt.Errorf("%w: \\u%04x is half of a surrogate pair", ErrFormat, unit)
		}
	}
	return nil
}

// escapedUnit reads the UTF-16 code unit of an escape.
func escapedUnit(s []byte) (unit uint64, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return unit, err == nil
}
