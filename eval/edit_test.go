package eval

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenEdit(t *testing.T) {
	golden.Rows(t, "eval", "edit.jsonl", func(row struct {
		A, B         string
		Levenshtein  int
		Weighted     int `json:"lev_w_ins1_del2_sub3"`
		OSA, Damerau int
		Indel, LCS   int
		Jaro         float64
		JaroWinkler  float64 `json:"jaro_winkler"`
		Similarity   float64 `json:"lev_norm_sim"`
		Ratio        float64 `json:"fuzz_ratio"`
		PartialRatio float64 `json:"partial_ratio"`
		SortRatio    float64 `json:"token_sort_ratio"`
		SetRatio     float64 `json:"token_set_ratio"`
		WER          struct {
			Ref, Hyp                string
			WER, MER, WIL, WIP, CER float64
			Hits, Sub, Ins, Del     int
		}
	}) error {
		w := row.WER
		a := must(NewWER(nil)).Align(w.Ref, w.Hyp)
		cer := must(NewWER(&WEROptions{Characters: true})).Align(w.Ref, w.Hyp)
		return first(
			same("levenshtein", Levenshtein(row.A, row.B), row.Levenshtein),
			same("weighted", must(WeightedLevenshtein(row.A, row.B, &EditCosts{Insert: 1, Delete: 2, Replace: 3})), row.Weighted),
			same("osa", OptimalStringAlignment(row.A, row.B), row.OSA),
			same("damerau", DamerauLevenshtein(row.A, row.B), row.Damerau),
			same("indel", IndelDistance(row.A, row.B), row.Indel),
			same("lcs", LCSLength(row.A, row.B), row.LCS),
			near("jaro", Jaro(row.A, row.B), row.Jaro),
			near("jaro_winkler", JaroWinkler(row.A, row.B), row.JaroWinkler),
			near("similarity", LevenshteinSimilarity(row.A, row.B), row.Similarity),
			near("ratio", FuzzRatio(row.A, row.B), row.Ratio),
			near("partial", FuzzPartialRatio(row.A, row.B), row.PartialRatio),
			near("sort", FuzzTokenSortRatio(row.A, row.B), row.SortRatio),
			near("set", FuzzTokenSetRatio(row.A, row.B), row.SetRatio),
			near("wer", a.ErrorRate(), w.WER), near("mer", a.MatchErrorRate(), w.MER),
			near("wip", a.InformationPreserved(), w.WIP), near("wil", 1-a.InformationPreserved(), w.WIL),
			same("alignment", a, Alignment{w.Hits, w.Sub, w.Ins, w.Del}),
			near("cer", cer.ErrorRate(), w.CER),
		)
	})
}

// FuzzLevenshtein compares the bit-parallel distances with the textbook recurrence,
// and the alignment with the distance.
func FuzzLevenshtein(f *testing.F) {
	long := string(make([]byte, 150))
	for _, p := range [][2]string{{"kitten", "sitting"}, {"", "a"}, {"日本語", "日本"}, {long, long + "x"}, {long + "abc", "abd" + long}, {"e\u0301", "é"}} {
		f.Add(p[0], p[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		want := must(WeightedLevenshtein(a, b, nil))
		require.Equal(t, want, Levenshtein(a, b))
		require.Equal(t, want, Levenshtein(b, a))
		if utf8.ValidString(a) && utf8.ValidString(b) {
			s := scratches.Get().(*scratch)
			s.ref, s.hyp = s.runeIDs(a, b)
			al := s.align(s.ref, s.hyp)
			ref, hyp := append([]uint32{}, s.ref...), append([]uint32{}, s.hyp...)
			if len(ref) > 0 && len(hyp) > 1 {
				mid := len(hyp) / 2
				at := splitAt(ref, hyp, mid)
				left, right := s.align(ref[:at], hyp[:mid]), s.align(ref[at:], hyp[mid:])
				require.Equal(t, want, left.Distance()+right.Distance(), "the split must keep a cheapest alignment")
			}
			scratches.Put(s)
			require.Equal(t, want, al.Distance())
			require.Equal(t, utf8.RuneCountInString(a), al.Hits+al.Substitutions+al.Deletions)
			require.Equal(t, utf8.RuneCountInString(b), al.Hits+al.Substitutions+al.Insertions)
		}
	})
}

// damerauByTable is the recurrence of Lowrance and Wagner over the whole table.
func damerauByTable(a, b string) int {
	x, y := []rune(a), []rune(b)
	cols := len(y) + 2
	far := len(x) + len(y)
	t := make([]int, (len(x)+2)*cols)
	at := func(i, j int) *int { return &t[(i+1)*cols+j+1] }
	*at(-1, -1) = far
	for i := range len(x) + 1 {
		*at(i, -1), *at(i, 0) = far, i
	}
	for j := range len(y) + 1 {
		*at(-1, j), *at(0, j) = far, j
	}
	lastRow := map[rune]int{}
	for i := 1; i <= len(x); i++ {
		lastCol := 0
		for j := 1; j <= len(y); j++ {
			k, l := lastRow[y[j-1]], lastCol
			cost := 1
			if x[i-1] == y[j-1] {
				cost, lastCol = 0, j
			}
			*at(i, j) = min(*at(i-1, j-1)+cost, *at(i, j-1)+1, *at(i-1, j)+1, *at(k-1, l-1)+i-k-1+1+j-l-1)
		}
		lastRow[x[i-1]] = i
	}
	return *at(len(x), len(y))
}

func TestDamerauIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	text := func() string {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = byte('a' + r.IntN(3))
		}
		return string(b)
	}
	for range 20_000 {
		a, b := text(), text()
		require.Equal(t, damerauByTable(a, b), DamerauLevenshtein(a, b), "%q %q", a, b)
	}
}

func BenchmarkDamerauLevenshtein(b *testing.B) {
	x, y := strings.Repeat("the quick brown fox ", 50), strings.Repeat("hte quick rbown fox ", 50)
	b.ReportAllocs()
	for b.Loop() {
		DamerauLevenshtein(x, y)
	}
}
