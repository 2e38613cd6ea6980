package main

import (
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// bigrams counts pairs of letters, a to z and the gap between words, in the
// harmless rows and in languages.txt, and returns 16 log2 P(second|first) as
// signed bytes. The few sentences of other languages weigh 120 times more.
func bigrams(rows []example) []byte {
	var count [27][27]float64
	for a := range count {
		for b := range count[a] {
			count[a][b] = .3
		}
	}
	feed := func(text string, weight float64) {
		last := 26
		for _, r := range norm.NFD.String(strings.ToLower(text)) {
			if unicode.Is(unicode.Mn, r) {
				continue
			}
			next := 26
			if r >= 'a' && r <= 'z' {
				next = int(r - 'a')
			}
			if last != 26 || next != 26 {
				count[last][next] += weight
			}
			last = next
		}
	}
	for _, e := range rows {
		if e.Label == 0 {
			feed(e.Text, .05)
		}
	}
	for line := range strings.Lines(languageTexts) {
		_, text, _ := strings.Cut(line, "\t")
		feed(text, 6)
	}
	out := make([]byte, 0, 27*27)
	for _, row := range count {
		sum := 0.0
		for _, n := range row {
			sum += n
		}
		for _, n := range row {
			out = append(out, byte(int8(max(-128, math.Round(16*math.Log2(n/sum))))))
		}
	}
	return out
}
