package wordpiece

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed uncased.txt
var uncased string

// What the normalizer does to a code point.
type kind uint8

const (
	keep  kind = iota // part of a word, perhaps replaced
	alone             // a word of its own: punctuation and Chinese characters
	space             // ends a word
	drop              // control characters and accents
)

// The table for ASCII: the lower-cased letter or digit, or one of these.
const (
	asciiDrop byte = iota
	asciiSpace
	asciiAlone
)

var ascii = func() (t [utf8.RuneSelf]byte) {
	for c := range t {
		b := byte(c)
		switch {
		case b == '\t' || b == '\n' || b == '\r' || b == ' ':
			t[c] = asciiSpace
		case b < ' ' || b == 0x7F:
			t[c] = asciiDrop
		case 'A' <= b && b <= 'Z':
			t[c] = b + 'a' - 'A'
		case 'a' <= b && b <= 'z' || '0' <= b && b <= '9':
			t[c] = b
		default:
			t[c] = asciiAlone
		}
	}
	return t
}()

// maxFold is the most bytes that one code point becomes: a musical note of three
// parts of four bytes.
const maxFold = 12

// folded is the replacement of one code point.
type folded struct {
	buf   [maxFold]byte
	n     uint8
	runes uint8
}

func (f *folded) bytes() []byte { return f.buf[:f.n] }

func (f *folded) add(r rune) {
	f.n += uint8(len(utf8.AppendRune(f.buf[:f.n], r))) - f.n
	f.runes++
}

// A folder is uncased.txt as a two-stage table: pages of 256 code points with
// indexes into rules. Equal pages are stored once.
type folder struct {
	page  [(utf8.MaxRune + 1) >> 8]uint16
	pages [][256]uint16
	rules []rule
}

type rule struct {
	kind  kind
	delta int32
	text  string // replaces the code point if it is set
}

func newFolder() (*folder, error) {
	f := &folder{rules: []rule{{kind: keep}}}
	ruleOf := map[rule]uint16{f.rules[0]: 0}
	flat := make([]uint16, utf8.MaxRune+1)
	for line := range strings.Lines(uncased) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		first, last, r, err := parseRule(line)
		if err != nil {
			return nil, fmt.Errorf("wordpiece: uncased.txt: %q: %w", line, err)
		}
		i, ok := ruleOf[r]
		if !ok {
			i = uint16(len(f.rules))
			ruleOf[r] = i
			f.rules = append(f.rules, r)
		}
		for c := first; c <= last; c++ {
			flat[c] = i
		}
	}
	pageOf := map[[256]uint16]uint16{}
	for p := range f.page {
		page := [256]uint16(flat[p<<8:])
		i, ok := pageOf[page]
		if !ok {
			i = uint16(len(f.pages))
			pageOf[page] = i
			f.pages = append(f.pages, page)
		}
		f.page[p] = i
	}
	return f, nil
}

func parseRule(line string) (first, last int, r rule, err error) {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) != 4 {
		return 0, 0, r, fmt.Errorf("want four fields")
	}
	lo, err1 := strconv.ParseUint(fields[0], 16, 32)
	hi, err2 := strconv.ParseUint(fields[1], 16, 32)
	if err1 != nil || err2 != nil || lo > hi || hi > utf8.MaxRune {
		return 0, 0, r, fmt.Errorf("want a range of code points")
	}
	switch fields[2] {
	case "keep":
		r.kind = keep
	case "alone":
		r.kind = alone
	case "space":
		r.kind = space
	case "drop":
		r.kind = drop
	default:
		return 0, 0, r, fmt.Errorf("unknown kind")
	}
	if text, ok := strings.CutPrefix(fields[3], "="); ok {
		r.text = text
		if len(text) > maxFold {
			return 0, 0, r, fmt.Errorf("the replacement is too long")
		}
		return int(lo), int(hi), r, nil
	}
	delta, err := strconv.ParseInt(fields[3], 10, 32)
	r.delta = int32(delta)
	return int(lo), int(hi), r, err
}

// rune returns the replacement of r.
func (f *folder) rune(r rune) (kind, folded) {
	var out folded
	if r == utf8.RuneError {
		return drop, out
	}
	if 0xAC00 <= r && r <= 0xD7A3 {
		decomposeHangul(&out, r)
		return keep, out
	}
	rule := &f.rules[f.pages[f.page[r>>8]][r&0xFF]]
	if rule.text == "" {
		out.add(r + rule.delta)
		return rule.kind, out
	}
	out.n = uint8(copy(out.buf[:], rule.text))
	out.runes = uint8(utf8.RuneCountInString(rule.text))
	return rule.kind, out
}

// decomposeHangul writes a syllable's two or three jamo: The Unicode Standard,
// section 3.12.
func decomposeHangul(out *folded, r rune) {
	const (
		sBase, lBase, vBase, tBase = 0xAC00, 0x1100, 0x1161, 0x11A7
		vCount, tCount             = 21, 28
	)
	s := r - sBase
	out.add(lBase + s/(vCount*tCount))
	out.add(vBase + s%(vCount*tCount)/tCount)
	if t := s % tCount; t != 0 {
		out.add(tBase + t)
	}
}
