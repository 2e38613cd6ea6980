package token

import (
	"math/bits"
	"unicode/utf8"
)

// This file finds the pieces in 64 bytes of text at once, for the patterns of o200k,
// cl100k, Llama 3 and Qwen2. The method marks finds the same pieces as
// [splitter.next], which is the reference. The 64 bytes are called a window.
//
// A plane is a word of 64 bits for a class of characters: bit k is set if byte k of
// the window is of that class. Shifts and logic on the planes give the places where
// pieces begin. For instance, "a letter begins a piece if no letter and no space comes
// before it" is letter &^ (letter<<1) &^ (space<<1). That is done for all 64 bytes in a
// few instructions, without a branch that depends on the text.
//
// A window begins where a piece begins. A pattern never looks back further than that,
// so nothing is carried from one window to the next. What the planes can't decide is
// left to next, for instance a piece that is longer than the window.

// windowBytes is how many bytes a window has.
const windowBytes = 64

// afterWindow is how many bytes of the text must follow a window. The last character
// and the last piece of a window are read in words that reach beyond it.
const afterWindow = 16

// planes are the classes of a window. A character of several bytes sets the bits of
// all its bytes.
type planes struct {
	// kind has a plane for each class, in the order of the constants.
	kind [8]uint64

	tab   uint64 // tab, vertical tab and form feed
	quote uint64 // '
	slash uint64 // /
	tail  uint64 // the bytes of each character, except the first
	wide  uint64 // numbers and white space that are not ASCII
}

// The places of the classes in planes.kind.
const (
	upperPlane = iota
	lowerPlane
	caselessPlane
	markPlane
	numberPlane
	spacePlane
	newlinePlane
	otherPlane
)

// The bits of asciiBits.
const (
	upperBit = 1 << iota
	lowerBit
	numberBit
	whiteBit
	newlineBit
	otherBit
	tabOrQuoteBit // with whiteBit it means planes.tab, with otherBit planes.quote
	slashBit
)

// asciiBits has the planes of each byte as bits, 0 for a byte that is not ASCII.
var asciiBits = func() (t [256]uint8) {
	for b := range utf8.RuneSelf {
		switch c := byte(b); {
		case 'A' <= c && c <= 'Z':
			t[c] = upperBit
		case 'a' <= c && c <= 'z':
			t[c] = lowerBit
		case '0' <= c && c <= '9':
			t[c] = numberBit
		case c == ' ':
			t[c] = whiteBit
		case c == '\n' || c == '\r':
			t[c] = whiteBit | newlineBit
		case c == '\t' || c == '\v' || c == '\f':
			t[c] = whiteBit | tabOrQuoteBit
		case c == '\'':
			t[c] = otherBit | tabOrQuoteBit
		case c == '/':
			t[c] = otherBit | slashBit
		default:
			t[c] = otherBit
		}
	}
	return t
}()

// bitRowsGo sets rows[k] to the plane of bit k of asciiBits, for the 64 bytes that
// text begins with. It is bitRows without assembly.
func bitRowsGo(text string, rows *[8]uint64) {
	text = text[:windowBytes]
	for g := range 8 {
		b := text[8*g : 8*g+8]
		x := uint64(asciiBits[b[0]]) | uint64(asciiBits[b[1]])<<8 | uint64(asciiBits[b[2]])<<16 | uint64(asciiBits[b[3]])<<24 |
			uint64(asciiBits[b[4]])<<32 | uint64(asciiBits[b[5]])<<40 | uint64(asciiBits[b[6]])<<48 | uint64(asciiBits[b[7]])<<56
		// Bit k of byte j goes to bit j of byte k.
		t := (x ^ x>>7) & 0x00AA00AA00AA00AA
		x ^= t ^ t<<7
		t = (x ^ x>>14) & 0x0000CCCC0000CCCC
		x ^= t ^ t<<14
		t = (x ^ x>>28) & 0x00000000F0F0F0F0
		x ^= t ^ t<<28
		rows[g] = x
	}
	// Byte k of row g goes to byte g of row k.
	for i := range 4 {
		t := (rows[i]>>32 ^ rows[i+4]) & 0x00000000FFFFFFFF
		rows[i] ^= t << 32
		rows[i+4] ^= t
	}
	for _, i := range [4]int{0, 1, 4, 5} {
		t := (rows[i]>>16 ^ rows[i+2]) & 0x0000FFFF0000FFFF
		rows[i] ^= t << 16
		rows[i+2] ^= t
	}
	for _, i := range [4]int{0, 2, 4, 6} {
		t := (rows[i]>>8 ^ rows[i+1]) & 0x00FF00FF00FF00FF
		rows[i] ^= t << 8
		rows[i+1] ^= t
	}
}

