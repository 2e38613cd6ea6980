// Package eval measures the metrics beside Go peers. No Go module has the
// translation or summarization metrics; their peers are in Python and Rust
// (eval/testdata/peers).
package eval

import (
	"strings"
	"testing"

	"github.com/agnivade/levenshtein"
	"github.com/reiver/go-porterstemmer"

	"github.com/prodailabs/prodai/eval"
)

var pairs = [][2]string{
	{"kitten", "sitting"},
	{"The committee will meet again on the first Monday of every month.", "The committees meet again on the first Tuesday of each month!"},
	{strings.Repeat("the quick brown fox jumps over a lazy dog ", 4), strings.Repeat("a quick brown dog jumped over the lazy fox ", 4)},
	{"猫坐在垫子上，看着窗外的鸟。", "一只猫坐在垫子上，看窗外的小鸟。"},
}

func BenchmarkLevenshtein(b *testing.B) {
	for name, distance := range map[string]func(a, b string) int{"prodai": eval.Levenshtein, "agnivade": levenshtein.ComputeDistance} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range pairs {
					distance(p[0], p[1])
				}
			}
		})
	}
}

func TestLevenshteinAgrees(t *testing.T) {
	for _, p := range pairs {
		if got, want := eval.Levenshtein(p[0], p[1]), levenshtein.ComputeDistance(p[0], p[1]); got != want {
			t.Errorf("%q: %d here, %d there", p, got, want)
		}
	}
}

func BenchmarkPorter(b *testing.B) {
	words := strings.Fields("relational conditional rational digitizer operator feudalism decisiveness hopefulness callousness formality sensitivity electricity goodness revival allowance inference adjustable running cats ponies agreed")
	b.Run("prodai", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, w := range words {
				eval.PorterStem(w, eval.PorterMartin)
			}
		}
	})
	b.Run("reiver", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, w := range words {
				porterstemmer.StemString(w)
			}
		}
	})
}
