package jinja

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// What templates may call.
var (
	functions = []string{"raise_exception", "range", "namespace", "dict", "strftime_now"}
	methods   = []string{"strip", "lstrip", "rstrip", "split", "startswith", "endswith", "upper", "lower", "replace", "title", "items", "keys", "values", "get"}
	filters   = []string{"trim", "tojson", "length", "count", "upper", "lower", "first", "last", "join", "default", "string", "int", "list", "items", "safe", "capitalize", "replace", "selectattr", "rejectattr", "map", "reverse"}
	tests     = []string{"defined", "undefined", "none", "string", "mapping", "iterable", "sequence", "number", "boolean", "true", "false", "equalto", "eq", "in"}
)

func fail(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRender}, args...)...)
}

// eval computes an expression. A step costs more, the longer its result is, so that a
// text that is doubled again and again ends soon.
func (r *renderer) eval(e *expr) (any, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	v, err := r.value(e)
	switch v := v.(type) {
	case string:
		r.steps += len(v) / 256
	case []any:
		r.steps += len(v) / 16
	}
	return v, err
}

func (r *renderer) value(e *expr) (any, error) {
	switch e.op {
	case "const":
		return e.value, nil
	case "name":
		return r.lookup(e.name), nil
	case "ternary", "or", "and", "not":
		return r.logic(e)
	}
	args := make([]any, len(e.args))
	for i, a := range e.args {
		if a == nil { // an absent part of a slice
			continue
		}
		v, err := r.eval(a)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	switch e.op {
	case "list":
		return args, nil
	case "dict":
		d := &Dict{}
		for i := 0; i < len(args); i += 2 {
			d.Set(toString(args[i]), args[i+1])
		}
		return d, nil
	case "attr":
		return attribute(args[0], e.name)
	case "index":
		return index(args[0], args[1])
	case "slice":
		return slice(args)
	case "call":
		return call(e.name, args, e.keys)
	case "method":
		return method(e.name, args)
	case "filter":
		return filter(e.name, args, e.keys)
	case "test":
		return test(e.name, args), nil
	}
	return operator(e.op, args)
}

func (r *renderer) logic(e *expr) (any, error) {
	first, err := r.eval(e.args[0])
	if err != nil {
		return nil, err
	}
	switch {
	case e.op == "not":
		return !truth(first), nil
	case e.op == "or" && truth(first), e.op == "and" && !truth(first):
		return first, nil
	case e.op == "ternary" && !truth(first):
		return r.eval(e.args[2])
	}
	return r.eval(e.args[1])
}

func attribute(v any, name string) (any, error) {
	switch v := v.(type) {
	case *Dict:
		if x, ok := v.Values[name]; ok {
			return x, nil
		}
		return undefined{}, nil
	case undefined:
		return nil, fail("%q of what is undefined", name)
	}
	return undefined{}, nil
}

func index(v, i any) (any, error) {
	if key, ok := i.(string); ok {
		return attribute(v, key)
	}
	n, ok := i.(int)
	if !ok {
		return nil, fail("%s as an index", kindName(i))
	}
	if s, ok := v.(string); ok {
		v = runes(s)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fail("an index of %s", kindName(v))
	}
	if n < 0 {
		n += len(list)
	}
	if n < 0 || n >= len(list) {
		return undefined{}, nil
	}
	return list[n], nil
}

func runes(s string) []any {
	out, _ := elements(s)
	return out
}

func slice(args []any) (any, error) {
	text, isText := args[0].(string)
	list, ok := args[0].([]any)
	if isText {
		list, ok = runes(text), true
	}
	if !ok {
		return nil, fail("a slice of %s", kindName(args[0]))
	}
	step := 1
	if args[3] != nil {
		if step, ok = args[3].(int); !ok || step == 0 {
			return nil, fail("a slice with the step %v", args[3])
		}
	}
	bound := func(v any, otherwise int) (int, error) {
		if v == nil {
			return otherwise, nil
		}
		n, ok := v.(int)
		if !ok {
			return 0, fail("a slice with the bound %v", v)
		}
		if n < 0 {
			n += len(list)
		}
		return n, nil
	}
	from, to := 0, len(list)
	if step < 0 {
		from, to = len(list)-1, -1
	}
	lo, err := bound(args[1], from)
	if err != nil {
		return nil, err
	}
	hi, err := bound(args[2], to)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i := max(-1, min(lo, len(list))); (step > 0 && i < hi || step < 0 && i > hi) && len(out) <= len(list); i += step {
		if i >= 0 && i < len(list) {
			out = append(out, list[i])
		}
	}
	if isText {
		return joined(out, ""), nil
	}
	return out, nil
}

func joined(list []any, by string) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = toString(x)
	}
	return strings.Join(parts, by)
}