// window sets p to the planes of the 64 bytes at text[i:].
func (s *splitter) window(text string, i int, p *planes) {
	var rows [8]uint64
	bitRows(text[i:], &rows)
	white, other, special := rows[3], rows[5], rows[6]
	p.kind = [8]uint64{
		upperPlane: rows[0], lowerPlane: rows[1], numberPlane: rows[2],
		spacePlane: white &^ rows[4], newlinePlane: rows[4], otherPlane: other,
	}
	p.tab, p.quote, p.slash = white&special, other&special, rows[7]
	p.tail, p.wide = 0, 0
	if high := ^(rows[0] | rows[1] | rows[2] | white | other); high != 0 {
		s.wideWindow(text[i:], high, p)
	}
}

// wideWindow adds to p the characters that are not ASCII, whose bytes are in high.
func (s *splitter) wideWindow(text string, high uint64, p *planes) {
	text = text[:windowBytes+afterWindow]
	for high != 0 {
		k := bits.TrailingZeros64(high)
		end := k
		for end < windowBytes && han(text[end], text[end+1], text[end+2]) {
			end += 3
		}
		if end > k {
			chars := (uint64(1)<<(end-k) - 1) << k // all bits if there are 64 or more
			p.kind[caselessPlane] |= chars
			p.tail |= chars &^ (everyThird << k)
			high &^= chars
			continue
		}
		c, size := s.wide(text[k:])
		char := (uint64(1)<<size - 1) << k
		p.kind[bits.TrailingZeros8(uint8(c))&7] |= char
		p.tail |= char &^ (1 << k)
		if c&(number|space) != 0 {
			p.wide |= char
		}
		high &^= char
	}
}

// everyThird has bits 0, 3, 6 and so on.
const everyThird = 0x9249249249249249

// marks returns the ends of the pieces in the window text[i:], at whose beginning a
// piece begins. If bit k is set, a piece ends and another begins at i+k. No later
// byte of the text can change that. marks returns 0 if it doesn't know the end of the
// first piece; next finds it.
func (s *splitter) marks(text string, i int) uint64 {
	if len(text)-i < windowBytes+afterWindow {
		return 0
	}
	var p planes
	switch s.pattern {
	case PatternO200K:
		s.window(text, i, &p)
		return p.o200k(text[i:])
	case PatternCL100K, PatternLlama3, PatternQwen2:
		s.window(text, i, &p)
		return p.cl100k(text[i:], s.digits)
	}
	return 0
}

// symbolStarts returns in free the first bytes of the runs of symbols that have no space
// before them: a space before a run belongs to it. In lead it returns the bytes of
// the first symbol of these runs. If a letter follows directly, the run has one
// symbol, and the symbol belongs to the word.
func (p *planes) symbolStarts(symbols uint64) (free, lead uint64) {
	free = symbols &^ (symbols << 1) &^ ((p.kind[spacePlane] &^ p.tab) << 1)
	lead = free
	if p.tail != 0 {
		lead |= lead << 1 & p.tail
		lead |= lead << 1 & p.tail
		lead |= lead << 1 & p.tail
	}
	return free, lead
}

// blankStarts returns where pieces of white space begin, and the first place that it
// can't decide, 64 if there is none. white is the white space without the line breaks
// that belong to symbols.
func (p *planes) blankStarts(white uint64) (starts uint64, limit int) {
	spaces, newlines := p.kind[spacePlane], p.kind[newlinePlane]
	starts = white &^ (white << 1)
	// The last blank goes to the word that follows.
	starts |= spaces &^ ((spaces | newlines) >> 1)
	// White space is cut after its last line break. So the blanks after a line break
	// begin a piece if no other line break follows them.
	after := spaces & (newlines << 1)
	sum := spaces + after // clears these runs and sets the bit after each
	limit = windowBytes
	if (sum&^spaces)&newlines|(spaces&^sum)>>63 != 0 {
		for rest := after; rest != 0; rest &= rest - 1 {
			k := bits.TrailingZeros64(rest)
			end := k + bits.TrailingZeros64(^(spaces >> k))
			switch {
			case end >= windowBytes:
				limit = k
			case newlines>>end&1 != 0:
				after &^= 1 << k
			}
		}
	}
	return starts | after, limit
}

