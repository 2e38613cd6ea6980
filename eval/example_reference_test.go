package eval

import (
	"fmt"
	"math"
	"strings"
)

// plainBLEU is BLEU as it is defined, for outputs that are already cut into tokens at
// the spaces, with n-grams up to length 4 and without smoothing. [BLEU] counts the
// same n-grams in a trie instead of a map of strings, and the tests compare the two.
//
// Traps:
//   - Matches are clipped. "the the the" against "the cat" has one match, not three.
//     The limit of an n-gram is its largest count in one reference, not the sum over
//     the references.
//   - Counts are summed over the corpus and divided once. The mean of the sentences'
//     scores is another number.
//   - The length penalty takes, for each output, the reference closest in length, and
//     the shorter one of two.
//   - One precision of 0 makes the score 0. That is why single sentences are smoothed.
func plainBLEU(outputs []string, references [][]string) float64 {
	var matches, totals [4]int
	var outputLength, referenceLength int
	for i, output := range outputs {
		out := strings.Fields(output)
		outputLength += len(out)
		best := -1
		for _, reference := range references[i] {
			n := len(strings.Fields(reference))
			d, have := distance(n, len(out)), distance(best, len(out))
			if best < 0 || d < have || d == have && n < best {
				best = n
			}
		}
		referenceLength += best
		for order := range matches {
			limit := map[string]int{}
			for _, reference := range references[i] {
				for gram, count := range countGrams(strings.Fields(reference), order+1) {
					limit[gram] = max(limit[gram], count)
				}
			}
			for gram, count := range countGrams(out, order+1) {
				matches[order] += min(count, limit[gram])
				totals[order] += count
			}
		}
	}
	logs := 0.0
	for order, m := range matches {
		if m == 0 {
			return 0
		}
		logs += math.Log(float64(m) / float64(totals[order]))
	}
	penalty := min(1, math.Exp(1-float64(referenceLength)/float64(outputLength)))
	return 100 * penalty * math.Exp(logs/4)
}

// countGrams counts the n-grams of a text.
func countGrams(tokens []string, n int) map[string]int {
	counts := map[string]int{}
	for i := range len(tokens) - n + 1 {
		counts[strings.Join(tokens[i:i+n], " ")]++
	}
	return counts
}

func distance(a, b int) int { return max(a-b, b-a) }

// A good output, one that has no n-gram of length 4 in common with a reference, and one
// that repeats a word.
func Example_plainBLEU() {
	references := [][]string{{"the cat sat on the mat", "a cat was sitting on the mat"}}
	for _, output := range []string{"a cat sat on the mat", "the cat was on the mat today", "the the the the the the"} {
		fmt.Printf("%s: %.1f\n", output, plainBLEU([]string{output}, references))
	}
	// Output:
	// a cat sat on the mat: 84.1
	// the cat was on the mat today: 0.0
	// the the the the the the: 0.0
}
