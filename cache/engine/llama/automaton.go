package llama

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// A frame is a rule in progress, and what follows it. Frames are never changed, so that
// many states share them.
type frame struct {
	t    *term
	a, b int // the place inside of the rule
	up   *frame
}

// A state is the ways in which the text so far can be read. A nil frame is a text that
// is complete.
type state []*frame

// maxThreads bounds the readings of a text. More are dropped, which forbids some texts
// and allows none that is wrong.
const maxThreads = 64

// maxExpansions bounds the rules that one byte may open: a hostile schema has more
// alternatives of alternatives than atoms in the world.
const maxExpansions = 4096

// An opening collects the frames that wait for a byte.
type opening struct {
	state state
	left  int
}

// begin returns the state before the first byte.
func (g *Grammar) begin() state {
	o := opening{left: maxExpansions}
	o.closure(&frame{t: g.root})
	return o.state
}

// closure appends the frames that wait for a byte.
func (o *opening) closure(f *frame) {
	if o.left--; len(o.state) >= maxThreads || o.left < 0 {
		return
	}
	if f == nil {
		o.state = o.state.with(nil)
		return
	}
	switch f.t.kind {
	case termLiteral:
		if f.a == len(f.t.literal) {
			o.closure(f.up)
			return
		}
	case termSequence:
		if f.a == len(f.t.items) {
			o.closure(f.up)
			return
		}
		up := f.up
		if f.a+1 < len(f.t.items) { // the last item needs no frame to come back to
			up = &frame{t: f.t, a: f.a + 1, up: f.up}
		}
		o.closure(&frame{t: f.t.items[f.a], up: up})
		return
	case termChoice:
		for _, x := range f.t.items {
			o.closure(&frame{t: x, up: f.up})
		}
		return
	case termInteger:
		if integerDone(f) {
			o.closure(f.up)
		}
	case termNumber:
		if numberDone(f.a) {
			o.closure(f.up)
		}
	}
	o.state = o.state.with(f)
}

// with appends a frame that is not there yet.
func (s state) with(f *frame) state {
	for _, x := range s {
		if sameFrame(x, f) {
			return s
		}
	}
	return append(s, f)
}

func sameFrame(x, y *frame) bool {
	for x != y {
		if x == nil || y == nil || x.t != y.t || x.a != y.a || x.b != y.b {
			return false
		}
		x, y = x.up, y.up
	}
	return true
}

// complete reports whether the text may end here.
func (s state) complete() bool {
	for _, f := range s {
		if f == nil {
			return true
		}
	}
	return false
}

// step returns the state after a byte; it is empty if the byte may not come.
func (s state) step(b byte) state {
	o := opening{left: maxExpansions}
	for _, f := range s {
		if f == nil {
			continue
		}
		switch f.t.kind {
		case termLiteral:
			if f.t.literal[f.a] == b {
				o.closure(&frame{t: f.t, a: f.a + 1, up: f.up})
			}
		case termText:
			o.text(f, b)
		case termInteger:
			if a, v, ok := integerStep(f, b); ok {
				o.closure(&frame{t: f.t, a: a, b: v, up: f.up})
			}
		case termNumber:
			if a, ok := numberStep(f.a, b); ok {
				o.closure(&frame{t: f.t, a: a, up: f.up})
			}
		}
	}
	return o.state
}

// steps returns the state after the bytes.
func (s state) steps(text string) state {
	for i := 0; i < len(text) && len(s) > 0; i++ {
		s = s.step(text[i])
	}
	return s
}

// The places inside a JSON string, in frame.a. Inside a character of several bytes it is
// the number of bytes left, and the range of the next one, packed.
const (
	textOpen   = iota // before the opening quote
	textPlain         // between characters
	textEscape        // after a backslash
	textBytes         // | left<<8 | low<<16 | high<<24
)

