package retrieve

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseFilter reads the text of a filter:
//
//	lang = 'en' and (year >= 2020 or not exists year) and tag in ('api', 'cli')
//
// A string is in single or double quotes, and a quote in it is written twice. A key is
// a word of letters, digits, "_", "-" and ".", or any text between backquotes. "not" is
// read first, then "and", then "or". ParseFilter fails with [ErrFilter]. Don't build
// such a text of a user's input: use [Eq] and the functions beside it.
func ParseFilter(text string) (Filter, error) {
	p := &filterParser{text: text}
	f, err := p.or(0)
	if err == nil {
		if p.next(); p.token != "" {
			err = p.unexpected("the end")
		}
	}
	if err == nil {
		err = f.Check()
	}
	if err != nil {
		return Filter{}, err
	}
	return f, nil
}

var filterWords = map[string]bool{"and": true, "or": true, "not": true, "in": true, "exists": true, "true": true, "false": true, "all": true}

type filterParser struct {
	text  string
	at    int    // the end of the token
	start int    // of the token
	token string // "" at the end
	back  bool   // the token was put back
}

// next reads a token: a quoted text with its quotes, a word or number, or a sign.
func (p *filterParser) next() string {
	if p.back {
		p.back = false
		return p.token
	}
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	p.start = p.at
	rest := p.text[p.at:]
	n := 0
	switch {
	case rest == "":
	case strings.IndexByte("'\"`", rest[0]) >= 0:
		n = quoted(rest)
	case len(rest) >= 2 && (rest[:2] == "<=" || rest[:2] == ">=" || rest[:2] == "!="):
		n = 2
	case isWordByte(rest[0]) || rest[0] == '+':
		for n < len(rest) && (isWordByte(rest[n]) || rest[n] == '+') {
			n++
		}
	default:
		n = 1
	}
	p.token = rest[:n]
	p.at += n
	return p.token
}

// quoted returns the length of the quoted text that s begins with, to the end of s if
// the closing quote is missing.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

func (p *filterParser) putBack() { p.back = true }

func (p *filterParser) unexpected(want string) error {
	got := p.token
	if got == "" {
		got = "the end"
	}
	return fmt.Errorf("%w: at byte %d: %s, want %s", ErrFilter, p.start, got, want)
}

// isWordByte: a byte of UTF-8 beyond ASCII is part of a word.
func isWordByte(b byte) bool {
	return b == '_' || b == '.' || b == '-' || b >= 0x80 || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func isWord(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func (p *filterParser) or(depth int) (Filter, error) {
	return p.list("or", OpOr, func() (Filter, error) {
		return p.list("and", OpAnd, func() (Filter, error) { return p.unary(depth) })
	})
}

func (p *filterParser) list(word string, op FilterOp, part func() (Filter, error)) (Filter, error) {
	first, err := part()
	if err != nil {
		return Filter{}, err
	}
	all := []Filter{first}
	for strings.EqualFold(p.next(), word) {
		f, err := part()
		if err != nil {
			return Filter{}, err
		}
		all = append(all, f)
	}
	p.putBack()
	if len(all) == 1 {
		return first, nil
	}
	return Filter{Op: op, Filters: all}, nil
}

func (p *filterParser) unary(depth int) (Filter, error) {
	if depth > 3*filterDepth { // parentheses around parts are no levels of the tree
		return Filter{}, fmt.Errorf("%w: at byte %d: it is too deep", ErrFilter, p.at)
	}
	token := p.next()
	switch strings.ToLower(token) {
	case "not":
		f, err := p.unary(depth + 1)
		return Filter{Op: OpNot, Filters: []Filter{f}}, err
	case "(":
		f, err := p.or(depth + 1)
		if err == nil && p.next() != ")" {
			err = p.unexpected("and, or, or a closing parenthesis")
		}
		return f, err
	case "all":
		return Filter{}, nil
	case "and", "or": // of fewer than two
		return p.few(depth, map[string]FilterOp{"and": OpAnd, "or": OpOr}[strings.ToLower(token)])
	case "exists":
		p.next()
		key, err := p.key()
		return Filter{Op: OpExists, Key: key}, err
	}
	key, err := p.key()
	if err != nil {
		return Filter{}, err
	}
	return p.condition(key)
}

func (p *filterParser) few(depth int, op FilterOp) (Filter, error) {
	if p.next() != "(" {
		return Filter{}, p.unexpected("an opening parenthesis")
	}
	if p.next() == ")" {
		return Filter{Op: op}, nil
	}
	p.putBack()
	f, err := p.or(depth + 1)
	if err == nil && p.next() != ")" {
		err = p.unexpected("a closing parenthesis")
	}
	return Filter{Op: op, Filters: []Filter{f}}, err
}

// key reads the present token as a key.
func (p *filterParser) key() (string, error) {
	if isWord(p.token) && !filterWords[strings.ToLower(p.token)] {
		return p.token, nil
	}
	if key, ok := unquote(p.token, '`'); ok && key != "" {
		return key, nil
	}
	return "", p.unexpected("a key")
}

func unquote(token string, quotes ...byte) (string, bool) {
	for _, q := range quotes {
		if len(token) >= 2 && token[0] == q && token[len(token)-1] == q && quoted(token) == len(token) && !oddEnd(token) {
			return strings.ReplaceAll(token[1:len(token)-1], string([]byte{q, q}), string(q)), true
		}
	}
	return "", false
}

// oddEnd reports whether the last quote is half of a doubled one: the closing quote is
// missing then.
func oddEnd(token string) bool {
	n := 0
	for i := len(token) - 1; i > 0 && token[i] == token[0]; i-- {
		n++
	}
	return n%2 == 0
}

func (p *filterParser) condition(key string) (Filter, error) {
	sign := p.next()
	if strings.EqualFold(sign, "in") {
		return p.in(key)
	}
	for op, s := range opSigns {
		if s == sign {
			p.next()
			v, err := p.value()
			return Filter{Op: op, Key: key, Values: []any{v}}, err
		}
	}
	return Filter{}, p.unexpected("=, !=, <, <=, >, >= or in")
}

func (p *filterParser) in(key string) (Filter, error) {
	f := Filter{Op: OpIn, Key: key}
	if p.next() != "(" {
		return f, p.unexpected("an opening parenthesis")
	}
	if p.next() == ")" {
		return f, nil
	}
	for {
		v, err := p.value()
		if err != nil {
			return f, err
		}
		f.Values = append(f.Values, v)
		switch p.next() {
		case ")":
			return f, nil
		case ",":
			p.next()
		default:
			return f, p.unexpected("a comma or a closing parenthesis")
		}
	}
}

// value reads the present token as a value.
func (p *filterParser) value() (any, error) {
	if s, ok := unquote(p.token, '\'', '"'); ok {
		return s, nil
	}
	switch strings.ToLower(p.token) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if p.token != "" && strings.IndexByte("+-.0123456789", p.token[0]) >= 0 {
		if n, err := strconv.ParseFloat(p.token, 64); err == nil {
			return n, nil
		}
	}
	return nil, p.unexpected("a string in quotes, a number, true or false")
}
