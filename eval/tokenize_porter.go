package eval

import (
	"strings"
	"unicode/utf8"
)

// A PorterMode is a version of Porter's stemmer. The three disagree on about one
// word in forty of everyday English, enough to change a ROUGE score in the third
// digit. Default: [PorterNLTK].
type PorterMode string

// The versions of the stemmer.
const (
	PorterNLTK     PorterMode = "nltk"     // NLTK's additions; what rouge-score and METEOR use
	PorterMartin   PorterMode = "martin"   // Martin Porter's own implementation, with his later changes
	PorterOriginal PorterMode = "original" // the paper, to the letter
)

// PorterStem returns the stem of an English word, in lower case: "relational"
// and "relate" both become "relat". The stem need not be a word. A mode that is
// none of the constants counts as [PorterNLTK].
//
// Source: Porter 1980, "An algorithm for suffix stripping"; the variants as
// NLTK defines them.
func PorterStem(word string, mode PorterMode) string {
	if mode != PorterMartin && mode != PorterOriginal {
		mode = PorterNLTK
	}
	var room [48]byte
	lower := appendLower(room[:0], word)
	if mode == PorterNLTK {
		if stem, ok := irregular(lower); ok {
			return stem
		}
	}
	if mode != PorterOriginal && utf8.RuneCountInString(word) <= 2 {
		return string(lower)
	}
	for _, c := range lower {
		if c >= utf8.RuneSelf {
			return stemRunes(lower, mode)
		}
	}
	stem := newPorter(lower, mode).stem()
	if len(stem) <= len(word) && word[:len(stem)] == string(stem) {
		return word[:len(stem)] // most stems are a prefix, which needs no new string
	}
	return string(stem)
}

// stemRunes stems a word that isn't ASCII. Each other rune is a consonant to the
// algorithm, and is replaced by a byte that ASCII doesn't use.
func stemRunes(lower []byte, mode PorterMode) string {
	var runes []rune
	var word []byte
	for _, r := range string(lower) {
		if r < utf8.RuneSelf {
			word = append(word, byte(r))
			continue
		}
		i := 0
		for i < len(runes) && runes[i] != r {
			i++
		}
		if i == utf8.RuneSelf {
			return string(lower) // 128 different letters: no word of any language
		}
		if i == len(runes) {
			runes = append(runes, r)
		}
		word = append(word, byte(utf8.RuneSelf+i))
	}
	var out []byte
	for _, c := range newPorter(word, mode).stem() {
		if c < utf8.RuneSelf {
			out = append(out, c)
		} else {
			out = utf8.AppendRune(out, runes[c-utf8.RuneSelf])
		}
	}
	return string(out)
}

func irregular(word []byte) (string, bool) {
	switch string(word) {
	case "sky", "skies":
		return "sky", true
	case "dying":
		return "die", true
	case "lying":
		return "lie", true
	case "tying":
		return "tie", true
	case "news", "howe", "proceed", "exceed", "succeed":
		return string(word), true
	case "innings", "inning":
		return "inning", true
	case "outings", "outing":
		return "outing", true
	case "cannings", "canning":
		return "canning", true
	}
	return "", false
}

// A porter is a word that is being stemmed. Its methods follow the steps of the
// paper and return the word after the step.
type porter struct {
	w                      []byte
	nltk, martin, original bool // the mode: a string is slow to compare in each step
}

func newPorter(w []byte, mode PorterMode) porter {
	return porter{w: w, nltk: mode == PorterNLTK, martin: mode == PorterMartin, original: mode == PorterOriginal}
}

// A rule replaces a suffix where its condition holds for what comes before.
// Of a list of rules the first whose suffix fits decides, also when its
// condition then fails.
type rule struct{ suffix, to string }

