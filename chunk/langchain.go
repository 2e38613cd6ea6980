package chunk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Errors of [NewLangchain].
var (
	ErrSeparator = errors.New("chunk: the separator can't be used")
)

// Keep says where a separator goes when a text is cut at it.
type Keep uint8

// The places for a separator.
const (
	KeepStart Keep = iota // it begins the piece after it
	KeepEnd               // it ends the piece before it
	Drop                  // it is dropped, and put back where pieces are joined
)

// LangchainOptions configure a [Langchain].
type LangchainOptions struct {
	// Separators are tried in order; "" cuts between code points. nil: "\n\n",
	// "\n", " ", "".
	Separators []string

	// Regexp says that the separators are regular expressions, in RE2's syntax.
	// Look-around isn't part of it, but for a look-behind at a literal as the
	// whole separator, (?<=X), and a look-ahead (?!X) for what must not follow;
	// other uses are ErrSeparator.
	Regexp bool

	Keep Keep

	// Size and Overlap are in Unit; 0: 4000 and 0. Unit and Tokens are those of
	// [Options].
	Size, Overlap int
	Unit          Unit
	Tokens        func(text string) int

	// KeepSpace leaves the white space at the ends of passages.
	KeepSpace bool

	// Character cuts at the first separator only, as CharacterTextSplitter
	// does; a piece that is too large stays so.
	Character bool
}

// Langchain cuts texts exactly as langchain-text-splitters 1.1.3 does
// (RecursiveCharacterTextSplitter, and CharacterTextSplitter), for those who
// have an index that was made with it. Its passages may be larger than Size
// where no separator helps, since it adds up the sizes of parts; new work is
// better off with [Recursive].
//
// Of the laws of [Chunker] these modes can't keep all. With Drop a passage may
// not stand in the source as it is, because its parts were joined by the literal
// separator; its Start and End then are -1. Two passages may begin at the same
// place, where the first of two overlapping ones loses white space at its
// beginning. White space is what Python's strip takes for it, which is also
// U+001C to U+001F; with KeepSpace, and where no separator is left for a piece of
// Size or more, a passage may be nothing else. Oversize is never said.
type Langchain struct {
	o          LangchainOptions
	separators []separator
}

// NewLangchain returns a Langchain. It fails with [ErrSize], [ErrOverlap],
// [ErrUnit] or [ErrSeparator].
func NewLangchain(o *LangchainOptions) (*Langchain, error) {
	l := &Langchain{}
	if o != nil {
		l.o = *o
	}
	if l.o.Size == 0 {
		l.o.Size = 4000
	}
	if l.o.Size < 0 {
		return nil, fmt.Errorf("%w, not %d", ErrSize, l.o.Size)
	}
	if l.o.Overlap < 0 || l.o.Overlap > l.o.Size {
		return nil, fmt.Errorf("%w: overlap %d, size %d", ErrOverlap, l.o.Overlap, l.o.Size)
	}
	runes, err := l.o.Unit.runes(l.o.Tokens != nil)
	if err != nil {
		return nil, err
	}
	if runes {
		l.o.Tokens = utf8.RuneCountInString
	}
	list := l.o.Separators
	if list == nil {
		list = []string{"\n\n", "\n", " ", ""}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrSeparator)
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

// Chunk cuts the text.
func (l *Langchain) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := langchainCut{l: l, text: text}
	all := Span{0, len(text)}
	if l.o.Character {
		sep := l.separators[0]
		joint := ""
		if l.o.Keep == Drop && !sep.lookaround {
			joint = sep.literal
		}
		c.merge(sep.split(text, all, l.o.Keep), joint)
	} else {
		c.recurse(all, l.separators)
	}
	return finish(text, c.out, runesOf(text)), nil
}

// langchainCut cuts one text.
type langchainCut struct {
	l    *Langchain
	text string
	out  []Chunk
}

func (c *langchainCut) size(s Span) int { return c.l.o.Tokens(c.text[s.Start:s.End]) }

// recurse is _split_text of RecursiveCharacterTextSplitter.
func (c *langchainCut) recurse(s Span, separators []separator) {
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
	if c.l.o.Keep == Drop {
		joint = sep.literal
	}
	var good []Span
	for _, part := range sep.split(c.text, s, c.l.o.Keep) {
		if c.size(part) < c.l.o.Size {
			good = append(good, part)
			continue
		}
		c.merge(good, joint)
		good = good[:0]
		if len(rest) == 0 {
			c.out = append(c.out, Chunk{Text: c.text[part.Start:part.End], Start: part.Start, End: part.End})
		} else {
			c.recurse(part, rest)
		}
	}
	c.merge(good, joint)
}

