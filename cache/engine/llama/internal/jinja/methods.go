package jinja

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

func method(name string, args []any) (any, error) {
	if d, ok := args[0].(*Dict); ok {
		return dictMethod(d, name, args[1:])
	}
	s, ok := args[0].(string)
	if !ok {
		return nil, fail("%s() of %s", name, kindName(args[0]))
	}
	word := func(i int) string {
		if i < len(args) {
			return toString(args[i])
		}
		return ""
	}
	cut := " \t\n\r\v\f"
	if len(args) > 1 {
		cut = word(1)
	}
	switch name {
	case "strip":
		return strings.Trim(s, cut), nil
	case "lstrip":
		return strings.TrimLeft(s, cut), nil
	case "rstrip":
		return strings.TrimRight(s, cut), nil
	case "startswith":
		return strings.HasPrefix(s, word(1)), nil
	case "endswith":
		return strings.HasSuffix(s, word(1)), nil
	case "upper":
		return strings.ToUpper(s), nil
	case "lower":
		return strings.ToLower(s), nil
	case "title":
		return title(s), nil
	case "replace":
		return replace(s, word(1), word(2))
	case "split":
		var parts []string
		if len(args) == 1 {
			parts = strings.Fields(s)
		} else if word(1) != "" {
			parts = strings.Split(s, word(1))
		}
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = p
		}
		return out, nil
	}
	return nil, fail("%s() of a text", name)
}

func replace(s, old, with string) (any, error) {
	if old == "" {
		return nil, fail("replace of an empty text")
	}
	if n := strings.Count(s, old) * (len(with) - len(old)); n > maxOutput {
		return nil, fail("a text of %d bytes", n)
	}
	return strings.ReplaceAll(s, old, with), nil
}

func title(s string) string {
	start := true
	return strings.Map(func(r rune) rune {
		was := start
		start = !unicode.IsLetter(r)
		if was {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func dictMethod(d *Dict, name string, args []any) (any, error) {
	out := []any{}
	switch name {
	case "get":
		if len(args) == 0 {
			return nil, fail("get() without a key")
		}
		if v, ok := d.Values[toString(args[0])]; ok {
			return v, nil
		}
		if len(args) > 1 {
			return args[1], nil
		}
		return nil, nil
	case "items", "keys", "values":
		for _, k := range d.Keys {
			out = append(out, map[string]any{"items": []any{k, d.Values[k]}, "keys": k, "values": d.Values[k]}[name])
		}
		return out, nil
	}
	return nil, fail("%s() of a mapping", name)
}

func filter(name string, args []any, keys []string) (any, error) {
	v := args[0]
	list, isList := v.([]any)
	switch name {
	case "trim":
		return strings.TrimSpace(toString(v)), nil
	case "tojson":
		return tojson(v, args, keys)
	case "length", "count":
		items, ok := elements(v)
		if !ok {
			return nil, fail("the length of %s", kindName(v))
		}
		return len(items), nil
	case "upper", "lower", "replace":
		return method(name, append([]any{toString(v)}, args[1:]...))
	case "capitalize":
		s := []rune(strings.ToLower(toString(v)))
		if len(s) > 0 {
			s[0] = unicode.ToUpper(s[0])
		}
		return string(s), nil
	case "string", "safe":
		return toString(v), nil
	case "int":
		f, _ := number(v)
		var n int
		if s, ok := v.(string); ok {
			_, _ = fmt.Sscan(s, &n) // any other text is 0
			return n, nil
		}
		return int(f), nil
	case "default":
		_, absent := v.(undefined)
		if absent || len(args) > 2 && truth(args[2]) && !truth(v) {
			if len(args) > 1 {
				return args[1], nil
			}
			return "", nil
		}
		return v, nil
	case "items":
		if d, ok := v.(*Dict); ok {
			return dictMethod(d, "items", nil)
		}
		return nil, fail("items of %s", kindName(v))
	}
	if !isList {
		var ok bool
		if list, ok = elements(v); !ok {
			return nil, fail("%s of %s", name, kindName(v))
		}
	}
	return listFilter(name, list, args[1:])
}

func tojson(v any, args []any, keys []string) (any, error) {
	for i, k := range keys {
		if k == "indent" && args[i+1] != nil {
			return nil, fail("tojson with an indent is not supported")
		}
	}
	return toJSON(v)
}

func listFilter(name string, list, args []any) (any, error) {
	switch name {
	case "first", "last":
		if len(list) == 0 {
			return undefined{}, nil
		}
		return list[map[string]int{"first": 0, "last": len(list) - 1}[name]], nil
	case "join":
		by := ""
		if len(args) > 0 {
			by = toString(args[0])
		}
		return bounded(joined(list, by))
	case "list":
		return list, nil
	case "reverse":
		out := slices.Clone(list)
		slices.Reverse(out)
		return out, nil
	}
	if len(args) == 0 {
		return nil, fail("%s without an attribute", name)
	}
	out := []any{}
	for _, item := range list {
		if name == "map" {
			v, err := attribute(item, toString(args[len(args)-1]))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			continue
		}
		v, err := attribute(item, toString(args[0]))
		if err != nil {
			return nil, err
		}
		keep := truth(v)
		if len(args) > 1 {
			keep = test(toString(args[1]), append([]any{v}, args[2:]...))
		}
		if keep == (name == "selectattr") {
			out = append(out, item)
		}
	}
	return out, nil
}

func test(name string, args []any) bool {
	v := args[0]
	_, absent := v.(undefined)
	switch name {
	case "defined":
		return !absent
	case "undefined":
		return absent
	case "none":
		return v == nil
	case "string":
		_, ok := v.(string)
		return ok
	case "mapping":
		_, ok := v.(*Dict)
		return ok
	case "iterable", "sequence":
		_, ok := elements(v)
		return ok && !absent
	case "number":
		_, ok := number(v)
		_, isBool := v.(bool)
		return ok && !isBool
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "true", "false":
		return v == (name == "true")
	case "equalto", "eq":
		return len(args) > 1 && equal(v, args[1])
	case "in":
		if len(args) > 1 {
			ok, err := contains(args[1], v)
			return ok && err == nil
		}
	}
	return false
}
