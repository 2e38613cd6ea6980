package bm25

import (
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/norm"
)

// Words makes the terms of a text in any language: words by the classes of Unicode, in
// lower case and in the compatibility form NFKC, so that "ＡＰＩ" is "api". No word is
// left out and none is reduced to a stem. Scripts without spaces between words, and
// Korean, whose words carry their endings, give each two neighboring characters: "返金は"
// is 返金 and 金は. Bytes that aren't UTF-8 separate words.
func Words(text string) []string { return words(text, nil, nil) }

// AnalyzerOptions configure [NewAnalyzer].
type AnalyzerOptions struct {
	// Stop are words that are left out, in any case. Default: none.
	Stop []string

	// Stem reduces a word in lower case to its stem; pairs of characters are left as
	// they are. It must be safe for concurrent use. Default: words stay as they are.
	Stem func(word string) string
}

// NewAnalyzer returns a function for Options.Analyze that makes the terms of [Words]
// without stop words, reduced to stems.
func NewAnalyzer(o *AnalyzerOptions) (func(text string) []string, error) {
	if o == nil {
		o = &AnalyzerOptions{}
	}
	stop := map[string]bool{}
	for _, w := range o.Stop {
		terms := Words(w)
		if len(terms) != 1 {
			return nil, fmt.Errorf("%w: AnalyzerOptions.Stop: %q is not one word", ErrOption, w)
		}
		stop[terms[0]] = true
	}
	stem := o.Stem
	return func(text string) []string { return words(text, stop, stem) }, nil
}

// EnglishStop returns the words that [English] leaves out.
func EnglishStop() []string {
	var out []string
	for w := range maps.Keys(stopWords) {
		out = append(out, w)
	}
	return out
}

func words(text string, stop map[string]bool, stem func(string) string) []string {
	text = norm.NFKC.String(strings.ToValidUTF8(text, " "))
	var terms []string
	for len(text) > 0 {
		start := strings.IndexFunc(text, isLetter)
		if start < 0 {
			break
		}
		text = text[start:]
		r, _ := utf8.DecodeRuneInString(text)
		if unspaced(r) {
			run := text
			if end := strings.IndexFunc(text, func(r rune) bool { return !unspaced(r) && !unicode.Is(unicode.M, r) }); end >= 0 {
				run = text[:end]
			}
			terms = appendPairs(terms, run, stop)
			text = text[len(run):]
			continue
		}
		end := strings.IndexFunc(text, func(r rune) bool { return unspaced(r) || !isLetter(r) && !unicode.Is(unicode.M, r) && !isApostrophe(r) })
		if end < 0 {
			end = len(text)
		}
		word := strings.ToLower(strings.ReplaceAll(strings.TrimRight(text[:end], "'’"), "’", "'"))
		if text = text[end:]; stop[word] {
			continue
		}
		if stem != nil {
			word = stem(word)
		}
		if word != "" {
			terms = append(terms, word)
		}
	}
	return terms
}

func isLetter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isApostrophe(r rune) bool { return r == '\'' || r == '’' }

// unspaced reports whether a character's script is cut into pairs.
func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー'
}

// appendPairs appends each two neighboring characters, with the marks that follow them;
// a character without a neighbor alone.
func appendPairs(terms []string, run string, stop map[string]bool) []string {
	var starts []int
	for i, r := range run {
		if i == 0 || !unicode.Is(unicode.M, r) {
			starts = append(starts, i)
		}
	}
	starts = append(starts, len(run))
	if len(starts) == 2 {
		starts = append(starts, len(run))
	}
	for i := 0; i+2 < len(starts); i++ {
		if pair := run[starts[i]:starts[i+2]]; !stop[pair] {
			terms = append(terms, pair)
		}
	}
	return terms
}
