package token

import (
	"fmt"
	"unicode/utf8"
)

// A Pattern cuts a text into pieces before anything is merged. No token reaches from
// one piece into the next. Each pattern is a state machine that finds exactly the
// matches of a regular expression. A byte that is not UTF-8 counts as a symbol.
type Pattern uint8

// The patterns. The expressions are those of the models' publishers.
const (
	// PatternO200K is the pattern of o200k_base and o200k_harmony. It cuts a word where
	// an upper-case letter follows a lower-case one. The end of a contraction, such as
	// 'll, stays with its word.
	PatternO200K Pattern = iota
	// PatternCL100K is the pattern of cl100k_base:
	//
	//	'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s
	PatternCL100K
	// PatternGPT2 is the pattern of r50k_base, p50k_base and p50k_edit:
	//
	//	'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s
	PatternGPT2
	// PatternLlama3 is the pattern of Llama 3. It differs from PatternCL100K in the white
	// space at the end of a text: what follows the last line break is a piece of its
	// own.
	PatternLlama3
	// PatternQwen2 is PatternLlama3, except that every digit is a piece of its own.
	PatternQwen2
	// PatternWhole makes one piece of the whole text. It is for vocabularies whose
	// tokens reach across words.
	PatternWhole
)

// String returns the pattern's name.
func (p Pattern) String() string {
	names := [...]string{"O200K", "CL100K", "GPT2", "Llama3", "Qwen2", "Whole"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("Pattern(%d)", uint8(p))
}

// A splitter runs one pattern.
type splitter struct {
	*classes
	pattern Pattern
	digits  int // how many digits a piece has at most
}

func newSplitter(p Pattern) (splitter, error) {
	if p > PatternWhole {
		return splitter{}, fmt.Errorf("%w: Options.Pattern is %d: want PatternO200K to PatternWhole", ErrOption, uint8(p))
	}
	t, err := newClasses()
	s := splitter{classes: t, pattern: p, digits: 3}
	if p == PatternQwen2 {
		s.digits = 1
	}
	return s, err
}

// next returns the end of the piece that begins at i. i is less than len(text).
func (s *splitter) next(text string, i int) int {
	if end := plainWord(text, i); end > 0 {
		switch {
		case s.pattern == PatternO200K:
			return s.suffix(text, end)
		case s.pattern != PatternWhole && (end == len(text) || text[end]-'A' >= 26): // else the word goes on
			return end
		}
	}
	return s.match(text, i)
}

// match is next without the short way of plainWord.
func (s *splitter) match(text string, i int) int {
	switch s.pattern {
	case PatternO200K:
		return s.o200k(text, i)
	case PatternGPT2:
		return s.gpt2(text, i)
	case PatternWhole:
		return len(text)
	}
	return s.cl100k(text, i)
}

func (s *splitter) gpt2(text string, i int) int {
	if end := contraction(text, i, false); end > i {
		return end
	}
	start := i
	c, size := s.at(text, i)
	if text[i] == ' ' && i+1 < len(text) {
		if next, n := s.at(text, i+1); next&white == 0 {
			i++
			c, size = next, n
		}
	}
	switch {
	case c&letter != 0:
		return s.run(text, i+size, letter)
	case c&number != 0:
		return s.run(text, i+size, number)
	case c&white == 0:
		return s.run(text, i+size, other|mark)
	}
	end, last, _ := s.blanks(text, start)
	return blanksEnd(text, start, end, last)
}

func (s *splitter) cl100k(text string, i int) int {
	if end := contraction(text, i, true); end > i {
		return end
	}
	c, size := s.at(text, i)
	switch {
	case c&letter != 0:
		return s.run(text, i+size, letter)
	case c&number != 0:
		return s.numbers(text, i+size)
	}
	// One character may lead a word, but not a line break.
	if c != newline && i+size < len(text) {
		next, n := s.at(text, i+size)
		if next&letter != 0 {
			return s.run(text, i+size+n, letter)
		}
		if text[i] == ' ' && next&(other|mark) != 0 {
			c, size = next, 1+n
		}
	}
	if c&white == 0 {
		return s.symbols(text, i+size, false)
	}
	end, last, breakEnd := s.blanks(text, i)
	if s.pattern == PatternCL100K && end == len(text) {
		return end
	}
	if breakEnd > 0 {
		return breakEnd
	}
	return blanksEnd(text, i, end, last)
}

func (s *splitter) o200k(text string, i int) int {
	c, size := s.at(text, i)
	if c&number != 0 {
		return s.numbers(text, i+size)
	}
	// The expression's first alternative, with a leading character and without.
	if c&(letter|newline) == 0 {
		if end := s.cased(text, i+size); end > 0 {
			return s.suffix(text, end)
		}
	}
	if end := s.cased(text, i); end > 0 {
		return s.suffix(text, end)
	}
	// The second alternative: upper-case letters, and no lower-case or caseless one.
	if c&(letter|newline) == 0 {
		if end := s.run(text, i+size, upper|caseless|mark); end > i+size {
			return s.suffix(text, end)
		}
	}
	if end := s.run(text, i, upper|caseless|mark); end > i {
		return s.suffix(text, end)
	}
	if text[i] == ' ' && i+1 < len(text) {
		if next, n := s.at(text, i+1); next&(other|mark) != 0 {
			c, size = next, 1+n
		}
	}
	if c&white == 0 {
		return s.symbols(text, i+size, true)
	}
	end, last, breakEnd := s.blanks(text, i)
	if breakEnd > 0 {
		return breakEnd
	}
	return blanksEnd(text, i, end, last)
}

// plainWord returns the end of an ASCII word at i, or 0: a space and a capital, both
// optional, then small letters, and an ASCII character after them. Such words are
// most of an English text, and need no table of classes.
func plainWord(text string, i int) int {
	if text[i] == ' ' {
		i++
	}
	if i < len(text) && text[i]-'A' < 26 {
		i++
	}
	end := i
	for end < len(text) && text[end]-'a' < 26 {
		end++
	}
	if end == i || end < len(text) && text[end] >= utf8.RuneSelf {
		return 0
	}
	return end
}

// cased matches [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at i and
// returns its end, or 0.
//
// The first set takes as many characters as it can. If a lower-case letter follows,
// the second set goes on from there. If not, the second set needs a character of the
// first: the last one that is in both sets.
func (s *splitter) cased(text string, i int) int {
	both := 0 // after the last character that is in both sets
	for i < len(text) {
		if end := hanEnd(text, i); end > i {
			i, both = end, end
			continue
		}
		c, size := s.at(text, i)
		if c&(upper|caseless|mark) == 0 {
			if c == lower {
				return s.run(text, i+size, lower|caseless|mark)
			}
			break
		}
		i += size
		if c != upper {
			both = i
		}
	}
	return both
}

// suffix adds a contraction to a word that ends at i.
func (s *splitter) suffix(text string, i int) int { return contraction(text, i, true) }

func (s *splitter) numbers(text string, i int) int {
	for range s.digits - 1 {
		if i == len(text) {
			break
		}
		c, size := s.at(text, i)
		if c != number {
			break
		}
		i += size
	}
	return i
}

// symbols returns the end of the symbols at i and of the line breaks after them, with
// slash also of slashes after them.
func (s *splitter) symbols(text string, i int, slash bool) int {
	i = s.run(text, i, other|mark)
	for i < len(text) && (text[i] == '\n' || text[i] == '\r' || slash && text[i] == '/') {
		i++
	}
	return i
}

// blanks returns the end of the white space at i, the beginning of its last
// character, and the end of its last line break, or 0.
func (s *splitter) blanks(text string, i int) (end, last, breakEnd int) {
	for end = i; end < len(text); {
		c, size := s.at(text, end)
		if c&white == 0 {
			break
		}
		last = end
		end += size
		if c == newline {
			breakEnd = end
		}
	}
	return end, last, breakEnd
}

// blanksEnd leaves the last white-space character to the word that follows.
func blanksEnd(text string, start, end, last int) int {
	if end < len(text) && last > start {
		return last
	}
	return end
}

// contraction returns the end of 's 't 'm 'd 'll 've or 're at i, or i if there is
// none. With fold it ignores case, and then the long s, U+017F, is an s.
func contraction(text string, i int, fold bool) int {
	if len(text)-i < 2 || text[i] != '\'' {
		return i
	}
	lowered := func(at int) byte {
		if at >= len(text) {
			return 0
		}
		c := text[at]
		if fold && 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		return c
	}
	switch lowered(i + 1) {
	case 's', 't', 'm', 'd':
		return i + 2
	case 'l':
		if lowered(i+2) == 'l' {
			return i + 3
		}
	case 'v', 'r':
		if lowered(i+2) == 'e' {
			return i + 3
		}
	case 0xC5:
		if fold && lowered(i+2) == 0xBF {
			return i + 3
		}
	}
	return i
}

// settled reports whether the piece that ends at end stays the same if more text
// follows. A pattern reads beyond the end of a piece: the letters or the white space
// that follow directly, then at most a contraction or two characters. Some bytes of
// the last of these characters may still be missing.
func (s *splitter) settled(text string, end int) bool {
	const beyond = 2 * utf8.UTFMax
	seen := max(s.run(text, end, letter|mark), s.run(text, end, white))
	return seen+beyond <= len(text)
}
