package rag

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// A Speller corrects typing errors in questions towards the words of the documents:
// a correction towards any other word could not help to find a passage. It is safe
// for concurrent use.
type Speller struct {
	count map[string]int      // of the documents' words, in lower case
	near  map[string][]string // a word without one of its letters, or whole -> words
	stems map[string]bool     // of the words
	known func(word string) bool
}

// minSpelled is the length of the shortest word that is corrected: shorter words have
// too many neighbors.
const minSpelled = 5

// maxLetters is the length of the longest word that is corrected, or corrected to. The
// number of words that are near one grows with the square of its length.
const maxLetters = 32

// maxSpelled is the number of words of the longest question that is corrected. What is
// longer is a document, whose author did not type it into a search box.
const maxSpelled = 64

// NewSpeller returns a Speller for documents. known reports whether a word in lower
// case, which the documents do not have, is a word all the same and so is left alone;
// nil: none is.
func NewSpeller(documents []string, known func(word string) bool) *Speller {
	s := &Speller{count: map[string]int{}, near: map[string][]string{}, stems: map[string]bool{}, known: known}
	for _, d := range documents {
		for _, w := range wordsOf(d) {
			s.count[strings.ToLower(d[w[0]:w[1]])]++
		}
	}
	for w, n := range s.count {
		for _, stem := range bm25.English(w) {
			s.stems[stem] = true
		}
		if r := utf8.RuneCountInString(w); r < minSpelled || r > maxLetters || n < 2 && r < 7 {
			continue
		}
		for key := range shortened(w, reach(w)) {
			s.near[key] = append(s.near[key], w)
		}
	}
	return s
}

// reach is how many errors a word may have: one, and two in a long word.
func reach(word string) int {
	if utf8.RuneCountInString(word) >= 9 {
		return 2
	}
	return 1
}

// Correct returns the question with each unknown word replaced by the nearest word of
// the documents: the one with the fewest errors (a letter too many, too few, wrong, or
// two exchanged: Damerau and Levenshtein's distance), then the most frequent. A word
// that has no near word, or begins with two or more capitals, or has a digit, or that begins with a
// capital inside the question, is left
// as it is, and so is a question of more than 64 words.
func (s *Speller) Correct(question string) string {
	spans := wordsOf(question)
	if len(spans) > maxSpelled {
		return question
	}
	var b strings.Builder
	at := 0
	for _, span := range spans {
		word := question[span[0]:span[1]]
		if r := first(word); span[0] > 0 && unicode.IsUpper(r) {
			continue // a name
		}
		better, ok := s.correct(word)
		if !ok {
			continue
		}
		b.WriteString(question[at:span[0]])
		b.WriteString(better)
		at = span[1]
	}
	b.WriteString(question[at:])
	return b.String()
}

func (s *Speller) correct(word string) (better string, ok bool) {
	lower := strings.ToLower(word)
	if n := utf8.RuneCountInString(lower); n < minSpelled || n > maxLetters || s.knows(lower) || word[1:] != strings.ToLower(word[1:]) {
		return "", false
	}
	fewest, most := reach(lower)+1, 0
	seen := map[string]bool{}
	for key := range shortened(lower, reach(lower)) {
		for _, w := range s.near[key] {
			if seen[w] {
				continue
			}
			seen[w] = true
			d := distance([]rune(lower), []rune(w))
			if first(lower) != first(w) {
				d++ // the first letter is rarely wrong
			}
			if d < fewest || d == fewest && (s.count[w] > most || s.count[w] == most && w < better) {
				fewest, most, better = d, s.count[w], w
			}
		}
	}
	// A word that carries only grammar finds nothing, so a correction to it is none.
	return better, better != "" && fewest <= reach(lower) && len(bm25.English(better)) > 0
}

// knows reports whether a word needs no correction: it is one of the documents' or of
// the language, or the plural or another form of one.
func (s *Speller) knows(word string) bool {
	if s.count[word] > 0 || slices.ContainsFunc(bm25.English(word), func(stem string) bool { return s.stems[stem] }) {
		return true
	}
	is := func(w string) bool { return s.known != nil && s.known(w) }
	if is(word) {
		return true
	}
	for _, suffix := range []string{"s", "es", "d", "ed", "ing", "er", "ers", "ly", "'s", "n't", "nt"} {
		if stem, ok := strings.CutSuffix(word, suffix); ok && len(stem) >= 3 && (is(stem) || is(stem+"e")) {
			return true
		}
	}
	return false
}

func first(word string) rune {
	r, _ := utf8.DecodeRuneInString(word)
	return r
}

// wordsOf returns where the words of letters are.
func wordsOf(text string) [][2]int {
	var out [][2]int
	start := -1
	for i, r := range text {
		inWord := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '\'' || r == '_'
		if inWord && start < 0 {
			start = i
		}
		if !inWord && start >= 0 {
			out = append(out, [2]int{start, i})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, [2]int{start, len(text)})
	}
	letters := out[:0]
	for _, w := range out {
		if !strings.ContainsFunc(text[w[0]:w[1]], func(r rune) bool { return unicode.IsDigit(r) || r == '_' }) {
			letters = append(letters, w)
		}
	}
	return letters
}

// shortened returns a word and the words that it becomes without up to n of its
// letters: two words within n errors of one another share one of these.
func shortened(word string, n int) map[string]bool {
	out := map[string]bool{word: true}
	last := []string{word}
	for range n {
		var next []string
		for _, w := range last {
			r := []rune(w)
			for i := range r {
				short := string(r[:i]) + string(r[i+1:])
				if !out[short] {
					out[short] = true
					next = append(next, short)
				}
			}
		}
		last = next
	}
	return out
}

// distance is Damerau and Levenshtein's, with each letter exchanged at most once.
func distance(a, b []rune) int {
	rows := [3][]int{}
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range b {
		rows[0][j+1] = j + 1
	}
	before, above, row := rows[1], rows[0], rows[2]
	for i := range a {
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, above[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above, row = above, row, before
	}
	return above[len(b)]
}