var (
	step2 = []rule{
		{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"},
		{"bli", "ble"}, {"alli", "al"}, {"entli", "ent"}, {"eli", "e"}, {"ousli", "ous"}, {"ization", "ize"},
		{"ation", "ate"}, {"ator", "ate"}, {"alism", "al"}, {"iveness", "ive"}, {"fulness", "ful"},
		{"ousness", "ous"}, {"aliti", "al"}, {"iviti", "ive"}, {"biliti", "ble"},
	}
	step3 = []rule{
		{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
	}
	step4 = []rule{
		{"al", ""}, {"ance", ""}, {"ence", ""}, {"er", ""}, {"ic", ""}, {"able", ""}, {"ible", ""}, {"ant", ""},
		{"ement", ""}, {"ment", ""}, {"ent", ""}, {"ion", ""}, {"ou", ""}, {"ism", ""}, {"ate", ""}, {"iti", ""},
		{"ous", ""}, {"ive", ""}, {"ize", ""},
	}
)

func (p porter) stem() []byte {
	p.w = p.step1a()
	p.w = p.step1b()
	p.w = p.step1c()
	p.w = p.step2()
	if r, stem := p.first(step3); r != nil && measure(stem) > 0 {
		p.w = append(stem, r.to...)
	}
	if r, stem := p.first(step4); r != nil && measure(stem) > 1 && (r.suffix != "ion" || endsIn(stem, "st")) {
		p.w = stem
	}
	if n := len(p.w); p.ends("e") {
		stem := p.w[:n-1]
		if m := measure(stem); m > 1 || m == 1 && !p.cvc(stem) {
			p.w = stem
		}
	}
	if n := len(p.w); p.ends("ll") && measure(p.w[:n-1]) > 1 {
		p.w = p.w[:n-1]
	}
	return p.w
}

func (p porter) ends(suffix string) bool {
	n, k := len(p.w), len(suffix)
	return n >= k && p.w[n-1] == suffix[k-1] && string(p.w[n-k:]) == suffix
}

// first returns the first rule whose suffix the word has, and what is before the
// suffix.
func (p porter) first(rules []rule) (*rule, []byte) {
	for i := range rules {
		if r := &rules[i]; p.ends(r.suffix) {
			return r, p.w[:len(p.w)-len(r.suffix)]
		}
	}
	return nil, nil
}

func (p porter) step1a() []byte {
	n := len(p.w)
	switch {
	case p.nltk && n == 4 && p.ends("ies"):
		return p.w[:n-1]
	case p.ends("sses"), p.ends("ies"):
		return p.w[:n-2]
	case p.ends("ss"):
	case p.ends("s"):
		return p.w[:n-1]
	}
	return p.w
}

func (p porter) step1b() []byte {
	n := len(p.w)
	if p.nltk && p.ends("ied") {
		if n == 4 {
			return p.w[:n-1]
		}
		return p.w[:n-2]
	}
	if p.ends("eed") {
		if measure(p.w[:n-3]) > 0 {
			return p.w[:n-1]
		}
		return p.w
	}
	switch {
	case p.ends("ed") && hasVowel(p.w[:n-2]):
		p.w = p.w[:n-2]
	case p.ends("ing") && hasVowel(p.w[:n-3]):
		p.w = p.w[:n-3]
	default:
		return p.w
	}
	n = len(p.w)
	switch {
	case p.ends("at"), p.ends("bl"), p.ends("iz"):
		return append(p.w, 'e')
	case n >= 2 && p.w[n-1] == p.w[n-2] && consonant(p.w, n-1):
		if !endsIn(p.w, "lsz") {
			return p.w[:n-1]
		}
	case measure(p.w) == 1 && p.cvc(p.w):
		return append(p.w, 'e')
	}
	return p.w
}

func (p porter) step1c() []byte {
	n := len(p.w)
	if !p.ends("y") {
		return p.w
	}
	if p.nltk && n > 2 && consonant(p.w, n-2) || !p.nltk && hasVowel(p.w[:n-1]) {
		p.w[n-1] = 'i'
	}
	return p.w
}

func (p porter) step2() []byte {
	n := len(p.w)
	if p.nltk && p.ends("alli") && measure(p.w[:n-4]) > 0 {
		p.w = p.w[:n-2]
		return p.step2()
	}
	r, stem := p.first(step2)
	switch {
	case r == nil && p.nltk && p.ends("fulli") && measure(p.w[:n-5]) > 0:
		return p.w[:n-2]
	case r == nil && p.nltk && p.ends("logi") && measure(p.w[:n-3]) > 0,
		r == nil && p.martin && p.ends("logi") && measure(p.w[:n-4]) > 0:
		return p.w[:n-1]
	case r == nil:
		return p.w
	case r.suffix == "bli" && p.original: // the paper's rule is ABLI
		if p.ends("abli") && measure(p.w[:n-4]) > 0 {
			return append(stem, r.to...)
		}
		return p.w
	case measure(stem) > 0:
		return append(stem, r.to...)
	}
	return p.w
}

// cvc is the paper's condition *o: consonant, vowel, consonant at the end, the
// last one not w, x or y. NLTK counts a two-letter vowel-consonant too.
func (p porter) cvc(w []byte) bool {
	n := len(w)
	if n >= 3 && consonant(w, n-3) && !consonant(w, n-2) && consonant(w, n-1) && !endsIn(w, "wxy") {
		return true
	}
	return p.nltk && n == 2 && !consonant(w, 0) && consonant(w, 1)
}

func endsIn(w []byte, letters string) bool {
	return len(w) > 0 && strings.IndexByte(letters, w[len(w)-1]) >= 0
}

func vowel(c byte) bool { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' }

// consonant reports whether letter i is one: no vowel, and no y after a
// consonant.
func consonant(w []byte, i int) bool {
	ys := 0
	for i > 0 && w[i] == 'y' {
		i--
		ys++
	}
	return !vowel(w[i]) != (ys%2 == 1)
}

// measure is the paper's m: how many times a run of vowels is followed by a
// run of consonants.
func measure(w []byte) int {
	m, before := 0, true
	for i, c := range w {
		is := !vowel(c)
		if c == 'y' && i > 0 {
			is = !before
		}
		if is && !before {
			m++
		}
		before = is
	}
	return m
}

func hasVowel(w []byte) bool {
	before := false
	for _, c := range w {
		is := !vowel(c)
		if c == 'y' {
			is = !before
		}
		if !is {
			return true
		}
		before = is
	}
	return false
}