// numberStarts returns the beginning of each run of numbers and every third place
// after it, or every place if digits is 1.
func numberStarts(numbers uint64, digits int) uint64 {
	if digits == 1 {
		return numbers
	}
	starts := numbers &^ (numbers << 1)
	run := numbers & (numbers << 1) & (numbers << 2) & (numbers << 3) // the three before are numbers as well
	if run == 0 {
		return starts
	}
	starts |= starts << 3 & run
	run &= run << 3
	starts |= starts << 6 & run
	run &= run << 6
	starts |= starts << 12 & run
	run &= run << 12
	starts |= starts << 24 & run
	run &= run << 24
	starts |= starts << 48 & run
	return starts
}

// known drops the start at the window's beginning, and the starts that depend on what
// follows the window or on the place limit and those after it.
func known(starts uint64, limit int) uint64 {
	return starts & (1<<min(max(limit, 1), windowBytes-1) - 2)
}

func (p *planes) cl100k(text string, digits int) uint64 {
	letters := p.kind[upperPlane] | p.kind[lowerPlane] | p.kind[caselessPlane]
	symbols := p.kind[otherPlane] | p.kind[markPlane]
	newlines := p.kind[newlinePlane]

	// Line breaks directly after symbols belong to them.
	first := newlines & (symbols << 1)
	taken := newlines &^ (newlines + first)
	white := (p.kind[spacePlane] | newlines) &^ taken

	starts, limit := p.blankStarts(white)
	free, lead := p.symbolStarts(symbols)
	starts |= free
	starts |= letters &^ ((letters | p.kind[spacePlane] | lead) << 1)
	starts |= numberStarts(p.kind[numberPlane], digits)
	for rest := p.quote & free & (letters >> 1); rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		if end := contraction(text, k, true); end > k {
			starts |= 1 << end
		}
	}
	if p.wide != 0 {
		limit = min(limit, bits.TrailingZeros64(p.wide))
	}
	return known(starts, limit)
}

func (p *planes) o200k(text string) uint64 {
	uppers, lowers, both := p.kind[upperPlane], p.kind[lowerPlane], p.kind[caselessPlane]|p.kind[markPlane]
	letters := uppers | lowers | both
	symbols := p.kind[otherPlane]
	newlines := p.kind[newlinePlane]

	// Line breaks directly after symbols, and the slashes and line breaks after
	// these, belong to the symbols.
	first := newlines & (symbols << 1)
	ends := newlines | p.slash
	taken := first | ends&^(ends+first)
	white := (p.kind[spacePlane] | newlines) &^ taken

	starts, limit := p.blankStarts(white)
	free, lead := p.symbolStarts(symbols &^ taken)
	starts |= free
	starts |= letters &^ ((letters | p.kind[spacePlane] | lead) << 1)
	starts |= uppers & (lowers << 1)
	starts |= numberStarts(p.kind[numberPlane], 3)
	starts |= (taken << 1) &^ taken
	last := -1
	for rest := p.quote & (letters << 1) & (letters >> 1); rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		if k == last {
			continue // the quote follows a contraction and begins a piece
		}
		if end := contraction(text, k, true); end > k {
			starts &^= 1<<end - 1<<k
			starts |= 1 << end
			last = end
		}
	}
	// A mark that follows no letter may belong to symbols. A capital after a caseless
	// letter begins a piece, unless a small letter follows the capitals.
	if open := p.wide | p.kind[markPlane]&^(letters<<1) | uppers&(both<<1); open != 0 {
		limit = min(limit, bits.TrailingZeros64(open))
	}
	return known(starts, limit)
}

// A cursor goes through the pieces of a text.
type cursor struct {
	marks uint64 // ends of pieces that were found and not yet returned
	base  int    // of marks
}

// next returns the end of the piece that begins at i. i is the end of the piece
// before.
func (c *cursor) next(s *splitter, text string, i int) int {
	if c.marks == 0 {
		if c.marks, c.base = s.marks(text, i), i; c.marks == 0 {
			return s.next(text, i)
		}
	}
	end := c.base + bits.TrailingZeros64(c.marks)
	c.marks &= c.marks - 1
	return end
}
