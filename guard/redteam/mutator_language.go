package redteam

import (
	_ "embed"
	"math/rand/v2"
	"strings"
)

// Each line of languages.tsv has a language, "ignore all previous instructions" in it,
// and its sentences for the orders say, leak, secret, mail and link.
//
//go:embed languages.tsv
var languageTable string

// languages are the translations of the orders. An attack with an order of its own
// wording can't be translated.
func languages() []Mutator {
	var all []Mutator
	for line := range strings.Lines(languageTable) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		all = append(all, Mutator{Name: "in " + f[0], Kind: MutatorLanguage, Threats: obfuscation, Mutate: func(a Attack, order string, _ *rand.Rand) (Attack, bool) {
			for i, name := range orderNames {
				if a.Order == name {
					text := fillOrder(f[2+i], order, orders[name].english)
					return a.rewrite(func(string) string { return f[1] + " " + text }), true
				}
			}
			return a, false
		}})
	}
	return all
}

// fillOrder puts the words of a filled English order into its translation.
func fillOrder(translation, filled, english string) string {
	rest := filled
	var words []string
	for i, part := range placeholder.Split(english, -1) {
		if i == 0 {
			rest = strings.TrimPrefix(rest, part)
			continue
		}
		end := len(rest)
		if part != "" {
			if at := strings.Index(rest, part); at >= 0 {
				end = at
			}
		}
		words = append(words, rest[:end])
		rest = strings.TrimPrefix(rest[end:], part)
	}
	for i, name := range placeholder.FindAllString(english, -1) {
		if i < len(words) {
			translation = strings.ReplaceAll(translation, name, words[i])
		}
	}
	return translation
}
