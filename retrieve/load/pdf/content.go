package pdf

import (
	"errors"
	"math"
	"reflect"
	"slices"

	"github.com/prodailabs/prodai/retrieve/load"
)

// A matrix is the six numbers [a b c d e f] of a transformation (8.3.3).
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// times returns the transformation that does m first, then n.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

func (m matrix) at(x, y float64) (float64, float64) {
	return m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]
}

// A state is the graphics state, as far as it matters for text (8.4, 9.3).
type state struct {
	ctm                               matrix
	font                              *font
	size, char, word, scale, lead, up float64
}

// maxOperators is how many operators all pages of a file may have together, with those of
// forms that are drawn again and again.
const maxOperators = 10_000_000

// An interpreter runs the operators of a page's content that show text.
type interpreter struct {
	f     *file
	show  func(g shown)
	full  func() error // the text has become too long
	fonts map[any]*font
	ops   *int

	state
	saved      []state
	text, line matrix
	resources  dict
	forms      []*stream // that are being drawn, one in the other
	fallback   *font
}

// A shown is a code that was shown: its text and its box on the page.
type shown struct {
	text           string
	x0, y0, x1, y1 float64 // from the beginning of the base line to its end
	size           float64
}

// run runs a content. Damaged operators are left out.
func (x *interpreter) run(data []byte) error {
	const bytesPerOperator = 8
	*x.ops -= len(data) / bytesPerOperator // a content without operators takes time too
	if err := x.f.ctx.Err(); err != nil {
		return err
	}
	l := &lexer{data: data, depth: 50}
	var operands []any
	for {
		v, ok, err := l.value(0)
		if err != nil || !ok {
			return err
		}
		word, isOp := v.(op)
		if !isOp {
			const most = 1 << 16 // operands, more are garbage
			if len(operands) < most {
				operands = append(operands, v)
			}
			continue
		}
		if *x.ops--; *x.ops < 0 {
			return &load.LimitError{What: "operators", Limit: maxOperators}
		}
		if *x.ops%4096 == 0 && x.f.ctx.Err() != nil {
			return x.f.ctx.Err()
		}
		if err := x.full(); err != nil {
			return err
		}
		if word == "ID" {
			skipImage(l)
		} else if err := x.do(word, operands); err != nil {
			return err
		}
		operands = operands[:0]
	}
}

// skipImage goes to the end of an image's data within the content.
func skipImage(l *lexer) {
	for i := l.pos; i+2 < len(l.data); i++ {
		if isSpace(l.data[i]) && l.data[i+1] == 'E' && l.data[i+2] == 'I' && (i+3 == len(l.data) || isSpace(l.data[i+3])) {
			l.pos = i + 3
			return
		}
	}
	l.pos = len(l.data)
}

