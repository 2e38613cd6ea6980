package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

//go:embed attacks.txt
var attackGrammar string

//go:embed benign.txt
var benignGrammar string

//go:embed languages.txt
var languageTexts string

//go:embed harmless.txt
var harmlessGrammar string

//go:embed hostile.txt
var hostileGrammar string

//go:embed multilingual.txt
var multilingualTexts string

// synthetic returns the examples that were written for the project, always the same
// ones.
func synthetic() []example {
	attacks := expand(attackGrammar, 1, "synthetic-attack")
	harmless := append(expand(benignGrammar, 0, "synthetic-benign"), records()...)
	all := slices.Concat(attacks, harmless, embedded(attacks, harmless), written(), multilingual())
	return append(all, languages()...)
}

// languages returns the sentences of languages.txt.
func languages() []example {
	var all []example
	for line := range strings.Lines(languageTexts) {
		lang, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		for _, s := range strings.SplitAfter(text, ". ") {
			all = append(all, example{Text: strings.TrimSpace(s), Source: "synthetic-languages", Lang: lang})
		}
	}
	return all
}

// written returns the texts of harmless.txt and hostile.txt. Each of their sections
// is a source of its own, so that a short one counts too.
func written() []example {
	all := append(expand(harmlessGrammar, 0, ""), expand(hostileGrammar, 1, "")...)
	for _, e := range expand(documentGrammar, 0, "") {
		if e.Kind == "other languages" {
			all = append(all, e)
		}
	}
	for i := range all {
		all[i].Source = "synthetic-" + strings.ReplaceAll(strings.SplitN(all[i].Kind, ":", 2)[0], " ", "-")
	}
	return all
}

// perTemplate is how many texts are made of a template of multilingual.txt.
const perTemplate = 12

// multilingual returns the texts of multilingual.txt. Each language is a source.
func multilingual() []example {
	var all []example
	lang := ""
	rng := rand.New(rand.NewPCG(4, 20261124))
	for line := range strings.Lines(multilingualTexts) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "["); ok {
			lang = strings.TrimSuffix(name, "]")
			continue
		}
		sign, template, _ := strings.Cut(line, " ")
		if sign != "+" && sign != "-" {
			continue
		}
		e := example{Source: "synthetic-" + lang, Kind: "multilingual", Lang: lang}
		if sign == "+" {
			e.Label = 1
		}
		seen := map[string]bool{}
		for range perTemplate {
			if e.Text = choose(template, nil, rng); !seen[e.Text] {
				seen[e.Text] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// embedded puts every fourth attack into a harmless document or record. Attacks on
// agents are in such places, and without such examples a harmless beginning would
// excuse what follows.
func embedded(attacks, harmless []example) []example {
	rng := rand.New(rand.NewPCG(3, 20261124))
	hosts := slices.DeleteFunc(slices.Clone(harmless), func(e example) bool {
		return e.Kind != "documents" && e.Kind != "data" || len(e.Text) > 600
	})
	host := func() string { return hosts[rng.IntN(len(hosts))].Text }
	var all []example
	for i := 0; i < len(attacks); i += 4 {
		e := attacks[i]
		switch rng.IntN(4) {
		case 0:
			e.Text = host() + pick(rng, "\n|\n\n| | -- ") + e.Text
		case 1:
			e.Text = host() + "\n" + e.Text + "\n" + host()
		case 2:
			e.Text = e.Text + pick(rng, "\n|\n\n| ") + host()
		case 3:
			e.Text = fmt.Sprintf(`{"id":%d,"%s":%q}`, rng.IntN(1e4), pick(rng, "note|text|comment|body|title"), e.Text)
		}
		e.Source = "synthetic-embedded"
		all = append(all, e)
	}
	return all
}

// literal replaces the signs that are written for characters which have a meaning in a
// grammar.
var literal = strings.NewReplacer(`\n`, "\n", `\t`, "\t", "⟦", "{", "⟧", "}", "¦", "|")

// expand reads a grammar: NAME = a | b defines a list, "20 text" makes twenty
// texts by taking choices at random.
func expand(grammar string, label int, source string) []example {
	lists := map[string][]string{}
	rng := rand.New(rand.NewPCG(uint64(label), 20261124))
	var all []example
	kind := ""
	for line := range strings.Lines(grammar) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "#"); ok || line == "" {
			kind = strings.TrimSpace(rest)
			continue
		}
		if name, choices, ok := strings.Cut(line, " = "); ok && strings.ToUpper(name) == name && !strings.ContainsAny(name, " {") {
			for _, c := range split(choices) {
				lists[name] = append(lists[name], strings.TrimSpace(c))
			}
			continue
		}
		count, text, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			n, text = 1, line
		}
		seen := map[string]bool{}
		for range n {
			s := literal.Replace(choose(text, lists, rng))
			if !seen[s] {
				seen[s] = true
				all = append(all, example{Text: s, Label: label, Source: source, Kind: kind})
			}
		}
	}
	return all
}

// split cuts a list at the bars that stand outside braces.
func split(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '|':
			if depth == 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, s[from:])
}

func choose(s string, lists map[string][]string, rng *rand.Rand) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		switch {
		case s[i] == '{':
			depth, end := 0, i
			for ; end < len(s); end++ {
				if s[end] == '{' {
					depth++
				} else if s[end] == '}' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			parts := split(s[i+1 : min(end, len(s))])
			b.WriteString(choose(parts[rng.IntN(len(parts))], lists, rng))
			i = end + 1
		case s[i] == '$':
			end := i + 1
			for end < len(s) && s[end] >= 'A' && s[end] <= 'Z' {
				end++
			}
			list := lists[s[i+1:end]]
			if len(list) == 0 {
				b.WriteByte('$')
				i++
				continue
			}
			b.WriteString(choose(list[rng.IntN(len(list))], lists, rng))
			i = end
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String()
}
