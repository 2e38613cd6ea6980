package sentence

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// endsInside reports whether the end of s only looks like the end of a sentence. s
// is the sentence so far with the blanks after it, and rest is the text after s.
func endsInside(s, rest string) bool {
	bare := strings.TrimRightFunc(s, unicode.IsSpace)
	last, _ := utf8.DecodeLastRuneInString(bare)
	if !unicode.Is(unicode.Sentence_Terminal, last) && !strings.ContainsRune("…\"”)]»", last) {
		return true // a wrapped line
	}
	if len(bare) == len(s) && insideName(bare, rest) {
		return true
	}
	if last != '.' {
		return false
	}
	before, word := cutLastWord(bare)
	word = strings.TrimLeft(word, opening)
	word = word[:len(word)-1]
	if strings.HasSuffix(word, ".") { // an ellipsis
		return false
	}
	if isNumbering(word) {
		if strings.Trim(before, bom+"*_>([") == "" || strings.HasSuffix(before, ":") || isGermanDate(word, rest) {
			return true
		}
	}
	if isAbbreviation(word, rest) {
		return true
	}
	// The last of several letters: d. h., i. d. R.
	_, previous := cutLastWord(before)
	return singleLetter(word) && strings.HasSuffix(previous, ".") && singleLetter(previous[:len(previous)-1]) && !starters[firstWord(rest)]
}

// opening are the marks that may be before a word.
const opening = bom + "(\"[“‘'„«"

// cutLastWord returns the last word of a text and what is before it, without
// blanks.
func cutLastWord(text string) (before, word string) {
	i := strings.LastIndexFunc(text, unicode.IsSpace)
	if i < 0 {
		return "", text
	}
	_, n := utf8.DecodeRuneInString(text[i:])
	return strings.TrimRightFunc(text[:i], unicode.IsSpace), text[i+n:]
}

// singleLetter reports whether a word is one letter.
func singleLetter(word string) bool {
	r, n := utf8.DecodeRuneInString(word)
	return n == len(word) && unicode.IsLetter(r)
}

// insideName reports whether a full stop with nothing after it is one of a name or
// address: utf8.RuneStart, a?b=c.
func insideName(s, rest string) bool {
	s = strings.TrimRight(s, "\"'”’)]}»")
	next, _ := utf8.DecodeRuneInString(rest)
	switch {
	case strings.HasSuffix(s, "."):
		return next == '_' || unicode.IsDigit(next) || unicode.In(next, unicode.Latin, unicode.Greek, unicode.Cyrillic)
	case strings.HasSuffix(s, "?") || strings.HasSuffix(s, "!"):
		return next == '_' || next == '=' || unicode.IsDigit(next) || unicode.IsLower(next)
	}
	return false
}

// isNumbering reports whether a word before a full stop can number an item: 1, 2.3,
// IV or b.
func isNumbering(word string) bool {
	if word == "" {
		return false
	}
	if singleLetter(word) {
		return true
	}
	if len(word) <= 5 && strings.Trim(word, "IVXLC") == "" || len(word) <= 4 && strings.Trim(word, "ivx") == "" {
		return true
	}
	for part := range strings.SplitSeq(word, ".") {
		if len(part) == 0 || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			return false
		}
	}
	return true
}

// isGermanDate reports whether a number and its full stop are a day or a century:
// "am 3. Oktober", "im 19. Jahrhundert".
func isGermanDate(word, rest string) bool {
	return len(word) <= 2 && strings.Trim(word, "0123456789") == "" && germanOrdinals[firstWord(rest)]
}

// isAbbreviation reports whether the full stop after a word belongs to it, and
// doesn't end the sentence as well.
func isAbbreviation(word, rest string) bool {
	initial, _ := utf8.DecodeRuneInString(word)
	letter := singleLetter(word)
	lower := strings.ToLower(word)
	next, after := utf8.DecodeRuneInString(rest)
	switch {
	case neverLast[lower]:
		return true
	case unicode.IsDigit(next) && (beforeNumber[lower] || letter || strings.HasSuffix(lower, "str")):
		return true // p. 5
	case letter && unicode.IsLetter(next) && strings.HasPrefix(rest[after:], "."):
		return true // z. B., J. R. R. Tolkien
	case letter && unicode.IsUpper(initial), seldomLast[lower], isAcronym(word):
		return !starters[firstWord(rest)] // J. Smith, U.S. Army
	}
	return false
}

// isAcronym reports whether a word is letters with full stops between: U.S, Ph.D.
func isAcronym(word string) bool {
	parts := 0
	for part := range strings.SplitSeq(word, ".") {
		n := utf8.RuneCountInString(part)
		if n == 0 || n > 2 || strings.IndexFunc(part, func(r rune) bool { return !unicode.IsLetter(r) }) >= 0 {
			return false
		}
		parts++
	}
	return parts > 1
}

// firstWord returns the word that a text begins with.
func firstWord(text string) string {
	text = strings.TrimLeft(text, opening)
	end := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(text)
	}
	return text[:end]
}

func set(words string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(words) {
		out[w] = true
	}
	return out
}

var (
	// neverLast are abbreviations after which a sentence goes on.
	neverLast = set(`dr mr mrs ms mx messrs prof mme mlle sra dra st mt fr gen col maj capt cmdr lt sgt rep gov hon rev hr frl dipl ing
		e.g i.e cf vs viz fig figs sec eq eqs eds approx al resp incl excl
		z.b d.h i.d.r bzw ca vgl ggf evtl sog inkl exkl zzgl abb kap`)

	// beforeNumber are abbreviations if a number follows.
	beforeNumber = set(`no nos nr p pp pg vol vols ch chap art ref refs tab ver ed bd ziff abs par para rn s jan feb mar apr jun jul aug sep sept oct nov dec
		max min est`)

	// seldomLast are abbreviations unless the next word is one of starters.
	seldomLast = set(`inc ltd co corp jr sr bros dept univ assn ave blvd jan feb aug sept oct nov dec sen op cit ibid ex med phil rer nat`)

	// starters are words that begin a sentence more often than they are part of a
	// name.
	starters = set(`A An The This That These Those He She It Its They We You I In On At For From With As If When While Where Who What Why How There Here
		But And However Although After Before Since Then So No Yes Our My His Her Their One Some Many Most All Both Each Another Also To By Is Are Was Were Do Does Did Not Mr Mrs Ms
		Der Die Das Ein Eine Es Er Sie Wir Ich Im Am Auf Bei Mit Nach Wenn Aber Und Dies Diese Dieser
		Le La Les Un Une Il Elle Ils Elles Nous Vous On Ce Cette El Los Las Una`)

	// germanOrdinals are the words that follow a number with a full stop in German.
	germanOrdinals = set(`Januar Jänner Februar Feber März April Mai Juni Juli August September Oktober November Dezember Jahrhundert Jahrhunderts Auflage Klasse Stock Platz`)
)
