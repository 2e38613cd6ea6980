package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/prodailabs/prodai/internal/sentence"
)

// A piece is a span of the source on its way to becoming a chunk.
type piece struct {
	start, end int
	size       int // by the measure; known for pieces that are packed
	headings   []string
	context    string
	oversize   bool
}

// A level cuts text[start:end] into consecutive spans that cover it.
type level func(text string, start, end int) []piece

// The levels of prose, coarsest first.
var prose = []level{paragraphs, lines, sentences, words, clusters}

// packer fills passages with pieces, never beyond the size.
type packer struct {
	measure
	text   string
	levels []level
	out    []piece
}

// fill cuts text[start:end] at level and packs the pieces: as many as fit into
// each passage. A piece that is too large by itself is cut at the next level.
func (p *packer) fill(start, end, at int) {
	start, end = trim(p.text, start, end)
	if start == end {
		return
	}
	if !p.exceeds(start, end) {
		p.out = append(p.out, piece{start: start, end: end})
		return
	}
	if at == len(p.levels) {
		p.out = append(p.out, piece{start: start, end: end, oversize: true})
		return
	}
	if at == len(p.levels)-1 {
		start = p.slabs(start, end, at)
	}
	pieces := p.levels[at](p.text, start, end)
	if len(pieces) == 1 {
		p.fill(start, end, at+1)
		return
	}
	p.pack(pieces, at)
}

// slabs cuts the beginning of a long span at the finest level, a slab at a time,
// and returns where the rest starts: a piece a character of 10 MB without a
// blank would be a gigabyte. The last passage of a slab is left to the next,
// since it isn't full and may end inside of a cluster.
func (p *packer) slabs(start, end, at int) int {
	for slab := 256 * p.size; end-start > 2*slab; {
		before := len(p.out)
		p.pack(p.levels[at](p.text, start, start+slab), at)
		last := len(p.out) - 1
		if last-before < 1 || p.out[last].start <= start {
			p.out = p.out[:before]
			slab *= 2
			continue
		}
		start, p.out = p.out[last].start, p.out[:last]
	}
	return start
}

// pack puts pieces together to passages.
func (p *packer) pack(pieces []piece, at int) {
	p.weigh(pieces)
	for i := 0; i < len(pieces); {
		if pieces[i].size > p.size {
			p.fill(pieces[i].start, pieces[i].end, at+1)
			i++
			continue
		}
		n := p.fit(pieces[i:])
		if j := i + n; at+1 < len(p.levels) && j < len(pieces) && pieces[j].size > p.size && 4*p.countTrimmed(pieces[i].start, pieces[j-1].end) < p.size {
			p.fill(pieces[i].start, pieces[j].end, at+1) // too little for a passage of its own: a title, a caption
			i = j + 1
			continue
		}
		p.emit(pieces[i].start, pieces[i+n-1].end)
		i = p.next(pieces, i, i+n)
	}
}

// exceeds reports whether text[start:end] is larger than a passage. Of a long
// text it counts the beginning alone, which as a rule is too much already.
func (p *packer) exceeds(start, end int) bool {
	if head := start + 16*p.size; head < end {
		for !utf8.RuneStart(p.text[head]) && head > start {
			head--
		}
		if p.count(p.text[start:head]) > p.size {
			return true
		}
	}
	return p.count(p.text[start:end]) > p.size
}

// weigh counts each piece without the white space after it, which a tokenizer
// would join with what follows.
func (p *packer) weigh(pieces []piece) {
	for i := range pieces {
		pieces[i].size = p.count(trimRight(p.text[pieces[i].start:pieces[i].end]))
	}
}

// fit returns how many of the pieces, at least one, go into one passage. The
// sum of their sizes is a guess, since counts of tokens don't add up; the
// count of the whole decides.
func (p *packer) fit(pieces []piece) int {
	n, sum := 1, pieces[0].size
	for n < len(pieces) && pieces[n].size <= p.size && sum+pieces[n].size <= p.size {
		sum += pieces[n].size
		n++
	}
	for n > 1 {
		if p.runes && pieces[n-1].end-pieces[0].start <= p.size {
			break // no more code points than bytes
		}
		whole := p.countTrimmed(pieces[0].start, pieces[n-1].end)
		if whole <= p.size {
			break
		}
		n = max(1, min(n-1, n*p.size/whole))
	}
	return n
}