// text reads a byte of a string: well-formed UTF-8 (Unicode, table 3-7), no control
// characters, the two-character escapes. frame.b counts the characters.
func (o *opening) text(f *frame, b byte) {
	next := func(place, count int) { o.closure(&frame{t: f.t, a: place, b: count, up: f.up}) }
	switch f.a & 255 {
	case textOpen:
		if b == '"' {
			next(textPlain, 0)
		}
		return
	case textEscape:
		if strings.IndexByte(`"\/bfnrt`, b) >= 0 {
			next(textPlain, f.b+1)
		}
		return
	case textBytes:
		left, low, high := f.a>>8&255, f.a>>16&255, f.a>>24&255
		switch {
		case int(b) < low || int(b) > high:
		case left == 1:
			next(textPlain, f.b+1)
		default:
			next(textBytes|(left-1)<<8|0x80<<16|0xbf<<24, f.b)
		}
		return
	}
	if b == '"' {
		if f.b >= f.t.min {
			o.closure(f.up)
		}
		return
	}
	switch {
	case f.t.max >= 0 && f.b >= f.t.max || b < 0x20:
		return
	case b == '\\':
		next(textEscape, f.b)
		return
	case b < 0x80:
		next(textPlain, f.b+1)
		return
	}
	var left int
	low, high := 0x80, 0xbf
	switch {
	case b >= 0xc2 && b <= 0xdf:
		left = 1
	case b >= 0xe0 && b <= 0xef:
		left = 2
		if b == 0xe0 {
			low = 0xa0
		} else if b == 0xed {
			high = 0x9f
		}
	case b >= 0xf0 && b <= 0xf4:
		left = 3
		if b == 0xf0 {
			low = 0x90
		} else if b == 0xf4 {
			high = 0x8f
		}
	default:
		return
	}
	next(textBytes|left<<8|low<<16|high<<24, f.b)
}

// An integer's place: the number of digits, and 1<<8 after a minus; b is the magnitude.
const integerMinus = 1 << 8

func integerDone(f *frame) bool {
	digits := f.a &^ integerMinus
	v := f.b
	if f.a&integerMinus != 0 {
		v = -v
	}
	return digits > 0 && (f.a&integerMinus == 0 || f.b > 0) && v >= f.t.min && v <= f.t.max
}

func integerStep(f *frame, b byte) (place, value int, ok bool) {
	digits, minus := f.a&^integerMinus, f.a&integerMinus != 0
	if b == '-' && f.a == 0 {
		return integerMinus, 0, f.t.min < 0
	}
	if b < '0' || b > '9' || digits == 15 || digits == 1 && f.b == 0 || minus && digits == 0 && b == '0' {
		return 0, 0, false
	}
	v := f.b*10 + int(b-'0')
	lo, hi := f.t.min, f.t.max
	if minus {
		lo, hi = -hi, -lo
	}
	// Some number that begins with these digits is in the range.
	for from, to := v, v; from <= hi; from, to = from*10, to*10+9 {
		if to >= lo {
			return f.a + 1, v, true
		}
		if v == 0 || from > maxInteger/10 {
			break
		}
	}
	return 0, 0, false
}

// The places inside a number; the digits of each part are counted above 8 bits.
const (
	numberOpen = iota
	numberMinus
	numberZero
	numberWhole
	numberPoint
	numberFraction
	numberE
	numberSign
	numberPower
)

func numberDone(a int) bool {
	switch a & 255 {
	case numberZero, numberWhole, numberFraction, numberPower:
		return true
	}
	return false
}

// numberStep follows JSON's grammar of numbers, with at most 15 digits before the point,
// 15 after it and 2 in the exponent.
func numberStep(a int, b byte) (int, bool) {
	digit := b >= '0' && b <= '9'
	count := a >> 8
	switch a & 255 {
	case numberOpen, numberMinus:
		switch {
		case b == '-' && a == numberOpen:
			return numberMinus, true
		case b == '0':
			return numberZero, true
		case digit:
			return numberWhole | 1<<8, true
		}
	case numberWhole, numberZero:
		switch {
		case digit && a&255 == numberWhole && count < 15:
			return a + 1<<8, true
		case b == '.':
			return numberPoint, true
		case b == 'e' || b == 'E':
			return numberE, true
		}
	case numberPoint:
		return numberFraction | 1<<8, digit
	case numberFraction:
		switch {
		case digit && count < 15:
			return a + 1<<8, true
		case b == 'e' || b == 'E':
			return numberE, true
		}
	case numberE:
		if b == '+' || b == '-' {
			return numberSign, true
		}
		return numberPower | 1<<8, digit
	case numberSign:
		return numberPower | 1<<8, digit
	case numberPower:
		return a + 1<<8, digit && count < 2
	}
	return 0, false
}

