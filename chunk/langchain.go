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
// With Drop a passage may not stand in the source as it is, because its parts
// were joined by the literal separator; its Start and End then are -1.
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
	var parts []string
	if l.o.Character {
		sep := l.separators[0]
		joint := ""
		if l.o.Keep == Drop && !sep.lookaround {
			joint = sep.literal
		}
		parts = l.merge(sep.split(text, l.o.Keep), joint)
	} else {
		parts = l.recurse(text, l.separators)
	}
	return locate(text, parts), nil
}

// recurse is _split_text of RecursiveCharacterTextSplitter.
func (l *Langchain) recurse(text string, separators []separator) []string {
	at := len(separators) - 1
	var rest []separator
	for i, s := range separators {
		if s.literal == "" {
			at = i
			break
		}
		if s.in(text) {
			at, rest = i, separators[i+1:]
			break
		}
	}
	sep := separators[at]
	joint := ""
	if l.o.Keep == Drop {
		joint = sep.literal
	}
	var out, good []string
	flush := func() {
		if len(good) > 0 {
			out = append(out, l.merge(good, joint)...)
			good = nil
		}
	}
	for _, s := range sep.split(text, l.o.Keep) {
		if l.o.Tokens(s) < l.o.Size {
			good = append(good, s)
			continue
		}
		flush()
		if len(rest) == 0 {
			out = append(out, s)
		} else {
			out = append(out, l.recurse(s, rest)...)
		}
	}
	flush()
	return out
}

// merge is _merge_splits: it joins pieces into passages, by the sum of their
// sizes.
func (l *Langchain) merge(pieces []string, joint string) []string {
	jointSize := l.o.Tokens(joint)
	extra := func(n int) int {
		if n > 0 {
			return jointSize
		}
		return 0
	}
	var out, current []string
	var sizes []int
	total := 0
	emit := func() {
		text := strings.Join(current, joint)
		if !l.o.KeepSpace {
			text = strings.TrimFunc(text, pythonSpace)
		}
		if text != "" {
			out = append(out, text)
		}
	}
	for _, p := range pieces {
		n := l.o.Tokens(p)
		if total+n+extra(len(current)) > l.o.Size && len(current) > 0 {
			emit()
			for total > l.o.Overlap || total+n+extra(len(current)) > l.o.Size && total > 0 {
				total -= sizes[0] + extra(len(current)-1)
				current, sizes = current[1:], sizes[1:]
			}
		}
		current, sizes = append(current, p), append(sizes, n)
		total += n + extra(len(current)-1)
	}
	emit()
	return out
}

// pythonSpace is str.strip's idea of white space.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// locate finds the passages in the text, in order: each begins after the one
// before begins. One that doesn't occur so gets -1.
func locate(text string, parts []string) []Chunk {
	out := make([]Chunk, 0, len(parts))
	from, runes, at := 0, 0, 0
	for _, p := range parts {
		c := Chunk{Text: p, Start: -1, End: -1, RuneStart: -1, RuneEnd: -1}
		if i := strings.Index(text[from:], p); i >= 0 {
			c.Start = from + i
			c.End = c.Start + len(p)
			runes += utf8.RuneCountInString(text[at:c.Start])
			at = c.Start
			c.RuneStart, c.RuneEnd = runes, runes+utf8.RuneCountInString(p)
			_, n := utf8.DecodeRuneInString(p)
			from = c.Start + n
		}
		out = append(out, c)
	}
	return out
}

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
		if sep.not, err = regexp.Compile("^(?:" + unicodeClasses(not) + ")"); err != nil {
			return sep, fmt.Errorf("%w: %q: %w", ErrSeparator, s, err)
		}
		sep.notAt = 1
		pattern = before + after
	}
	var err error
	if sep.re, err = regexp.Compile(unicodeClasses(pattern)); err != nil {
		return sep, fmt.Errorf("%w: %q: %w", ErrSeparator, s, err)
	}
	return sep, nil
}

// unicodeClasses rewrites \s, \d and \w, which mean all of Unicode's in Python
// and only ASCII's in Go.
func unicodeClasses(pattern string) string {
	classes := map[byte]string{'s': `\s\x{1c}-\x{1f}\x{85}\p{Z}`, 'd': `\p{Nd}`, 'w': `\p{L}\p{N}_`}
	var b strings.Builder
	inside := false // of [ ]
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			switch set := classes[pattern[i]]; {
			case set == "":
				b.WriteString(pattern[i-1 : i+1])
			case inside:
				b.WriteString(set)
			default:
				b.WriteString("[" + set + "]")
			}
			continue
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
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

// split cuts a text and drops empty pieces.
func (s *separator) split(text string, keep Keep) []string {
	var out []string
	add := func(piece string) {
		if piece != "" {
			out = append(out, piece)
		}
	}
	if s.literal == "" {
		for i, r := range text {
			n := utf8.RuneLen(r)
			if r == utf8.RuneError {
				_, n = utf8.DecodeRuneInString(text[i:])
			}
			add(text[i : i+n])
		}
		return out
	}
	at := 0
	for _, m := range s.matches(text) {
		switch keep {
		case KeepStart:
			add(text[at:m[0]])
			at = m[0]
		case KeepEnd:
			add(text[at:m[1]])
			at = m[1]
		default:
			add(text[at:m[0]])
			at = m[1]
		}
	}
	add(text[at:])
	return out
}
