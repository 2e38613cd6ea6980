package chunk

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/prodailabs/prodai/internal/sentence"
)

// A piece is a span of the source that passages are made of.
type piece struct {
	start, end int

	// size is the measure of the piece without the white space at its end, which a
	// tokenizer would join with the following text. The white space before it is
	// counted, since in a passage other pieces are before it; alone in a passage
	// the piece can be larger, see grows. gap is the size of the white space at its
	// end in code points, which add up; 0 in tokens, which don't.
	size, gap int
}

// A level cuts text[start:end] into consecutive pieces that cover it, one at a
// time, since a text of 10 MB has as many letters: each call of the function that
// it returns gives the end of the next piece.
type level func(text string, start, end int) func() int

// The levels of prose, coarsest first.
var prose = []level{paragraphs, lines, sentences, words, clusters}

// packer fills passages with pieces, never beyond the size.
type packer struct {
	measure
	text   string
	code   func(string) int         // counts code points
	runes  bool                     // which are the unit
	count  func(start, end int) int // the size of text[start:end]
	levels []level
	out    []Chunk
	ahead  [][]piece // by level, reused: the pieces looked at and not yet packed
}

func newPacker(text string, m measure, levels []level) *packer {
	p := &packer{measure: m, text: text, code: runesOf(text), levels: levels, ahead: make([][]piece, len(levels))}
	// A size that is larger than any count of the text limits nothing, and its
	// multiples could overflow.
	p.size = min(p.size, len(text)+1024)
	if p.runes = m.ranges == nil; p.runes {
		p.count = func(start, end int) int { return p.code(text[start:end]) }
	} else {
		p.count = m.ranges(text)
	}
	return p
}

// fill cuts text[start:end] at a level and packs the pieces: as many as fit into
// each passage. A piece that is too large by itself is cut at the next level.
func (p *packer) fill(start, end, at int) {
	start, end = trim(p.text, start, end)
	switch {
	case start == end:
	case !p.exceeds(start, end):
		p.add(Chunk{Start: start, End: end})
	default:
		p.cut(start, end, at)
	}
}

// cut is fill for a text that is known to be too large and has no white space
// around it.
func (p *packer) cut(start, end, at int) {
	for ; at < len(p.levels); at++ {
		next := p.levels[at](p.text, start, end)
		to := next()
		for start == 0 && to < end && at+1 < len(p.levels) && onlyMark(p.text[:to]) {
			to = next()
		}
		if to < end {
			p.pack(next, start, to, end, at)
			return
		}
	}
	p.add(Chunk{Start: start, End: end, Oversize: true})
}

// pack puts the pieces of text[start:end] together to passages. The first piece
// ends at to.
func (p *packer) pack(next func() int, start, to, end, at int) {
	pieces, sum := p.ahead[at][:0], 0
	// Pieces whose count is 0, as blank lines have in tokens, are looked at as far
	// as tokens are long.
	more := func() bool { return start < end && (len(pieces) == 0 || start-pieces[0].start <= 64*p.size) }
	pull := func() {
		if to == start {
			to = next()
		}
		x := p.weigh(start, to)
		pieces = append(pieces, x)
		sum += x.size + x.gap
		start = to
	}
	for {
		for more() && sum <= p.size { // until there is more than a passage can have
			pull()
		}
		if len(pieces) == 0 {
			return
		}
		n := p.fit(pieces)
		for n == len(pieces) && more() { // the sum is too large by far
			for range n {
				if more() {
					pull()
				}
			}
			n = p.fit(pieces)
		}
		p.ahead[at] = pieces
		drop := 1
		if pieces[0].size > p.size || n == 1 && p.grows(pieces[0]) {
			p.fill(pieces[0].start, pieces[0].end, at+1)
		} else if at+1 < len(p.levels) && n < len(pieces) && pieces[n].size > p.size && 4*p.countTrimmed(pieces[0].start, pieces[n-1].end) < p.size {
			p.fill(pieces[0].start, pieces[n].end, at+1) // too little for a passage of its own: a title, a caption
			drop = n + 1
		} else {
			p.emit(pieces[:n])
			drop = p.next(pieces, n)
		}
		for _, x := range pieces[:drop] {
			sum -= x.size + x.gap
		}
		pieces = append(pieces[:0], pieces[drop:]...)
	}
}

