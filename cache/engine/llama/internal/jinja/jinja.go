// Package jinja renders the chat templates that models carry: the part of Jinja2 that
// Hugging Face's templates use, with its settings trim_blocks and lstrip_blocks.
//
// A template is a program from the internet. A construct that this package does not
// know is an error when the template is parsed, which names it: another format in its
// place would make the model write nonsense. Rendering is bounded in steps and in output.
package jinja

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package.
var (
	ErrTemplate = errors.New("jinja: not a template that can be rendered")
	ErrRender   = errors.New("jinja: rendering failed")
)

const (
	maxDepth  = 200
	maxSteps  = 500_000
	maxOutput = 4 << 20
)

// A Template is a parsed template. It may be rendered by several goroutines.
type Template struct{ body []node }

// Parse parses a template.
func Parse(source string) (t *Template, err error) {
	p := &parser{}
	if err := p.lex(source); err != nil {
		return nil, err
	}
	body, end, err := p.block(0)
	if err != nil {
		return nil, err
	}
	if end != "" {
		return nil, fmt.Errorf("%w: {%% %s %%} without its begin", ErrTemplate, end)
	}
	return &Template{body}, nil
}

// Render returns the text for the variables: nil, bool, int, float64, string, []any,
// map[string]any and [*Dict] are known.
func (t *Template) Render(variables map[string]any) (string, error) {
	r := &renderer{scopes: []map[string]any{{}}}
	for k, v := range variables {
		r.scopes[0][k] = normal(v)
	}
	err := r.all(t.body)
	if err != nil {
		return "", err
	}
	return r.out.String(), nil
}

// A node is a piece of a template.
type node struct {
	kind  string // text, out, for, if, set
	text  string
	expr  *expr
	names []string // targets of for and set
	cond  *expr    // for … if
	body  []node
	other []node // else
	attr  string // set ns.attr
}

// A piece is a text, or the tokens of one {{ }} or {% %}.
type piece struct {
	kind   byte // 't', '{', '%'
	text   string
	tokens []token
}

type parser struct {
	pieces []piece
	at     int
}

// lex cuts the source and removes the white space that Jinja's settings say.
func (p *parser) lex(source string) error {
	source = strings.TrimSuffix(strings.ReplaceAll(source, "\r\n", "\n"), "\n") // as Jinja does
	trim, eatLine := false, false
	for source != "" {
		i := opening(source)
		text := source[:i]
		source = source[i:]
		if trim {
			text = strings.TrimLeft(text, " \t\n\r")
		} else if eatLine {
			text = strings.TrimPrefix(text, "\n")
		}
		trim, eatLine = false, false
		if source == "" {
			p.pieces = append(p.pieces, piece{kind: 't', text: text})
			break
		}
		kind := source[1]
		closing := map[byte]string{'{': "}}", '%': "%}", '#': "#}"}[kind]
		end := closingAt(source, closing, kind == '#')
		if end < 0 {
			return fmt.Errorf("%w: {%c without %s", ErrTemplate, kind, closing)
		}
		inner := source[2:end]
		source = source[end+2:]
		switch {
		case strings.HasPrefix(inner, "-"):
			inner, text = inner[1:], strings.TrimRight(text, " \t\n\r")
		case strings.HasPrefix(inner, "+"):
			inner = inner[1:]
		case kind != '{':
			text = stripLine(text, len(p.pieces) == 0)
		}
		if strings.HasSuffix(inner, "-") {
			inner, trim = inner[:len(inner)-1], true
		} else {
			eatLine = kind != '{'
		}
		p.pieces = append(p.pieces, piece{kind: 't', text: text})
		if kind == '#' {
			continue
		}
		tokens, err := scan(inner)
		if err != nil {
			return err
		}
		p.pieces = append(p.pieces, piece{kind: kind, tokens: tokens, text: strings.TrimSpace(inner)})
	}
	return nil
}