func (p *packer) countTrimmed(start, end int) int {
	start, end = trim(p.text, start, end)
	return p.count(p.text[start:end])
}

func (p *packer) tooLarge(x piece) bool { return x.size > p.size }

func (p *packer) emit(start, end int) {
	if start, end = trim(p.text, start, end); start < end {
		p.out = append(p.out, piece{start: start, end: end})
	}
}

// next returns where the passage after pieces[from:to] begins: at to, or some
// pieces earlier for the overlap, if that leaves room for pieces[to].
func (p *packer) next(pieces []piece, from, to int) int {
	if p.overlap == 0 || to == len(pieces) || pieces[to].size > p.size {
		return to
	}
	before, _ := trim(p.text, pieces[from].start, pieces[to].end)
	at, sum := to, 0
	for at > from+1 {
		sum += pieces[at-1].size
		start, end := trim(p.text, pieces[at-1].start, pieces[to].end)
		if sum > p.overlap || start <= before || p.count(p.text[start:end]) > p.size {
			break
		}
		at--
	}
	return at
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

// cutAfter cuts text[start:end] after each place that find reports: the number
// of bytes up to and including the separator, or -1.
func cutAfter(text string, start, end int, find func(string) int) []piece {
	var out []piece
	for start < end {
		n := find(text[start:end])
		if n <= 0 {
			n = end - start
		}
		out = append(out, piece{start: start, end: start + n})
		start += n
	}
	return out
}

// paragraphs cuts after blank lines. The line that follows keeps its
// indentation.
func paragraphs(text string, start, end int) []piece {
	var out []piece
	for at := start; ; {
		i := strings.IndexByte(text[at:end], '\n')
		if i < 0 {
			return append(out, piece{start: start, end: end})
		}
		at += i + 1
		next := at // after the last line end of a gap
		for j := at; j < end; j++ {
			c := text[j]
			if c == '\n' {
				next = j + 1
			} else if c != ' ' && c-'\t' >= 5 {
				break
			}
		}
		if next == end {
			return append(out, piece{start: start, end: end})
		}
		if next > at {
			if out == nil { // the first paragraph foretells how many there are
				out = make([]piece, 0, (end-start)/(next-start)+1)
			}
			out = append(out, piece{start: start, end: next})
			start, at = next, next
		}
	}
}

// lines cuts after line ends: LF, CRLF or CR.
func lines(text string, start, end int) []piece {
	return cutAfter(text, start, end, func(s string) int {
		i := strings.IndexAny(s, "\r\n")
		switch {
		case i < 0:
			return -1
		case strings.HasPrefix(s[i:], "\r\n"):
			return i + 2
		}
		return i + 1
	})
}

// sentences cuts between sentences.
func sentences(text string, start, end int) []piece {
	var out []piece
	found := sentence.Split(text[start:end])
	at := start
	for i := range found {
		to := end
		if i+1 < len(found) {
			to = start + found[i+1].Start
		}
		out = append(out, piece{start: at, end: to})
		at = to
	}
	if at < end {
		out = append(out, piece{start: at, end: end})
	}
	return out
}

// plainSentences cuts between the sentences of UAX #29.
func plainSentences(text string, start, end int) []piece {
	var out []piece
	for _, s := range sentence.Plain(text[start:end]) {
		out = append(out, piece{start: start + s.Start, end: start + s.End})
	}
	return out
}

// words cuts after runs of white space.
func words(text string, start, end int) []piece {
	return cutAfter(text, start, end, func(s string) int {
		i := strings.IndexFunc(s, unicode.IsSpace)
		if i < 0 {
			return -1
		}
		return i + blank(s[i:])
	})
}

// clusters cuts into grapheme clusters.
func clusters(text string, start, end int) []piece {
	var out []piece
	for it := graphemes.FromString(text[start:end]); it.Next(); {
		n := len(it.Value())
		out = append(out, piece{start: start, end: start + n})
		start += n
	}
	return out
}
