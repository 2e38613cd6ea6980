package jinja

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A token of an expression: a name, a number, a string or an operator.
type token struct {
	kind byte // 'n', '0', 's', 'o', 0 at the end
	text string
}

func scan(s string) (out []token, err error) {
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case isLetter(c):
			for i < len(s) && (isLetter(s[i]) || isDigit(s[i])) {
				i++
			}
			out = append(out, token{'n', s[start:i]})
		case isDigit(c):
			for i < len(s) && (isDigit(s[i]) || s[i] == '.' && i+1 < len(s) && isDigit(s[i+1])) {
				i++
			}
			out = append(out, token{'0', s[start:i]})
		case c == '"' || c == '\'':
			text, n, ok := unquote(s[i:])
			if !ok {
				return nil, fmt.Errorf("%w: a string without end", ErrTemplate)
			}
			i += n
			out = append(out, token{'s', text})
		default:
			op, err := operatorAt(s[i:])
			if err != nil {
				return nil, err
			}
			i += len(op)
			out = append(out, token{'o', op})
		}
	}
	return out, nil
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func operatorAt(s string) (string, error) {
	if len(s) > 1 && slices.Contains([]string{"==", "!=", "<=", ">=", "//"}, s[:2]) {
		return s[:2], nil
	}
	if !strings.Contains("+-*/%~|.,:()[]{}<>=", s[:1]) {
		return "", fmt.Errorf("%w: the character %q", ErrTemplate, s[:1])
	}
	return s[:1], nil
}

func unquote(s string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == s[0]:
			return b.String(), i + 1, true
		case c == '\\' && i+1 < len(s):
			i++
			if r := strings.IndexByte("nrt", s[i]); r >= 0 {
				b.WriteByte("\n\r\t"[r])
			} else {
				if s[i] != '\\' && s[i] != '\'' && s[i] != '"' && s[i] != '\n' {
					b.WriteByte('\\')
				}
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

// An expr is an operation and its operands.
type expr struct {
	op    string // const, name, list, dict, attr, index, slice, call, method, filter, test, and the operators
	value any
	name  string
	args  []*expr
	keys  []string // names of the last args of a call
}

// exprs parses an expression by recursive descent.
type exprs struct {
	tokens []token
	at     int
}

func parseAll(tokens []token) (*expr, error) {
	e := &exprs{tokens: tokens}
	out, err := e.ternary(0)
	if err != nil {
		return nil, err
	}
	return out, e.end()
}

func (e *exprs) peek() token {
	if e.at < len(e.tokens) {
		return e.tokens[e.at]
	}
	return token{}
}

func (e *exprs) next() token {
	t := e.peek()
	e.at++
	return t
}

// take skips an operator or keyword, if it comes next.
func (e *exprs) take(text string) bool {
	if t := e.peek(); t.text == text && (t.kind == 'o' || t.kind == 'n') {
		e.at++
		return true
	}
	return false
}

func (e *exprs) end() error {
	if e.at < len(e.tokens) {
		return fmt.Errorf("%w: %q is not expected", ErrTemplate, e.peek().text)
	}
	return nil
}

func (e *exprs) expect(text string) error {
	if !e.take(text) {
		return fmt.Errorf("%w: %q where %q should be", ErrTemplate, e.peek().text, text)
	}
	return nil
}

func (e *exprs) ternary(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrTemplate, maxDepth)
	}
	yes, err := e.or(depth + 1)
	if err != nil || !e.take("if") {
		return yes, err
	}
	cond, err := e.or(depth + 1)
	if err != nil {
		return nil, err
	}
	no := &expr{op: "const", value: undefined{}}
	if e.take("else") {
		if no, err = e.ternary(depth + 1); err != nil {
			return nil, err
		}
	}
	return &expr{op: "ternary", args: []*expr{cond, yes, no}}, nil
}

