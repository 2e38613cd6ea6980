package service

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// glossaryText has the course's words in German, French, Spanish, Italian and
// Portuguese: a line has an English word and what words of the others begin with or
// contain. Those of the first line say nothing.
//
//go:embed glossary.txt
var glossaryText string

// A term is an English word and the forms of it in other languages.
type term struct {
	english string
	forms   []string
}

var glossary = func() []term {
	var out []term
	for line := range strings.Lines(glossaryText) {
		english, forms, _ := strings.Cut(line, ":")
		out = append(out, term{english, strings.Fields(unaccented(forms))})
	}
	return out
}()

// unaccented returns a text in lower case without the marks on its letters.
func unaccented(text string) string {
	text = strings.ReplaceAll(norm.NFD.String(strings.ToLower(text)), "ß", "ss")
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, text)
}

// matches reports whether a word is a form of a term. A long form may be a part of a
// compound, a middling one its beginning.
func (t term) matches(word string) bool {
	return slices.ContainsFunc(t.forms, func(form string) bool {
		switch {
		case len(form) >= 6:
			return strings.Contains(word, form)
		case len(form) >= 4:
			return strings.HasPrefix(word, form)
		}
		return word == form
	})
}

// translate returns the English words for those of a question in another language, and
// those that the notes know as they are: "KV-Cache"; and the share of its words that
// these are, without those that say nothing.
func (s *Service) translate(question string) (words string, share float64) {
	var out []string
	known, all := 0, 0
	question = porQue.ReplaceAllString(question, "porque")
	written := strings.FieldsFunc(question, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	for _, w := range written[:min(len(written), mostWords)] {
		english := s.english(w)
		if slices.Contains(english, "") {
			continue
		}
		all++
		known += min(len(english), 1)
		for _, w := range english {
			if !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
	}
	if known == 0 {
		return question, 0
	}
	return strings.Join(out, " "), float64(known) / float64(all)
}

// mostWords is how many words of a question are looked up; a text has more.
const mostWords = 300

// porQue is "why" in two words.
var porQue = regexp.MustCompile(`(?i)\bpor qu[eé]`)

// english returns the English words for one of another language: "" if it says nothing,
// none if it isn't known.
func (s *Service) english(written string) []string {
	word := unaccented(written)
	var out []string
	for _, t := range glossary {
		if t.matches(word) {
			out = append(out, t.english)
		}
	}
	switch {
	case out != nil:
		return out
	case len(word) == 1 && !unicode.IsDigit(rune(word[0])):
		return []string{""}
	case len(word) < 3 && written != strings.ToUpper(written): // by chance
		return nil
	case slices.ContainsFunc(bm25.English(word), s.words.Contains):
		return []string{word}
	}
	return nil
}

// read returns a question in English words, without its typing errors.
func (s *Service) read(question string) string {
	if rag.Language(question) != "" {
		words, _ := s.translate(question)
		return words
	}
	return s.correct(question)
}