// exceeds reports whether text[start:end] is larger than a passage. Of a long text
// it counts the beginning only, which is usually too much already.
func (p *packer) exceeds(start, end int) bool {
	if head := start + 16*p.size; head < end {
		for !boundary(p.text, head) {
			head--
		}
		if p.count(start, head) > p.size {
			return true
		}
	}
	return p.count(start, end) > p.size
}

// weigh makes a piece of text[start:end].
func (p *packer) weigh(start, end int) piece {
	bare := start + len(trimRight(p.text[start:end]))
	x := piece{start: start, end: end, size: p.count(start, bare)}
	if p.runes {
		x.gap = p.count(bare, end)
	}
	return x
}

// grows reports whether a piece that fits is too large without the white space
// before it: "\tdefer" is one token of o200k and "defer" two.
func (p *packer) grows(x piece) bool {
	start, end := trim(p.text, x.start, x.end)
	return !p.runes && start > x.start && p.count(start, end) > p.size
}

// fit returns how many of the pieces, at least one, go into one passage; of one
// alone the caller asks if it grows. The sum of the sizes of tokens is a guess, since they don't add up (a long word's
// letters have many more than the word); the count of the whole decides.
func (p *packer) fit(pieces []piece) int {
	n, sum := 1, pieces[0].size
	for ; n < len(pieces) && sum+pieces[n-1].gap+pieces[n].size <= p.size; n++ {
		sum += pieces[n-1].gap + pieces[n].size
	}
	if p.runes {
		return n
	}
	count := func(n int) int { return p.countTrimmed(pieces[0].start, pieces[n-1].end) }
	whole := sum
	for n > 1 {
		if whole = count(n); whole <= p.size {
			break
		}
		for fewer := max(1, min(n-1, n*p.size/whole)); n > fewer; n-- {
			sum -= pieces[n-1].size
		}
		whole = sum
	}
	for {
		m, guess := n, sum // as many as fit if the sum goes on to be so much too large
		for m < len(pieces) && (guess+pieces[m].size)*whole <= p.size*sum {
			guess += pieces[m].size
			m++
		}
		for m > n {
			if more := count(m); more <= p.size {
				whole = more
				break
			}
			for to := n + (m-n)/2; m > to; m-- {
				guess -= pieces[m-1].size
			}
		}
		if m == n {
			return n
		}
		n, sum = m, guess
	}
}

func (p *packer) countTrimmed(start, end int) int { return p.count(trim(p.text, start, end)) }

// emit makes a passage of pieces. If their code points were counted, it notes the
// sum for finish.
func (p *packer) emit(pieces []piece) {
	last := pieces[len(pieces)-1]
	start, end := trim(p.text, pieces[0].start, last.end)
	if start == end {
		return
	}
	c := Chunk{Start: start, End: end}
	if p.runes && start == pieces[0].start && last.size > 0 {
		for _, x := range pieces {
			c.RuneEnd += x.size + x.gap
		}
		c.RuneEnd -= last.gap
	}
	p.add(c)
}

// add reserves room for as many passages as the text so far lets it expect.
func (p *packer) add(c Chunk) {
	if n := len(p.out); n == cap(p.out) && n >= 16 {
		rest := float64(len(p.text)-c.Start) / float64(max(c.Start, 1))
		p.out = slices.Grow(p.out, n/8+int(float64(n)*min(rest, 16)))
	}
	p.out = append(p.out, c)
}

// next returns the index of the piece with which the passage after pieces[:to]
// begins: to, or some pieces earlier for the overlap, if that leaves room for
// pieces[to]. Here too the sums are a guess and the count decides.
func (p *packer) next(pieces []piece, to int) int {
	if p.overlap == 0 || to == len(pieces) {
		return to
	}
	at, room := to, min(p.overlap, p.size-pieces[to].size)
	for at > 1 && pieces[at-1].size+pieces[at-1].gap <= room {
		at--
		room -= pieces[at].size + pieces[at].gap
	}
	before, _ := trim(p.text, pieces[0].start, pieces[to].end)
	for ; at < to; at++ {
		start, _ := trim(p.text, pieces[at].start, pieces[to].end)
		if start > before && p.countTrimmed(pieces[at].start, pieces[to-1].end) <= p.overlap && p.countTrimmed(start, pieces[to].end) <= p.size {
			break
		}
	}
	return at
}

// bom is the byte order mark that some programs write before a text. It is a part
// of the text, so that offsets are right, and of the first passage, but has no
// meaning.
const bom = "\ufeff"

