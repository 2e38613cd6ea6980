package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode"
)

// maxDepth is how deeply a request may nest. Nothing that is understood here
// nests half as deep.
const maxDepth = 64

// A badKey is a place of a request that could be read in two ways, or not at all.
type badKey struct{ param, message string }

// checkKeys refuses what encoding/json reads without a word: a key that appears
// twice, of which the last one wins, and a key that differs from a known one in
// its case, which it takes for that one. A proxy between the client and
// this server may have read the other.
func checkKeys(data []byte, into any) *badKey {
	w := &walker{d: json.NewDecoder(bytes.NewReader(data))}
	w.d.UseNumber()
	return w.value(nil, reflect.TypeOf(into), 0)
}

// A walker walks the values of a request. What is not JSON it leaves for
// encoding/json to complain about.
type walker struct {
	d      *json.Decoder
	broken bool // the text is not JSON: More would return true forever
}

// A place is where in the request a value is; its path is built only for an
// error.
type place struct {
	parent *place
	key    string // of an object, or
	index  int    // of a list
	isKey  bool
}

func (p *place) path() string {
	if p == nil {
		return ""
	}
	path := ""
	for ; p != nil; p = p.parent {
		switch {
		case path != "" && path[0] != '[' && !p.isKey:
			path = fmt.Sprintf("[%d].%s", p.index, path)
		case !p.isKey:
			path = fmt.Sprintf("[%d]%s", p.index, path)
		case path != "" && path[0] != '[':
			path = p.key + "." + path
		default:
			path = p.key + path
		}
	}
	return clip(path)
}

func (w *walker) value(at *place, typ reflect.Type, depth int) *badKey {
	token, err := w.d.Token()
	if err != nil {
		w.broken = true
		return nil
	}
	if depth > maxDepth {
		return &badKey{at.path(), fmt.Sprintf("the request nests deeper than %d", maxDepth)}
	}
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch token {
	case json.Delim('{'):
		return w.object(at, typ, depth)
	case json.Delim('['):
		var elem reflect.Type
		if typ != nil && typ.Kind() == reflect.Slice && typ != rawMessage {
			elem = typ.Elem()
		}
		for i := 0; !w.broken && w.d.More(); i++ {
			if bad := w.value(&place{parent: at, index: i}, elem, depth+1); bad != nil {
				return bad
			}
		}
		_, _ = w.d.Token() // the closing bracket, or what encoding/json refuses
	}
	return nil
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

// object walks an object. Only where the keys are known does their case matter:
// the keys of metadata are the client's own.
func (w *walker) object(at *place, typ reflect.Type, depth int) *badKey {
	known := fieldsOf(typ)
	seen := map[string]bool{}
	for !w.broken && w.d.More() {
		token, err := w.d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			w.broken = true
			return nil
		}
		here := &place{parent: at, key: key, isKey: true}
		id := key
		if known != nil {
			id = folded(key)
		}
		name, isKnown := known[id]
		switch {
		case seen[id]:
			return &badKey{here.path(), fmt.Sprintf("the key %q appears twice", here.path())}
		case isKnown && name.name != key:
			return &badKey{here.path(), fmt.Sprintf("the key %q must be spelled %q", here.path(), name.name)}
		}
		seen[id] = true
		if bad := w.value(here, name.typ, depth+1); bad != nil {
			return bad
		}
	}
	_, _ = w.d.Token() // the closing brace, or what encoding/json refuses
	return nil
}

// A field is a key that a struct knows.
type field struct {
	name string
	typ  reflect.Type
}

// fieldsOf returns a struct's fields by their JSON names, folded.
func fieldsOf(typ reflect.Type) map[string]field {
	if typ == nil || typ.Kind() != reflect.Struct {
		return nil
	}
	out := map[string]field{}
	for i := range typ.NumField() {
		if name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); name != "" {
			out[folded(name)] = field{name, typ.Field(i).Type}
		}
	}
	return out
}

// folded returns what all keys have in common that encoding/json takes for one:
// it folds as Unicode does, so the long s of "me\u017f\u017fages" is an s.
func folded(key string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, key)
}

// clip bounds what an error repeats of a request.
func clip(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