// numbers returns the last n operands as numbers.
func numbers(operands []any, n int) ([]float64, bool) {
	if len(operands) < n {
		return nil, false
	}
	out := make([]float64, n)
	for i, v := range operands[len(operands)-n:] {
		f, ok := v.(float64)
		if !ok || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}

func (x *interpreter) do(word op, operands []any) error {
	switch word {
	case "q":
		const deepest = 1000
		if len(x.saved) < deepest {
			x.saved = append(x.saved, x.state)
		}
	case "Q":
		if n := len(x.saved); n > 0 {
			x.state, x.saved = x.saved[n-1], x.saved[:n-1]
		}
	case "cm":
		if m, ok := numbers(operands, 6); ok {
			x.ctm = matrix(m).times(x.ctm)
		}
	case "BT":
		x.text, x.line = identity, identity
	case "Tf":
		return x.setFont(operands)
	case "Tm":
		if m, ok := numbers(operands, 6); ok {
			x.text, x.line = matrix(m), matrix(m)
		}
	case "Td", "TD":
		if n, ok := numbers(operands, 2); ok {
			if word == "TD" {
				x.lead = -n[1]
			}
			x.next(n[0], n[1])
		}
	case "T*":
		x.next(0, -x.lead)
	case "Do":
		if len(operands) > 0 {
			return x.form(operands[len(operands)-1])
		}
	case "Tj", "'", `"`, "TJ":
		x.shows(word, operands)
	default:
		x.parameter(word, operands)
	}
	return nil
}

// parameter sets one number of the text state.
func (x *interpreter) parameter(word op, operands []any) {
	target := map[op]*float64{"Tc": &x.char, "Tw": &x.word, "TL": &x.lead, "Ts": &x.up, "Tz": &x.scale}[word]
	if n, ok := numbers(operands, 1); ok && target != nil {
		if *target = n[0]; word == "Tz" {
			x.scale /= 100
		}
	}
}

func (x *interpreter) next(tx, ty float64) {
	x.line = matrix{1, 0, 0, 1, tx, ty}.times(x.line)
	x.text = x.line
}

func (x *interpreter) setFont(operands []any) error {
	if len(operands) < 2 {
		return nil
	}
	key, _ := operands[len(operands)-2].(name)
	if n, ok := numbers(operands, 1); ok {
		x.size = n[0]
	}
	fonts := x.f.dict(x.resources["Font"])
	v := fonts[key]
	var cached any = struct {
		in  uintptr
		key name
	}{reflect.ValueOf(fonts).Pointer(), key}
	if r, ok := v.(ref); ok {
		cached = r
	}
	if x.fonts[cached] == nil {
		f, err := x.f.font(v)
		if err != nil {
			return err
		}
		x.fonts[cached] = f
		*x.ops -= f.parts
	}
	x.state.font = x.fonts[cached]
	return nil
}

// form draws a form: a content with resources of its own (8.10).
func (x *interpreter) form(operand any) error {
	key, _ := operand.(name)
	s, ok := x.f.get(x.f.dict(x.resources["XObject"])[key]).(*stream)
	const deepest = 12
	if !ok || x.f.name(s.dict["Subtype"]) != "Form" || len(x.forms) >= deepest || slices.Contains(x.forms, s) {
		return nil
	}
	data, err := x.f.form(s)
	if err != nil {
		if errors.Is(err, errFilter) || errors.Is(err, errObject) {
			return nil
		}
		return err
	}
	before := *x
	x.forms = append(slices.Clip(x.forms), s)
	x.saved = nil
	if m, ok := numbers(x.f.array(s.dict["Matrix"]), 6); ok {
		x.ctm = matrix(m).times(x.ctm)
	}
	if r := x.f.dict(s.dict["Resources"]); r != nil {
		x.resources = r
	}
	err = x.run(data)
	*x = before
	return err
}

func (x *interpreter) shows(word op, operands []any) {
	if word == `"` {
		if n, ok := numbers(operands[:max(len(operands)-1, 0)], 2); ok {
			x.word, x.char = n[0], n[1]
		}
	}
	if word == "'" || word == `"` {
		x.next(0, -x.lead)
	}
	if len(operands) == 0 {
		return
	}
	switch v := operands[len(operands)-1].(type) {
	case string:
		x.string(v)
	case array:
		for _, part := range v {
			switch part := part.(type) {
			case string:
				x.string(part)
			case float64:
				x.advance(-part / 1000 * x.size * x.scale)
			}
		}
	}
}

func (x *interpreter) advance(tx float64) { x.text = matrix{1, 0, 0, 1, tx, 0}.times(x.text) }

func (x *interpreter) string(s string) {
	if x.state.font == nil {
		if x.fallback == nil {
			x.fallback, _ = x.f.font(nil) // without a dictionary it can't fail
		}
		x.state.font = x.fallback
	}
	x.state.font.codes(s, func(text string, width float64, blank bool) {
		m := x.text.times(x.ctm)
		x0, y0 := m.at(0, x.up)
		tx := width / 1000 * x.size
		x1, y1 := m.at(tx*x.scale, x.up)
		height := x.size * math.Hypot(m[2], m[3])
		x.show(shown{text, x0, y0, x1, y1, math.Abs(height)})
		if tx += x.char; blank {
			tx += x.word
		}
		x.advance(tx * x.scale)
	})
}