func opening(s string) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '{' && (s[i+1] == '{' || s[i+1] == '%' || s[i+1] == '#') {
			return i
		}
	}
	return len(s)
}

// closingAt finds the end of a tag outside of its strings.
func closingAt(s, closing string, comment bool) int {
	quote := byte(0)
	for i := 2; i+1 < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case !comment && (c == '"' || c == '\''):
			quote = c
		case strings.HasPrefix(s[i:], closing):
			return i
		}
	}
	return -1
}

// stripLine removes the spaces between the last line end and a tag.
func stripLine(text string, first bool) string {
	cut := strings.TrimRight(text, " \t")
	if cut == "" && first || strings.HasSuffix(cut, "\n") {
		return cut
	}
	return text
}

// block parses nodes up to an end tag of its caller, which it returns.
func (p *parser) block(depth int) (body []node, end string, err error) {
	if depth > maxDepth {
		return nil, "", fmt.Errorf("%w: nested more than %d deep", ErrTemplate, maxDepth)
	}
	for p.at < len(p.pieces) {
		c := p.pieces[p.at]
		p.at++
		switch {
		case c.kind == 't':
			if c.text != "" {
				body = append(body, node{kind: "text", text: c.text})
			}
			continue
		case c.kind == '{':
			e, err := parseAll(c.tokens)
			if err != nil {
				return nil, "", err
			}
			body = append(body, node{kind: "out", expr: e})
			continue
		}
		e := &exprs{tokens: c.tokens}
		name := e.next().text
		switch name {
		case "for", "if", "set":
			n, err := p.statement(name, e, depth)
			if err != nil {
				return nil, "", err
			}
			body = append(body, n)
		case "generation", "endgeneration": // marks for training only
		case "else", "elif", "endif", "endfor", "endset":
			p.at-- // elif's condition is read by its if
			return body, name, nil
		default:
			return nil, "", fmt.Errorf("%w: the statement %q is not supported", ErrTemplate, name)
		}
	}
	return body, "", nil
}

func (p *parser) statement(name string, e *exprs, depth int) (n node, err error) {
	n.kind = name
	switch name {
	case "set":
		return p.set(e, depth)
	case "for":
		for {
			n.names = append(n.names, e.next().text)
			if !e.take(",") {
				break
			}
		}
		if !e.take("in") {
			return n, fmt.Errorf("%w: a for without in", ErrTemplate)
		}
		if n.expr, err = e.or(0); err != nil {
			return n, err
		}
		if e.take("if") {
			if n.cond, err = e.ternary(0); err != nil {
				return n, err
			}
		}
	case "if":
		if n.expr, err = e.ternary(0); err != nil {
			return n, err
		}
	}
	if err = e.end(); err != nil {
		return n, err
	}
	var end string
	if n.body, end, err = p.block(depth + 1); err != nil {
		return n, err
	}
	if end == "elif" && name == "if" {
		inner := &exprs{tokens: p.pieces[p.at].tokens[1:]}
		p.at++
		more, err := p.statement("if", inner, depth+1)
		n.other = []node{more}
		return n, err
	}
	if end == "else" {
		p.at++
		if n.other, end, err = p.block(depth + 1); err != nil {
			return n, err
		}
	}
	if end != "end"+name {
		return n, fmt.Errorf("%w: {%% %s %%} ends with %q", ErrTemplate, name, end)
	}
	p.at++
	return n, nil
}

func (p *parser) set(e *exprs, depth int) (n node, err error) {
	n = node{kind: "set", names: []string{e.next().text}}
	if e.take(".") {
		n.attr = e.next().text
	}
	if e.take("=") {
		if n.expr, err = e.ternary(0); err != nil {
			return n, err
		}
		return n, e.end()
	}
	if err = e.end(); err != nil {
		return n, err
	}
	var end string
	if n.body, end, err = p.block(depth + 1); err == nil && end != "endset" {
		err = fmt.Errorf("%w: {%% set %%} ends with %q", ErrTemplate, end)
	}
	p.at++
	return n, err
}
