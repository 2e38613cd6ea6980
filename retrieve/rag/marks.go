package rag

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bracketed is the form of a citation. No prompt has a thousand passages, so four
// digits are something else: a year, an RFC.
var bracketed = regexp.MustCompile(`[\[【]\s*\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\s*[\]】]`)

// code is a fenced block or a code span of markdown.
var code = regexp.MustCompile("(?s)```.*?(?:```|\\z)|`[^`\n]*`")

// citations returns the places of the citations in an answer.
func citations(answer string) [][]int {
	var out [][]int
	spans := code.FindAllStringIndex(answer, -1)
	for _, g := range bracketed.FindAllStringIndex(answer, -1) {
		for len(spans) > 0 && spans[0][1] <= g[0] {
			spans = spans[1:]
		}
		inCode := len(spans) > 0 && spans[0][0] < g[0]
		if !inCode && !isInterval(answer[g[0]:g[1]]) && !isIndex(answer[:g[0]], answer[g[1]:]) {
			out = append(out, g)
		}
	}
	return out
}

// isInterval reports whether a group of several numbers contains 0: passages
// count from 1.
func isInterval(group string) bool {
	numbers := numbersOf(group)
	for _, n := range numbers {
		if n == 0 {
			return len(numbers) > 1
		}
	}
	return false
}

// isIndex reports whether a bracket is the index of a variable, by the text
// before and after it. Models also write "within 30 days[1]", so a bracket that
// follows a plain word is a citation, unless what follows it is code.
func isIndex(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	if !unicode.IsLetter(last) && !unicode.IsDigit(last) && last != '_' && last != ')' {
		return false
	}
	next, size := utf8.DecodeRuneInString(after)
	if next == '.' {
		next, _ = utf8.DecodeRuneInString(after[size:])
		if unicode.IsLetter(next) {
			return true // a[2].name
		}
	}
	if rest := strings.TrimLeft(after, " "); strings.HasPrefix(rest, "=") || strings.HasPrefix(rest, ":=") || strings.HasPrefix(rest, "+=") || strings.HasPrefix(after, "(") {
		return true
	}
	word := before[strings.LastIndexFunc(before, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	})+1:]
	return isVariable(word)
}

// isVariable reports whether a word looks like a variable's name: one letter in
// lower case, or with an underscore, or camelCase. JavaScript is a name.
func isVariable(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	if utf8.RuneCountInString(word) == 1 && unicode.IsLower(first) {
		return true
	}
	lower := false
	for _, r := range word {
		if r == '_' || lower && unicode.IsUpper(r) && unicode.IsLower(first) {
			return true
		}
		lower = unicode.IsLower(r)
	}
	return false
}
