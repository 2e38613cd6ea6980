package langchain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk"
)

// ErrOption is wrapped by the errors for invalid options. The message names the
// field, its value and what is allowed.
var ErrOption = errors.New("langchain: invalid option")

// A KeepSeparator is the place of a separator after a text is cut at it.
type KeepSeparator uint8

// The places for a separator.
const (
	KeepStart KeepSeparator = iota // it begins the piece after it
	KeepEnd                        // it ends the piece before it
	KeepNone                       // it is dropped, and put back where pieces are joined
)

// Options configure a [Chunker]. The names are langchain's.
type Options struct {
	// Separators are tried in order; "" cuts between code points. Default: "\n\n",
	// "\n", " ", "".
	Separators []string

	// Regexp is true if the separators are regular expressions, in RE2's syntax. Of
	// look-around only two forms are allowed: a lookbehind at a literal as the
	// whole separator, (?<=X), and a lookahead (?!X). Others are an error.
	// Default: false, the separators are literal.
	Regexp bool

	// KeepSeparator is where a separator goes. Default: KeepStart, as for
	// RecursiveCharacterTextSplitter; CharacterTextSplitter's is KeepNone.
	KeepSeparator KeepSeparator

	// Size is the largest size to which parts are joined, 1 or more, in Unit.
	// Default: 4000.
	Size int

	// Overlap is how much of a passage's end the next one repeats, at most, 0 to
	// Size. Default: 0; langchain's is 200.
	Overlap int

	// Unit is the unit of Size and Overlap, as in [chunk.Options]. Default: tokens
	// if there is a counter, else code points.
	Unit chunk.Unit

	// Tokens counts the tokens of a text. Default: nil, there is no counter.
	Tokens func(text string) int

	// KeepSpace leaves the white space at the ends of passages. Default: false.
	KeepSpace bool

	// Character cuts at the first separator only, as CharacterTextSplitter does; a
	// piece that is too large stays so. Default: false.
	Character bool
}

// A Chunker cuts texts exactly as langchain-text-splitters 1.1.3 does
// (RecursiveCharacterTextSplitter and CharacterTextSplitter). It is a
// [chunk.Chunker]. Its passages may be larger than Size, where no separator cuts
// and because it adds up the sizes of parts. For new work [chunk.Recursive] is
// better.
//
// Some laws of [chunk.Chunker] don't hold here. With KeepNone the parts of a
// passage are joined by the literal separator, so that the passage may not be in
// the source; its Start and End then are -1. Two passages may begin at the same
// place, where the first of two overlapping ones loses white space at its
// beginning. White space is what Python's strip removes, which includes U+001C to
// U+001F; with KeepSpace, and where no separator is left for a piece of Size or
// more, a passage may be nothing else. Oversize is never set.
type Chunker struct {
	o          Options
	separators []separator
}

// New returns a Chunker. It fails with [ErrOption].
func New(o *Options) (*Chunker, error) {
	l := &Chunker{}
	if o != nil {
		l.o = *o
	}
	if l.o.Size == 0 {
		l.o.Size = 4000
	}
	if err := l.o.check(); err != nil {
		return nil, err
	}
	if l.o.Unit == chunk.UnitRunes || l.o.Tokens == nil {
		l.o.Tokens = utf8.RuneCountInString
	}
	list := l.o.Separators
	if list == nil {
		list = []string{"\n\n", "\n", " ", ""}
	}
	for _, s := range list {
		sep, err := newSeparator(s, l.o.Regexp)
		if err != nil {
			return nil, err
		}
		l.separators = append(l.separators, sep)
	}
	return l, nil
}

// check checks options whose Size has its default.
func (o *Options) check() error {
	switch {
	case o.Size < 0:
		return fmt.Errorf("%w: Options.Size is %d: want 1 or more", ErrOption, o.Size)
	case o.Overlap < 0 || o.Overlap > o.Size:
		return fmt.Errorf("%w: Options.Overlap is %d: want 0 to the size, %d", ErrOption, o.Overlap, o.Size)
	case o.KeepSeparator > KeepNone:
		return fmt.Errorf("%w: Options.KeepSeparator is %d: want KeepStart, KeepEnd or KeepNone", ErrOption, o.KeepSeparator)
	case o.Unit > chunk.UnitTokens:
		return fmt.Errorf("%w: Options.Unit is %d: want UnitDefault, UnitRunes or UnitTokens", ErrOption, o.Unit)
	case o.Unit == chunk.UnitTokens && o.Tokens == nil:
		return fmt.Errorf("%w: Options.Unit is UnitTokens and Options.Tokens is nil: want a counter, such as o200k.Encoding().Count", ErrOption)
	case o.Separators != nil && len(o.Separators) == 0:
		return fmt.Errorf("%w: Options.Separators is empty: want one or more, or nil for the default", ErrOption)
	}
	return nil
}