// shortest returns the bytes that one reading needs to be complete, the fewest of all,
// and that reading.
func (s state) shortest() (bytes int, f *frame) {
	bytes = -1
	for _, x := range s {
		n := 0
		for y := x; y != nil; y = y.up {
			n += y.needs()
		}
		if bytes < 0 || n < bytes {
			bytes, f = n, x
		}
	}
	return max(0, bytes), f
}

// ending returns the shortest text that completes one reading.
func (s state) ending() string {
	var b strings.Builder
	for _, f := s.shortest(); f != nil; f = f.up {
		f.write(&b)
	}
	return b.String()
}

// needs returns the length of what write writes.
func (f *frame) needs() int {
	switch f.t.kind {
	case termLiteral:
		return len(f.t.literal) - f.a
	case termSequence:
		n := 0
		for _, x := range f.t.items[f.a:] {
			n += x.least
		}
		return n
	case termChoice:
		return f.t.least
	}
	return len(f.rest())
}

// write appends the shortest text that completes a rule in progress.
func (f *frame) write(b *strings.Builder) {
	switch f.t.kind {
	case termLiteral:
		b.WriteString(f.t.literal[f.a:])
	case termSequence:
		for _, x := range f.t.items[f.a:] {
			x.write(b)
		}
	case termChoice:
		f.t.write(b)
	default:
		b.WriteString(f.rest())
	}
}

// rest is the end of a text or a number.
func (f *frame) rest() string {
	switch f.t.kind {
	case termText:
		return textRest(f)
	case termInteger:
		return integerRest(f)
	}
	switch f.a & 255 {
	case numberOpen, numberMinus, numberPoint, numberE, numberSign:
		return "0"
	}
	return ""
}

func textRest(f *frame) string {
	switch f.a & 255 {
	case textOpen:
		return `"` + strings.Repeat("a", f.t.min) + `"`
	case textEscape:
		return "n" + strings.Repeat("a", max(0, f.t.min-f.b-1)) + `"`
	case textBytes:
		left, low := f.a>>8&255, byte(f.a>>16&255)
		return string([]byte{low}) + strings.Repeat("\x80", left-1) + strings.Repeat("a", max(0, f.t.min-f.b-1)) + `"`
	}
	return strings.Repeat("a", max(0, f.t.min-f.b)) + `"`
}

// integerRest returns the digits that lead to the nearest number of the range.
func integerRest(f *frame) string {
	if integerDone(f) {
		return ""
	}
	digits, minus := f.a&^integerMinus, f.a&integerMinus != 0
	lo, hi := f.t.min, f.t.max
	if minus {
		lo, hi = -hi, -lo
	} else if digits == 0 {
		return strconv.Itoa(shortInteger(f.t.min, f.t.max))
	}
	lo = max(lo, 0)
	if minus {
		lo = max(lo, 1)
	}
	if digits == 0 {
		return strconv.Itoa(lo)
	}
	for from, to := f.b, f.b; from <= hi; from, to = from*10, to*10+9 {
		if to >= lo {
			s := strconv.Itoa(max(from, lo))
			return s[min(len(s), len(strconv.Itoa(f.b))):]
		}
	}
	return ""
}

// key identifies a state. Two states with one key allow the same next tokens: a text that
// may go on for longer than any token is the same state at each place.
func (s state) key(longest int) string {
	var b []byte
	for _, f := range s {
		for ; f != nil; f = f.up {
			count := f.b
			if f.t.kind == termText {
				count = f.distance(longest)
			}
			b = binary.AppendUvarint(b, uint64(f.t.id+1))
			b = binary.AppendUvarint(b, uint64(f.a))
			b = binary.AppendVarint(b, int64(count))
		}
		b = append(b, 0)
	}
	return string(b)
}

// distance folds the count of a text's characters: how far its bounds are, at most
// longest.
func (f *frame) distance(longest int) int {
	toMin := min(longest, max(0, f.t.min-f.b))
	toMax := longest
	if f.t.max >= 0 {
		toMax = min(longest, f.t.max-f.b)
	}
	return toMin*(longest+1) + toMax
}
