package main

import (
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai"
)

// A pair is two neighboring sentences of the course's notes: the right answer to "which
// sentence comes next?".
type pair struct{ first, next string }

// pairs returns all pairs in an order that is the same each time.
func pairs() ([]pair, error) {
	seen := map[string]bool{}
	var out []pair
	err := fs.WalkDir(prodai.Notes, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "doc.go" {
			return err
		}
		data, err := fs.ReadFile(prodai.Notes, name)
		if err != nil {
			return err
		}
		note, _, _ := strings.Cut(string(data), "\npackage ")
		for paragraph := range strings.SplitSeq(note, "\n//\n") {
			text := strings.Join(strings.Fields(strings.ReplaceAll(paragraph, "\n//", " ")), " ")
			last := ""
			for s := range strings.SplitSeq(strings.ReplaceAll(text, "? ", "?. "), ". ") {
				if strings.Count(s, " ") < 4 || seen[s] {
					continue
				}
				seen[s] = true
				if last == "" {
					last = s
					continue
				}
				out = append(out, pair{last, s})
				last = "" // each sentence is in one pair only
			}
		}
		return nil
	})
	rng := rand.New(rand.NewPCG(13, 1))
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, err
}

// words returns the words of a text in lower case.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// vocabulary gives each word of the texts a row of the student's table.
func vocabulary(train []pair) (rows map[string]int, list []string) {
	rows = map[string]int{}
	for _, p := range train {
		for _, w := range append(words(p.first), words(p.next)...) {
			if _, ok := rows[w]; !ok {
				rows[w] = len(rows)
				list = append(list, w)
			}
		}
	}
	return rows, list
}

// bags turns texts into rows of the table. A word without a row is left out.
func bags(rows map[string]int, texts []string) [][]int {
	out := make([][]int, len(texts))
	for i, text := range texts {
		for _, w := range words(text) {
			if r, ok := rows[w]; ok {
				out[i] = append(out[i], r)
			}
		}
	}
	return out
}
