package detect

import "strings"

// LookbehindBytes is the number of bytes before a position that a rule sees.
const LookbehindBytes = 64

// NeedMore is what a rule returns when text that has not come yet decides.
const NeedMore = -1

// A Rule recognizes one kind of value. Kind, Max and Match are required.
type Rule struct {
	Kind    string   // of its findings
	Score   float64  // of its findings
	Reason  string   // of its findings
	Threats []string // of its findings

	// Starts lists the bytes that a value can start with. Default: the first byte
	// of Prefix, or any byte where there is no Prefix.
	Starts string
	// Prefix is text with which every value begins. The detector asks Match only
	// where the text continues with Prefix, so many rules with a Prefix cost
	// little. Default: none.
	Prefix string
	// Inside lets a value start after a letter, a digit or an underscore of
	// ASCII. Without it the rule is tried at the start of words only.
	Inside bool
	// Max is the number of bytes that a value has at most, with the bytes after
	// it that the rule must see to decide. It bounds what a stream holds back.
	Max int
	// Match returns the length in bytes of the value that starts at text[at], 0
	// if there is none, and [NeedMore] if that depends on what follows text. As
	// in [bufio.SplitFunc], atEOF means that nothing follows; Match must not
	// return NeedMore then. What follows must not change another result.
	// text is cut to LookbehindBytes bytes before at and to Max bytes after it; a
	// text that is cut at Max counts as ended.
	Match func(text string, at int, atEOF bool) int
}

// A Class is a set of bytes.
type Class [256]bool

// NewClass returns the class of the bytes in set, where a-z is a range and a
// hyphen at the end is a hyphen.
func NewClass(set string) *Class {
	var c Class
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			for b := int(set[i]); b <= int(set[i+2]); b++ {
				c[b] = true
			}
			i += 2
			continue
		}
		c[set[i]] = true
	}
	return &c
}

// Run returns the end of the run of bytes of c that starts at text[at], after
// at most limit bytes.
func (c *Class) Run(text string, at, limit int) int {
	end := min(len(text), at+limit)
	for at < end && c[text[at]] {
		at++
	}
	return at
}

// Word is the class of ASCII letters, digits and the underscore.
var Word = NewClass("A-Za-z0-9_")

// Digits is the class of ASCII digits.
var Digits = NewClass("0-9")

// Literal returns the length of lit if text continues with it at text[at], 0 if
// not, and [NeedMore] if text ends inside it and not atEOF.
func Literal(text string, at int, lit string, atEOF bool) int {
	rest := text[at:]
	if strings.HasPrefix(rest, lit) {
		return len(lit)
	}
	if !atEOF && strings.HasPrefix(lit, rest) {
		return NeedMore
	}
	return 0
}

// EndsWord returns 1 if a value may end before text[at], since that byte is not
// in inside, 0 if not, and [NeedMore] if text ends there and not atEOF.
func EndsWord(text string, at int, inside *Class, atEOF bool) int {
	switch {
	case at < len(text) && inside[text[at]]:
		return 0
	case at >= len(text) && !atEOF:
		return NeedMore
	}
	return 1
}