func operator(op string, args []any) (any, error) {
	switch op {
	case "==":
		return equal(args[0], args[1]), nil
	case "!=":
		return !equal(args[0], args[1]), nil
	case "~":
		return bounded(toString(args[0]) + toString(args[1]))
	case "in", "not in":
		in, err := contains(args[1], args[0])
		return in == (op == "in"), err
	case "neg":
		if n, ok := args[0].(int); ok {
			return -n, nil
		}
	}
	if len(args) == 2 {
		if a, ok := args[0].(string); ok {
			if b, ok := args[1].(string); ok {
				return texts(op, a, b)
			}
		}
		if a, ok := args[0].([]any); ok && op == "+" {
			if b, ok := args[1].([]any); ok {
				return slices.Concat(a, b), nil
			}
		}
		a, isInt := args[0].(int)
		b, bothInt := args[1].(int)
		if isInt && bothInt && op != "/" {
			return integers(op, a, b)
		}
		x, okX := number(args[0])
		y, okY := number(args[1])
		if okX && okY {
			return floats(op, x, y)
		}
		return nil, fail("%s %s %s", kindName(args[0]), op, kindName(args[1]))
	}
	return nil, fail("%s of %s", op, kindName(args[0]))
}

func bounded(s string) (any, error) {
	if len(s) > maxOutput {
		return nil, fail("a text of %d bytes", len(s))
	}
	return s, nil
}

func equal(a, b any) bool {
	x, okX := number(a)
	y, okY := number(b)
	if okX && okY {
		return x == y
	}
	sa, okA := a.(string)
	sb, okB := b.(string)
	if okA || okB {
		return okA && okB && sa == sb
	}
	_, listA := a.([]any)
	_, dictA := a.(*Dict)
	if listA || dictA {
		ja, errA := toJSON(a)
		jb, errB := toJSON(b)
		return errA == nil && errB == nil && ja == jb
	}
	switch b.(type) {
	case []any, *Dict:
		return false
	}
	return a == b
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

func contains(in, x any) (bool, error) {
	switch in := in.(type) {
	case string:
		s, ok := x.(string)
		return ok && strings.Contains(in, s), nil
	case []any:
		return slices.ContainsFunc(in, func(v any) bool { return equal(v, x) }), nil
	case *Dict:
		_, ok := in.Values[toString(x)]
		return ok, nil
	}
	return false, fail("in %s", kindName(in))
}

// ordered compares two values; known is false if op is not an order.
func ordered[T cmp.Ordered](op string, a, b T) (ok, known bool) {
	switch op {
	case "<":
		return a < b, true
	case ">":
		return a > b, true
	case "<=":
		return a <= b, true
	case ">=":
		return a >= b, true
	}
	return false, false
}

func texts(op, a, b string) (any, error) {
	if op == "+" {
		return bounded(a + b)
	}
	if ok, known := ordered(op, a, b); known {
		return ok, nil
	}
	return nil, fail("a text %s a text", op)
}

func integers(op string, a, b int) (any, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "//", "%":
		if b == 0 {
			return nil, fail("a division by 0")
		}
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q-- // Python rounds down
		}
		if op == "%" {
			return a - q*b, nil
		}
		return q, nil
	}
	return floats(op, float64(a), float64(b))
}

func floats(op string, a, b float64) (any, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		if b == 0 {
			return nil, fail("a division by 0")
		}
		return a / b, nil
	}
	if ok, known := ordered(op, a, b); known {
		return ok, nil
	}
	return nil, fail("%s of floats", op)
}

func call(name string, args []any, keys []string) (any, error) {
	switch name {
	case "raise_exception":
		return nil, fail("the template refuses: %s", joined(args, " "))
	case "namespace", "dict":
		d := &Dict{}
		for i, k := range keys {
			if k != "" {
				d.Set(k, args[i])
			}
		}
		return d, nil
	case "strftime_now":
		return now().Format(layout(joined(args, ""))), nil
	}
	lo, hi, step := 0, 0, 1 // range
	for i, a := range args {
		n, ok := a.(int)
		switch {
		case !ok || len(args) > 3:
			return nil, fail("range of %s", kindName(a))
		case i == 0:
			hi = n
		case i == 1:
			lo, hi = hi, n
		case i == 2:
			step = n
		}
	}
	var out []any
	for i := lo; step > 0 && i < hi || step < 0 && i > hi; i += step {
		if out = append(out, i); len(out) > maxSteps/20 {
			return nil, fail("a range of more than %d", maxSteps/20)
		}
	}
	return out, nil
}

// layout turns the strftime directives that templates use into Go's.
func layout(s string) string {
	return strings.NewReplacer("%d", "02", "%b", "Jan", "%B", "January", "%Y", "2006", "%m", "01", "%H", "15", "%M", "04", "%S", "05", "%A", "Monday", "%y", "06").Replace(s)
}