// binary parses operands of the next level, joined by the operators.
func (e *exprs) binary(depth int, operand func(int) (*expr, error), operators ...string) (*expr, error) {
	left, err := operand(depth)
	for err == nil {
		op := ""
		for _, o := range operators {
			if e.take(o) {
				op = o
				break
			}
		}
		if op == "" {
			return left, nil
		}
		var right *expr
		if right, err = operand(depth); err == nil {
			left = &expr{op: op, args: []*expr{left, right}}
		}
	}
	return nil, err
}

func (e *exprs) or(depth int) (*expr, error)  { return e.binary(depth, e.and, "or") }
func (e *exprs) and(depth int) (*expr, error) { return e.binary(depth, e.not, "and") }

func (e *exprs) not(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrTemplate, maxDepth)
	}
	if e.take("not") {
		x, err := e.not(depth + 1)
		return &expr{op: "not", args: []*expr{x}}, err
	}
	return e.compare(depth)
}

func (e *exprs) compare(depth int) (*expr, error) {
	left, err := e.sum(depth)
	for err == nil {
		op := ""
		for _, o := range []string{"==", "!=", "<=", ">=", "<", ">", "in"} {
			if e.take(o) {
				op = o
				break
			}
		}
		if op == "" && e.peek().text == "not" && e.at+1 < len(e.tokens) && e.tokens[e.at+1].text == "in" {
			e.at += 2
			op = "not in"
		}
		if op == "" {
			return left, nil
		}
		var right *expr
		if right, err = e.sum(depth); err == nil {
			left = &expr{op: op, args: []*expr{left, right}}
		}
	}
	return nil, err
}

func (e *exprs) sum(depth int) (*expr, error) { return e.binary(depth, e.product, "+", "-", "~") }
func (e *exprs) product(depth int) (*expr, error) {
	return e.binary(depth, e.unary, "*", "//", "/", "%")
}

func (e *exprs) unary(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested more than %d deep", ErrTemplate, maxDepth)
	}
	if e.take("-") {
		x, err := e.unary(depth + 1)
		return &expr{op: "neg", args: []*expr{x}}, err
	}
	x, err := e.primary(depth + 1)
	for err == nil {
		switch {
		case e.take("."):
			x = &expr{op: "attr", name: e.next().text, args: []*expr{x}}
		case e.take("["):
			x, err = e.subscript(x, depth)
		case e.take("("):
			x, err = e.call(x, depth)
		case e.take("|"):
			x, err = e.filter(x, depth)
		case e.peek().kind == 'n' && e.take("is"):
			x, err = e.test(x, depth)
		default:
			return x, nil
		}
	}
	return nil, err
}

func (e *exprs) primary(depth int) (*expr, error) {
	t := e.next()
	switch {
	case t.kind == 's':
		for e.peek().kind == 's' { // neighbors are joined
			t.text += e.next().text
		}
		return &expr{op: "const", value: t.text}, nil
	case t.kind == '0':
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return &expr{op: "const", value: int(n)}, nil
		}
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: the number %q", ErrTemplate, t.text)
		}
		return &expr{op: "const", value: f}, nil
	case t.kind == 'n':
		switch t.text {
		case "true", "True":
			return &expr{op: "const", value: true}, nil
		case "false", "False":
			return &expr{op: "const", value: false}, nil
		case "none", "None":
			return &expr{op: "const"}, nil
		}
		return &expr{op: "name", name: t.text}, nil
	case t.text == "(":
		x, err := e.ternary(depth)
		if err != nil {
			return nil, err
		}
		return x, e.expect(")")
	case t.text == "[":
		args, err := e.list("]", depth)
		return &expr{op: "list", args: args}, err
	case t.text == "{":
		return e.dict(depth)
	}
	return nil, fmt.Errorf("%w: %q where a value should be", ErrTemplate, t.text)
}

