package bm25

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// English makes the terms of an English text or of source code: words of letters
// and digits, lower case, without the most frequent words, reduced to their stems
// by the Snowball project's English stemmer (Porter2). A name such as getHTTPClient
// gives itself and its parts as terms, so that both find it. Bytes that aren't
// UTF-8 separate words.
func English(text string) []string {
	var terms []string
	for len(text) > 0 {
		start := strings.IndexFunc(text, isWordRune)
		if start < 0 {
			break
		}
		text = text[start:]
		end := strings.IndexFunc(text, func(r rune) bool { return !isWordRune(r) && r != '\'' && r != '’' })
		if end < 0 {
			end = len(text)
		}
		terms = appendWord(terms, strings.TrimRight(text[:end], "'’"))
		text = text[end:]
	}
	return terms
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r))
}

func appendWord(terms []string, word string) []string {
	whole := strings.ToLower(strings.ReplaceAll(word, "’", "'"))
	if stopWords[whole] {
		return terms
	}
	terms = append(terms, stem(whole))
	if parts := camelParts(word); len(parts) > 1 {
		for _, p := range parts {
			if p = strings.ToLower(p); !stopWords[p] {
				terms = append(terms, stem(p))
			}
		}
	}
	return terms
}

func stem(word string) string {
	env := snowballstem.NewEnv(word)
	english.Stem(env)
	return env.Current()
}

// camelParts cuts a name where its case changes: "getHTTPClient2" is get, HTTP,
// Client2.
func camelParts(word string) []string {
	var parts []string
	runes := []rune(word)
	start := 0
	for i := 1; i < len(runes); i++ {
		before, here := runes[i-1], runes[i]
		lowToUp := !unicode.IsUpper(before) && unicode.IsUpper(here)
		lastOfRun := unicode.IsUpper(before) && unicode.IsUpper(here) && i+1 < len(runes) && unicode.IsLower(runes[i+1])
		if lowToUp || lastOfRun {
			parts = append(parts, string(runes[start:i]))
			start = i
		}
	}
	return append(parts, string(runes[start:]))
}

// stopWords are the most frequent English words, which have little meaning alone.
var stopWords = func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`a an and are as at be been but by can could did do does for from had has have he her him his
		how i if in into is it its me my no not of on or our she should so such than that the their them then there these they this those
		to was we were what when where which who whom why will with would you your it's that's don't doesn't isn't`) {
		set[w] = true
	}
	return set
}()
