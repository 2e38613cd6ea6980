package semantic

import (
	"slices"
	"strings"
	"unicode"
)

// Agree compares the words of two questions whose vectors are near each other. It
// returns "" if nothing shows that they ask for different things, and else what
// differs:
//
//   - "numbers": other numbers, or the same ones in another order;
//   - "negation": one has "not", "without" or "never", and the other doesn't;
//   - "opposites": "on" and "off", "open" and "closed", "lock" and "unlock";
//   - "names": other words with a capital letter, or the same ones in another order;
//   - "order": all the same words in another order, "grams in 2 ounces" and
//     "ounces in 2 grams";
//   - "roles": one asks for the subject and one for the object, "who paid Alice" and
//     "who did Alice pay";
//   - "kind of question": "who" and "where", or "how" and a question for yes or no;
//   - "parts": one asks two questions at once;
//   - "one word": the questions differ in a single word, which is not a known synonym.
//
// It knows English. It refuses many true paraphrases: a refused one costs a call of
// the model, an accepted wrong one costs a wrong answer.
func Agree(a, b string) string {
	x, y := read(a), read(b)
	switch {
	case !slices.Equal(x.numbers, y.numbers):
		return "numbers"
	case x.negations != y.negations:
		return "negation"
	case opposed(x.words, y.words):
		return "opposites"
	case !namesAgree(x, y):
		return "names"
	case !slices.Equal(x.words, y.words) && slices.Equal(slices.Sorted(slices.Values(x.words)), slices.Sorted(slices.Values(y.words))):
		return "order"
	case x.asksObject() != y.asksObject() && x.asksWho() && y.asksWho():
		return "roles"
	case !kindsAgree(x.kind(), y.kind()):
		return "kind of question"
	case max(x.parts, 1) != max(y.parts, 1):
		return "parts"
	case oneWord(x.content(), y.content()):
		return "one word"
	}
	return ""
}

// A reading is what Agree sees of a question.
type reading struct {
	words     []string // lower case, without articles
	numbers   []string
	names     []string // words with a capital, but the first of a sentence
	negations int
	parts     int // question marks
}

var (
	articles  = set("a an the please")
	negations = set("not no never without none cannot neither nor except unless nobody nothing nowhere non")
	function  = set(`a an the please i me my we our you your it its is are was were be been am do does did can could should
		would will shall may might what which who whom how when where why in on at of to for from with by and or that this
		there some any have has had get`)
	spelled = map[string]string{"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
		"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "hundred": "100", "thousand": "1000",
		"million": "1000000", "half": "1/2", "twice": "2", "double": "2"}
	prefixes  = []string{"un", "dis", "de", "in", "im", "ir", "non", "mis"}
	opposites = pairs(`on off, open closed, open close, opened closed, upgrade downgrade, enable disable, enabled disabled, before after,
		more less, more fewer, most least, maximum minimum, max min, highest lowest, high low, higher lower, largest smallest, big small,
		bigger smaller, biggest smallest, best worst, better worse, good bad, buy sell, increase decrease, raise lower, start stop, start end,
		begin end, first last, add remove, install remove, import export, upload download, encrypt decrypt, encode decode, login logout,
		left right, up down, above below, over under, inside outside, in out, into from, hot cold, hottest coldest, warm cold, old new,
		older newer, oldest newest, young old, early late, earliest latest, long short, longest shortest, fast slow, fastest slowest,
		cheap expensive, cheapest dearest, safe dangerous, legal illegal, win lose, gain lose, pass fail, accept reject, accept decline,
		approve reject, allow forbid, allow deny, allow block, grant revoke, send receive, give take, lend borrow, teach learn, push pull,
		show hide, lock release, attach detach, create delete, save delete, save discard, insert delete, include exclude, subscribe cancel,
		male female, man woman, men women, boy girl, mother father, husband wife, day night, am pm, morning evening, summer winter,
		north south, east west, love hate, true false, yes no, always never, everything nothing, public private, internal external,
		input output, read write, sync async, debit credit, deposit withdraw, arrive depart, arrival departure, arrivals departures,
		ascending descending, asc desc, cause cure, causes cures, cause prevent, advantages disadvantages, pros cons, benefits risks,
		rich poor, strong weak, full empty, light heavy, light dark, alive dead, near far, positive negative, past future, domestic international`)
	synonyms = pairs(`buy purchase, begin start, big large, build construct, built constructed, fix repair, error mistake, quick fast, cost price,
		delete erase, car automobile, phone telephone, movie film, job work, begin commence, end finish, help assist, best greatest,
		way method, ways methods, make create, improve increase, cancel terminate, stop quit, weight kilos, find locate, ship deliver,
		change modify, picture photo, photos pictures, mobile cell, app application, reset recover`)
)

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

func pairs(list string) map[[2]string]bool {
	out := map[[2]string]bool{}
	for p := range strings.SplitSeq(list, ",") {
		if w := strings.Fields(p); len(w) == 2 {
			out[[2]string{w[0], w[1]}], out[[2]string{w[1], w[0]}] = true, true
		}
	}
	return out
}

