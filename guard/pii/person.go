package pii

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

//go:embed names.txt
var nameList string

var givenNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, n := range strings.Fields(nameList) {
		names[n] = true
	}
	return names
})

// introductions are what stands right before a name.
var introductions = []string{
	"mr ", "mr. ", "mrs ", "mrs. ", "ms ", "ms. ", "dr ", "dr. ", "prof. ", "professor ", "herr ", "herrn ", "frau ", "monsieur ", "madame ", "señor ", "señora ", "signor ", "signora ",
	"my name is ", "i am called ", "name: ", "full name: ", "ich heiße ", "mein name ist ", "je m'appelle ", "me llamo ", "mi chiamo ", "patient ", "employee ", "customer ",
}

// notSurnames are capitalised words that often follow a word that is also a
// given name.
var notSurnames = []string{"The", "And", "Or", "Street", "Road", "University", "College", "School", "Inc", "Ltd", "Corp", "Company", "Day", "City", "County", "Island", "River", "Lake", "Mountain", "Park", "Station", "Church", "Hotel", "Is", "Was", "Has", "I", "In", "On", "At", "If", "For", "To", "Said", "Says", "Award", "Prize", "Law", "Theorem", "API", "Cup", "Bank"}

func personRule() detect.Rule {
	return detect.Rule{
		Kind: KindPerson, Score: .5, Reason: "a given name or an introduction, and a capitalised word", Threats: threats(),
		Max: maxName + 2, Match: matchPerson,
	}
}

const maxName = 64

// matchPerson takes a listed given name and one or two capitalised words
// behind it, or one to three capitalised words behind an introduction.
func matchPerson(text string, at int, atEOF bool) int {
	if b := text[at]; b < 'A' || b > 'Z' && b < utf8.RuneSelf || at > 0 && text[at-1] >= utf8.RuneSelf {
		return 0
	}
	end, next, first := nameWord(text, at)
	if first == "" && next < len(text) {
		return 0
	}
	introduced := slices.ContainsFunc(introductions, func(s string) bool {
		before := text[:at]
		return len(before) >= len(s) && strings.EqualFold(before[len(before)-len(s):], s) &&
			(len(before) == len(s) || !detect.Word[before[len(before)-len(s)-1]])
	})
	if !introduced && next < len(text) && !givenNames()[first] {
		return 0
	}
	last := 0
	if introduced {
		last = end
	}
	for range 2 {
		if next >= len(text) {
			break
		}
		if text[next] != ' ' {
			break
		}
		stop, after, word := nameWord(text, next+1)
		if word == "" && after < len(text) || slices.Contains(notSurnames, word) {
			break
		}
		last, next = stop, after
	}
	if next >= len(text) && !atEOF {
		return detect.NeedMore
	}
	return max(0, last-at)
}

// nameWord reads a capitalised word with lower-case letters, hyphens and
// apostrophes. end is behind it, next where reading stopped; a word that can't
// be a name is "".
func nameWord(text string, at int) (end, next int, word string) {
	capitals, n := 0, 0
	i := at
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) && r != '-' && r != '\'' && r != '’' {
			break
		}
		if unicode.IsUpper(r) {
			capitals++
		}
		if i == at && !unicode.IsUpper(r) {
			return i, i, ""
		}
		n++
		i += size
	}
	word = text[at:i]
	if n < 2 || n > 20 || capitals > 1+strings.Count(word, "-")+strings.Count(word, "'")+strings.Count(word, "Mc") ||
		i < len(text) && (text[i] == '_' || detect.Digits[text[i]]) {
		word = ""
	}
	return i, i, word
}