// Chunk cuts the text.
func (l *Chunker) Chunk(ctx context.Context, text string) ([]chunk.Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := cutter{l: l, text: text}
	all := chunk.Span{Start: 0, End: len(text)}
	if l.o.Character {
		sep := l.separators[0]
		joint := ""
		if l.o.KeepSeparator == KeepNone && !sep.lookaround {
			joint = sep.literal
		}
		c.merge(sep.split(text, all, l.o.KeepSeparator), joint)
	} else {
		c.recurse(all, l.separators)
	}
	return c.placed()
}

// cutter cuts one text.
type cutter struct {
	l    *Chunker
	text string
	out  []chunk.Chunk
}

// placed returns the passages, those that are in the text with their places in
// code points.
func (c *cutter) placed() ([]chunk.Chunk, error) {
	var spans []chunk.Span
	for _, p := range c.out {
		if p.Start >= 0 {
			spans = append(spans, chunk.Span{Start: p.Start, End: p.End})
		}
	}
	found, err := chunk.FromSpans(c.text, spans)
	if err != nil {
		return nil, err
	}
	for i := range c.out {
		if c.out[i].Start >= 0 {
			c.out[i], found = found[0], found[1:]
		}
	}
	return c.out, nil
}

func (c *cutter) size(s chunk.Span) int { return c.l.o.Tokens(c.text[s.Start:s.End]) }

// recurse is _split_text of RecursiveCharacterTextSplitter.
func (c *cutter) recurse(s chunk.Span, separators []separator) {
	at := len(separators) - 1
	var rest []separator
	for i, sep := range separators {
		if sep.literal == "" {
			at = i
			break
		}
		if sep.in(c.text[s.Start:s.End]) {
			at, rest = i, separators[i+1:]
			break
		}
	}
	sep := separators[at]
	joint := ""
	if c.l.o.KeepSeparator == KeepNone {
		joint = sep.literal
	}
	var good []chunk.Span
	for _, part := range sep.split(c.text, s, c.l.o.KeepSeparator) {
		if c.size(part) < c.l.o.Size {
			good = append(good, part)
			continue
		}
		c.merge(good, joint)
		good = good[:0]
		if len(rest) == 0 {
			c.out = append(c.out, chunk.Chunk{Text: c.text[part.Start:part.End], Start: part.Start, End: part.End})
		} else {
			c.recurse(part, rest)
		}
	}
	c.merge(good, joint)
}

// merge is _merge_splits: it joins pieces into passages, by the sum of their
// sizes.
func (c *cutter) merge(pieces []chunk.Span, joint string) {
	if len(pieces) == 0 {
		return
	}
	jointSize := c.l.o.Tokens(joint)
	extra := func(n int) int {
		if n > 0 {
			return jointSize
		}
		return 0
	}
	from, total := 0, 0
	sizes := make([]int, len(pieces))
	for i, p := range pieces {
		n := c.size(p)
		if total+n+extra(i-from) > c.l.o.Size && i > from {
			c.emit(pieces[from:i], joint)
			for total > c.l.o.Overlap || total+n+extra(i-from) > c.l.o.Size && total > 0 {
				total -= sizes[from] + extra(i-from-1)
				from++
			}
		}
		sizes[i] = n
		total += n + extra(i-from)
	}
	c.emit(pieces[from:], joint)
}

// emit joins pieces to a passage. If the joining text differs from the text that
// was between two of them, the passage may not be in the text.
func (c *cutter) emit(pieces []chunk.Span, joint string) {
	whole := chunk.Span{Start: pieces[0].Start, End: pieces[len(pieces)-1].End}
	text := c.text[whole.Start:whole.End]
	for i := range pieces[1:] {
		if c.text[pieces[i].End:pieces[i+1].Start] != joint {
			parts := make([]string, len(pieces))
			for k, p := range pieces {
				parts[k] = c.text[p.Start:p.End]
			}
			text = strings.Join(parts, joint)
			break
		}
	}
	if !c.l.o.KeepSpace {
		left := strings.TrimLeftFunc(text, pythonSpace)
		whole.Start += len(text) - len(left)
		text = strings.TrimRightFunc(left, pythonSpace)
	}
	switch {
	case text == "":
	case strings.HasPrefix(c.text[min(whole.Start, len(c.text)):], text):
		c.out = append(c.out, chunk.Chunk{Text: text, Start: whole.Start, End: whole.Start + len(text)})
	default:
		c.out = append(c.out, chunk.Chunk{Text: text, Start: -1, End: -1, RuneStart: -1, RuneEnd: -1})
	}
}

// pythonSpace reports whether Python's str.strip removes the character.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