// read splits a question into words.
func read(text string) reading {
	var r reading
	text = strings.NewReplacer("’", "'", "‘", "'").Replace(text)
	r.parts = strings.Count(text, "?")
	first := true
	for _, raw := range strings.Fields(text) {
		ends := strings.ContainsAny(raw[len(raw)-1:], ".?!:")
		for _, w := range strings.FieldsFunc(raw, func(c rune) bool {
			return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("'.,+%°$€£*/<>=^", c)
		}) {
			r.add(strings.Trim(w, "'.,"), first)
			first = false
		}
		first = first || ends
	}
	return r
}

func (r *reading) add(w string, first bool) {
	lower := strings.ToLower(w)
	if bare, ok := strings.CutSuffix(lower, "n't"); ok {
		r.negations++
		lower = bare
		switch bare {
		case "ca":
			lower = "can"
		case "wo":
			lower = "will"
		}
	}
	lower = strings.TrimSuffix(lower, "'s")
	if lower == "" || articles[lower] {
		return
	}
	if n, ok := spelled[lower]; ok {
		lower = n
	}
	switch {
	case strings.ContainsFunc(lower, unicode.IsDigit):
		r.numbers = append(r.numbers, strings.ReplaceAll(lower, ",", ""))
	case negations[lower]:
		r.negations++
	case !first && lower != "i" && !strings.HasPrefix(lower, "i'") && unicode.IsUpper([]rune(w)[0]):
		r.names = append(r.names, lower)
	}
	r.words = append(r.words, lower)
}

// content returns the words that carry the subject, in their singular.
func (r reading) content() []string {
	var out []string
	for _, w := range r.words {
		if !function[w] {
			out = append(out, singular(w))
		}
	}
	return out
}

func singular(w string) string {
	if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
		return w[:len(w)-1]
	}
	return w
}

func (r reading) asksWho() bool {
	return len(r.words) > 1 && (r.words[0] == "who" || r.words[0] == "whom")
}

func (r reading) asksObject() bool {
	return r.asksWho() && (r.words[1] == "did" || r.words[1] == "does" || r.words[1] == "do" || r.words[0] == "whom")
}

// The kinds of questions: what is asked for.
const (
	kindUnknown = "" // no question word at the beginning
	kindOpen    = "open"
	kindYesNo   = "yes or no"
)

var (
	questionWords = map[string]string{"who": "who", "whom": "who", "whose": "who", "where": "where", "when": "when", "why": "why",
		"what": kindOpen, "which": kindOpen, "how": kindOpen}
	auxiliaries = set("is are was were am do does did can could should would will shall may might has have had must")
	quantities  = set("many much long old far often big tall")
	polite      = [][]string{{"can", "you"}, {"could", "you"}, {"would", "you"}, {"will", "you"}, {"do", "you", "know"}, {"can", "i", "ask"}}
)

// kind returns what a question asks for, by how it begins.
func (r reading) kind() string {
	if len(r.words) == 0 {
		return kindUnknown
	}
	for _, lead := range polite { // "can you tell me" may begin any question
		if len(r.words) > len(lead) && slices.Equal(r.words[:len(lead)], lead) {
			return kindUnknown
		}
	}
	switch {
	case auxiliaries[r.words[0]]:
		return kindYesNo
	case r.words[0] == "how" && len(r.words) > 1 && quantities[r.words[1]]:
		return "quantity"
	}
	return questionWords[r.words[0]]
}

// kindsAgree reports whether two kinds can ask for one thing: "where is it" and "what
// is its address" can, "where" and "when" can't.
func kindsAgree(a, b string) bool {
	switch {
	case a == b, a == kindUnknown, b == kindUnknown:
		return true
	case a == kindYesNo, b == kindYesNo:
		return false
	}
	return a == kindOpen || b == kindOpen
}

// opposed reports whether each question has a word whose opposite only the other has.
func opposed(a, b []string) bool {
	onlyA, onlyB := missing(a, b), missing(b, a)
	for _, x := range onlyA {
		for _, y := range onlyB {
			if opposites[[2]string{x, y}] || prefixed(x, y) || prefixed(y, x) {
				return true
			}
		}
	}
	return false
}

// missing returns the words of a that b doesn't have.
func missing(a, b []string) []string {
	var out []string
	for _, w := range a {
		if !slices.Contains(b, w) {
			out = append(out, w)
		}
	}
	return out
}

// prefixed reports whether long is short with a prefix of the opposite.
func prefixed(short, long string) bool {
	bare, ok := strings.CutSuffix(long, short)
	return ok && len(short) > 2 && slices.Contains(prefixes, bare)
}

// namesAgree compares the words with a capital. A name that one writer wrote with a
// small letter, or at the beginning, is no difference: the other must have the word.
func namesAgree(x, y reading) bool {
	if len(missing(x.names, y.words)) > 0 || len(missing(y.names, x.words)) > 0 {
		return false
	}
	inBoth := func(names, other []string) (out []string) {
		for _, n := range names {
			if slices.Contains(other, n) {
				out = append(out, n)
			}
		}
		return out
	}
	return slices.Equal(inBoth(x.names, y.names), inBoth(y.names, x.names))
}

// oneWord reports whether two questions of equal length differ in a single word that
// is not a synonym.
func oneWord(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	at, differences := 0, 0
	for i := range a {
		if a[i] != b[i] {
			at = i
			differences++
		}
	}
	return differences == 1 && !synonyms[[2]string{a[at], b[at]}]
}
