package detect

import "strings"

// LookbehindBytes is the number of bytes before a position that a rule sees.
const LookbehindBytes = 64

// NeedMore is what a rule returns when text that has not come yet decides.
const NeedMore = -1

// A Rule recognises one kind of value.
type Rule struct {
	Kind    string
	Score   float64
	Reason  string
	Threats []string

	// Starts lists the bytes that a value can start with; empty means any.
	Starts string
	// Inside lets a value start behind a letter, a digit or an underscore of
	// ASCII. Without it the rule is asked at the start of words only.
	Inside bool
	// Max is the number of bytes a value has at most, with the bytes behind it
	// that the rule must see to decide. It bounds what a stream holds back.
	Max int
	// Match reports how long the value is that starts at text[at]: its length in
	// bytes, 0 if there is none, [NeedMore] if that depends on what follows text.
	// It must not return More if final, and it must not let what follows change
	// an answer that it gave. text is cut to Lookbehind bytes before at and Max
	// behind it; a text that was cut at Max counts as final.
	Match func(text string, at int, final bool) int
}

// A Class is a set of bytes.
type Class [256]bool

// NewClass returns the class of the bytes in set, where a-z is a range and a
// hyphen at the end stands for itself.
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

// Literal reports whether lit stands at text[at]: its length if so, 0 if not,
// [NeedMore] if text ends inside it and is not final.
func Literal(text string, at int, lit string, final bool) int {
	rest := text[at:]
	if strings.HasPrefix(rest, lit) {
		return len(lit)
	}
	if !final && strings.HasPrefix(lit, rest) {
		return NeedMore
	}
	return 0
}

// EndsWord reports whether no byte of inside stands at text[at], so that a
// value may end there: 1 if so, 0 if not, [NeedMore] if the text ends there and is
// not final.
func EndsWord(text string, at int, inside *Class, final bool) int {
	switch {
	case at < len(text) && inside[text[at]]:
		return 0
	case at >= len(text) && !final:
		return NeedMore
	}
	return 1
}