// onlyMark reports whether the beginning of a text is a byte order mark and blanks,
// which never make a passage by themselves.
func onlyMark(head string) bool {
	rest, ok := strings.CutPrefix(head, bom)
	return ok && blank(rest) == len(rest)
}

// trim moves the ends of a span inwards over white space.
func trim(text string, start, end int) (int, int) {
	start += blank(text[start:end])
	return start, start + len(trimRight(text[start:end]))
}

// blank returns the length of the white space at the start of s.
func blank(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf {
			return i + len(s[i:]) - len(strings.TrimLeftFunc(s[i:], unicode.IsSpace))
		} else if c != ' ' && c-'\t' >= 5 {
			return i
		}
	}
	return len(s)
}

// trimRight returns s without the white space at its end.
func trimRight(s string) string {
	for i := len(s); i > 0; i-- {
		if c := s[i-1]; c >= utf8.RuneSelf {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace)
		} else if c != ' ' && c-'\t' >= 5 {
			return s[:i]
		}
	}
	return ""
}

// paragraphs cuts after blank lines. The line that follows keeps its
// indentation.
func paragraphs(text string, start, end int) func() int {
	return func() int {
		for {
			i := strings.IndexByte(text[start:end], '\n')
			if i < 0 {
				return end
			}
			start += i + 1
			next := start // after the last line end of a gap
			j := start
			for ; j < end; j++ {
				c := text[j]
				if c == '\n' {
					next = j + 1
				} else if c != ' ' && c-'\t' >= 5 {
					break
				}
			}
			if next > start {
				if start = next; j == end {
					start = end
				}
				return start
			}
			start = j
		}
	}
}

// lines cuts after line ends: LF, CRLF or CR.
func lines(text string, start, end int) func() int {
	s := lineScanner{text: text[:end]}
	return func() int {
		_, start = s.line(start)
		return start
	}
}

// lineScanner finds the lines of a text. It remembers where the next LF is, or a
// text whose lines end in CR would be searched to its end for each.
type lineScanner struct {
	text       string
	noCR       bool
	from, feed int // text[from:feed] has no LF
}

// line returns the line at a place, without its end, and the place after it.
func (s *lineScanner) line(at int) (line string, after int) {
	if at < s.from || at >= s.feed {
		s.from, s.feed = at, len(s.text)
		if i := strings.IndexByte(s.text[at:], '\n'); i >= 0 {
			s.feed = at + i
		}
	}
	if s.noCR {
		return s.text[at:s.feed], min(s.feed+1, len(s.text))
	}
	if i := strings.IndexByte(s.text[at:s.feed], '\r'); i >= 0 {
		if after = at + i + 1; after == s.feed && after < len(s.text) {
			after++ // CR LF
		}
		return s.text[at : at+i], after
	}
	return s.text[at:s.feed], min(s.feed+1, len(s.text))
}

// sentences cuts between sentences.
func sentences(text string, start, end int) func() int {
	return between(sentence.Split(text[start:end]), start, end)
}

// plainSentences cuts between the sentences of UAX #29.
func plainSentences(text string, start, end int) func() int {
	return between(sentence.Plain(text[start:end]), start, end)
}

// between cuts where each of the spans but the first begins.
func between(spans []sentence.Span, start, end int) func() int {
	i := 0
	return func() int {
		if i++; i < len(spans) {
			return start + spans[i].Start
		}
		return end
	}
}

// words cuts after runs of white space.
func words(text string, start, end int) func() int {
	return func() int {
		for start < end {
			n := 1
			if c := text[start]; c < utf8.RuneSelf {
				if c == ' ' || c-'\t' < 5 {
					break
				}
			} else {
				var r rune
				if r, n = utf8.DecodeRuneInString(text[start:end]); unicode.IsSpace(r) {
					break
				}
			}
			start += n
		}
		start += blank(text[start:end])
		return start
	}
}

// clusters cuts into grapheme clusters. Of two ASCII characters only CR LF is
// one.
func clusters(text string, start, end int) func() int {
	return func() int {
		if rest := text[start:end]; len(rest) > 1 && (rest[0]|rest[1] >= utf8.RuneSelf || rest[0] == '\r') {
			it := graphemes.FromString(rest)
			it.Next()
			start += len(it.Value())
		} else {
			start++
		}
		return start
	}
}