// merge is _merge_splits: it joins pieces into passages, by the sum of their
// sizes.
func (c *langchainCut) merge(pieces []Span, joint string) {
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

// emit joins pieces to a passage. Where what joins them isn't what stood
// between two of them, it may stand nowhere in the text.
func (c *langchainCut) emit(pieces []Span, joint string) {
	whole := Span{pieces[0].Start, pieces[len(pieces)-1].End}
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
		c.out = append(c.out, Chunk{Text: text, Start: whole.Start, End: whole.Start + len(text)})
	default:
		c.out = append(c.out, Chunk{Text: text, Start: -1, End: -1, RuneStart: -1, RuneEnd: -1})
	}
}

// pythonSpace is str.strip's idea of white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// A separator is one that langchain would give to Python's re.split.
type separator struct {
	literal    string         // as given; what joins pieces
	re         *regexp.Regexp // nil: literal, or a look-behind
	behind     string         // of (?<=X): cut after each X
	not        *regexp.Regexp // of (?!X): a match followed by X is none
	notAt      int            // bytes of the match before the place where X must not follow
	lookaround bool
}

var lookBehind = regexp.MustCompile(`^\(\?<=((?:\\.|[^\\()\[\]{}.*+?^$|])+)\)$`)

func newSeparator(s string, isRegexp bool) (separator, error) {
	sep := separator{literal: s}
	if !isRegexp || s == "" {
		return sep, nil
	}
	if m := lookBehind.FindStringSubmatch(s); m != nil {
		sep.behind, sep.lookaround = regexp.MustCompile(`\\(.)`).ReplaceAllString(m[1], "$1"), true
		return sep, nil
	}
	pattern := s
	if before, rest, ok := strings.Cut(s, "(?!"); ok {
		not, after, closed := strings.Cut(rest, ")")
		head, err := regexp.Compile("^" + before + "$")
		if !closed || strings.ContainsAny(not, "()") || err != nil || !head.MatchString("\n") {
			return sep, fmt.Errorf("%w: %q: a look-ahead is only known after a literal line end", ErrSeparator, s)
		}
		if sep.not, err = compile("^(?:" + not + ")"); err != nil {
			return sep, fmt.Errorf("%w: %q: %w", ErrSeparator, s, err)
		}
		sep.notAt = 1
		pattern = before + after
	}
	var err error
	if sep.re, err = compile(pattern); err != nil {
		return sep, fmt.Errorf("%w: %q: %w", ErrSeparator, s, err)
	}
	return sep, nil
}

// compile reads a pattern in which \s, \d, \w and their complements mean all of
// Unicode's, as in Python, and not only ASCII's, as in Go.
func compile(pattern string) (*regexp.Regexp, error) {
	classes := map[byte]string{'s': `\s\v\x{1c}-\x{1f}\x{85}\p{Z}`, 'd': `\p{Nd}`, 'w': `\p{L}\p{N}_`}
	var b strings.Builder
	inside := false // of [ ]
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '\\' && i+1 < len(pattern) {
			i++
			set, complement := classes[pattern[i]], classes[pattern[i]|0x20]
			switch {
			case set != "" && inside:
				b.WriteString(set)
			case set != "":
				b.WriteString("[" + set + "]")
			case complement != "" && !inside:
				b.WriteString("[^" + complement + "]")
			case pattern[i] == 'D':
				b.WriteString(`\P{Nd}`)
			case complement != "":
				return nil, fmt.Errorf(`\%c within [ ] is not known`, pattern[i])
			default:
				b.WriteString(pattern[i-1 : i+1])
			}
			continue
		}
		switch c {
		case '[':
			inside = true
		case ']':
			inside = false
		}
		b.WriteByte(c)
	}
	return regexp.Compile(b.String())
}

// matches returns where the separator matches, as [start, end).
func (s *separator) matches(text string) [][]int {
	var out [][]int
	if s.re != nil {
		for _, m := range s.re.FindAllStringIndex(text, -1) {
			if s.not == nil || !s.not.MatchString(text[m[0]+s.notAt:]) {
				out = append(out, m)
			}
		}
		return out
	}
	find, width := s.literal, len(s.literal)
	if s.behind != "" {
		find, width = s.behind, 0
	}
	for at := 0; ; {
		i := strings.Index(text[at:], find)
		if i < 0 {
			return out
		}
		end := at + i + len(find)
		out = append(out, []int{end - width, end})
		at = end
	}
}

func (s *separator) in(text string) bool { return len(s.matches(text)) > 0 }

// split cuts a part of a text and drops empty pieces.
func (s *separator) split(text string, part Span, keep Keep) []Span {
	var out []Span
	at := part.Start
	add := func(end, next int) {
		if end > at {
			out = append(out, Span{at, end})
		}
		at = next
	}
	if s.literal == "" {
		for at < part.End {
			_, n := utf8.DecodeRuneInString(text[at:part.End])
			add(at+n, at+n)
		}
		return out
	}
	for _, m := range s.matches(text[part.Start:part.End]) {
		from, to := part.Start+m[0], part.Start+m[1]
		switch keep {
		case KeepStart:
			add(from, from)
		case KeepEnd:
			add(to, to)
		default:
			add(from, to)
		}
	}
	add(part.End, part.End)
	return out
}