func (e *exprs) list(closing string, depth int) (out []*expr, err error) {
	for !e.take(closing) {
		x, err := e.ternary(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
		if !e.take(",") {
			return out, e.expect(closing)
		}
	}
	return out, nil
}

func (e *exprs) dict(depth int) (*expr, error) {
	out := &expr{op: "dict"}
	for !e.take("}") {
		k, err := e.ternary(depth)
		if err == nil {
			err = e.expect(":")
		}
		if err != nil {
			return nil, err
		}
		v, err := e.ternary(depth)
		if err != nil {
			return nil, err
		}
		out.args = append(out.args, k, v)
		if !e.take(",") {
			return out, e.expect("}")
		}
	}
	return out, nil
}

func (e *exprs) subscript(x *expr, depth int) (*expr, error) {
	var parts [3]*expr
	n, isSlice := 0, false
	for !e.take("]") {
		if e.take(":") {
			if n, isSlice = n+1, true; n > 2 {
				return nil, fmt.Errorf("%w: a slice of more than three parts", ErrTemplate)
			}
			continue
		}
		var err error
		if parts[n] != nil {
			return nil, fmt.Errorf("%w: %q in a subscript", ErrTemplate, e.peek().text)
		}
		if parts[n], err = e.ternary(depth); err != nil {
			return nil, err
		}
	}
	if isSlice {
		return &expr{op: "slice", args: []*expr{x, parts[0], parts[1], parts[2]}}, nil
	}
	if parts[0] == nil {
		return nil, fmt.Errorf("%w: an empty subscript", ErrTemplate)
	}
	return &expr{op: "index", args: []*expr{x, parts[0]}}, nil
}

// arguments parses what follows a "(".
func (e *exprs) arguments(depth int) (args []*expr, keys []string, err error) {
	for !e.take(")") {
		key := ""
		if e.peek().kind == 'n' && e.at+1 < len(e.tokens) && e.tokens[e.at+1] == (token{'o', "="}) {
			key = e.next().text
			e.at++
		}
		x, err := e.ternary(depth)
		if err != nil {
			return nil, nil, err
		}
		args, keys = append(args, x), append(keys, key)
		if !e.take(",") {
			return args, keys, e.expect(")")
		}
	}
	return args, keys, nil
}

func (e *exprs) call(x *expr, depth int) (*expr, error) {
	args, keys, err := e.arguments(depth)
	switch {
	case err != nil:
		return nil, err
	case x.op == "name" && slices.Contains(functions, x.name):
		return &expr{op: "call", name: x.name, args: args, keys: keys}, nil
	case x.op == "attr" && slices.Contains(methods, x.name):
		return &expr{op: "method", name: x.name, args: append([]*expr{x.args[0]}, args...)}, nil
	}
	return nil, fmt.Errorf("%w: the function %q is not supported", ErrTemplate, x.name)
}

func (e *exprs) filter(x *expr, depth int) (*expr, error) {
	out := &expr{op: "filter", name: e.next().text, args: []*expr{x}}
	if !slices.Contains(filters, out.name) {
		return nil, fmt.Errorf("%w: the filter %q is not supported", ErrTemplate, out.name)
	}
	if e.take("(") {
		args, keys, err := e.arguments(depth)
		if err != nil {
			return nil, err
		}
		out.args, out.keys = append(out.args, args...), keys
	}
	return out, nil
}

func (e *exprs) test(x *expr, depth int) (*expr, error) {
	negate := e.take("not")
	out := &expr{op: "test", name: e.next().text, args: []*expr{x}}
	if !slices.Contains(tests, out.name) {
		return nil, fmt.Errorf("%w: the test %q is not supported", ErrTemplate, out.name)
	}
	if e.take("(") {
		args, _, err := e.arguments(depth)
		if err != nil {
			return nil, err
		}
		out.args = append(out.args, args...)
	}
	if negate {
		return &expr{op: "not", args: []*expr{out}}, nil
	}
	return out, nil
}
