package langchain

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk"
)

// A separator is what langchain passes to Python's re.split.
type separator struct {
	literal    string         // as given; what joins pieces
	re         *regexp.Regexp // nil: literal, or a lookbehind
	behind     string         // of (?<=X): cut after each X
	not        *regexp.Regexp // of (?!X): a match followed by X doesn't count
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
			return sep, fmt.Errorf("%w: a separator is %q: want a lookahead only after a literal line end", ErrOption, s)
		}
		if sep.not, err = compile("^(?:" + not + ")"); err != nil {
			return sep, fmt.Errorf("%w: a separator is %q: %w", ErrOption, s, err)
		}
		sep.notAt = 1
		pattern = before + after
	}
	var err error
	if sep.re, err = compile(pattern); err != nil {
		return sep, fmt.Errorf("%w: a separator is %q: %w", ErrOption, s, err)
	}
	return sep, nil
}

// compile reads a pattern in which \s, \d, \w and their complements have Unicode's
// meaning, as in Python, where Go's have ASCII's.
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
func (s *separator) split(text string, part chunk.Span, keep KeepSeparator) []chunk.Span {
	var out []chunk.Span
	at := part.Start
	add := func(end, next int) {
		if end > at {
			out = append(out, chunk.Span{Start: at, End: end})
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
