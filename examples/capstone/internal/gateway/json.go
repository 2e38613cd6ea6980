package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// A badKey is a key of a request that could be read in two ways.
type badKey struct{ param, message string }

// checkKeys refuses what encoding/json reads without a word: a key that appears
// twice, of which the last one wins, and a key that differs from a known one in
// its case, which it takes for that one. Whatever stands between the client and
// this server may have read the other.
func checkKeys(data []byte, into any) *badKey {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return walkValue(d, "", reflect.TypeOf(into))
}

// walkValue walks the next value. What is not JSON is left for encoding/json to
// complain about.
func walkValue(d *json.Decoder, path string, typ reflect.Type) *badKey {
	token, err := d.Token()
	if err != nil {
		return nil
	}
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch token {
	case json.Delim('{'):
		return walkObject(d, path, typ)
	case json.Delim('['):
		var elem reflect.Type
		if typ != nil && typ.Kind() == reflect.Slice && typ != rawMessage {
			elem = typ.Elem()
		}
		for i := 0; d.More(); i++ {
			if bad := walkValue(d, fmt.Sprintf("%s[%d]", path, i), elem); bad != nil {
				return bad
			}
		}
		_, _ = d.Token() // the closing bracket, or what encoding/json refuses
	}
	return nil
}

var rawMessage = reflect.TypeFor[json.RawMessage]()

func walkObject(d *json.Decoder, path string, typ reflect.Type) *badKey {
	known := fieldsOf(typ)
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil
		}
		at := strings.TrimPrefix(path+"."+key, ".")
		lower := strings.ToLower(key)
		switch {
		case seen[lower]:
			return &badKey{at, fmt.Sprintf("the key %q appears twice", at)}
		case known[lower] != nil && !hasField(typ, key):
			return &badKey{at, fmt.Sprintf("the key %q must be in lower case: %q", at, lower)}
		}
		seen[lower] = true
		if bad := walkValue(d, at, known[lower]); bad != nil {
			return bad
		}
	}
	_, _ = d.Token() // the closing brace, or what encoding/json refuses
	return nil
}

// fieldsOf returns the types of a struct's fields by their JSON names in lower
// case.
func fieldsOf(typ reflect.Type) map[string]reflect.Type {
	if typ == nil || typ.Kind() != reflect.Struct {
		return nil
	}
	out := map[string]reflect.Type{}
	for i := range typ.NumField() {
		if name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); name != "" {
			out[strings.ToLower(name)] = typ.Field(i).Type
		}
	}
	return out
}

func hasField(typ reflect.Type, key string) bool {
	for i := range typ.NumField() {
		if name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); name == key {
			return true
		}
	}
	return false
}
