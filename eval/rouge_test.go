package eval

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenPorter(t *testing.T) {
	golden.Rows(t, "eval", "porter.jsonl", func(row struct{ Word, NLTK, Original, Martin string }) error {
		return first(
			same("nltk", PorterStem(row.Word, PorterNLTK), row.NLTK),
			same("original", PorterStem(row.Word, PorterOriginal), row.Original),
			same("martin", PorterStem(row.Word, PorterMartin), row.Martin),
		)
	})
}

func TestGoldenROUGE(t *testing.T) {
	types := []string{"rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"}
	check := func(stem bool, want map[string][]float64, hyp string, refs ...string) error {
		if want == nil {
			return nil
		}
		r, err := NewROUGE(&ROUGEOptions{Types: types, Stem: stem})
		if err != nil {
			return err
		}
		got, err := r.Score(hyp, refs...)
		if err != nil {
			return err
		}
		for i, typ := range types {
			w, ok := want[typ]
			if !ok {
				return fmt.Errorf("the row has no %s", typ)
			}
			if err := nears(typ, []float64{got[i].Precision, got[i].Recall, got[i].F}, w); err != nil {
				return err
			}
		}
		return nil
	}
	golden.Rows(t, "eval", "rouge.jsonl", func(row struct {
		Pred, Target string
		Targets      []string
		Plain, Stem  map[string][]float64
		MultiStem    map[string][]float64 `json:"multi_stem"`
	}) error {
		return first(
			check(false, row.Plain, row.Pred, row.Target),
			check(true, row.Stem, row.Pred, row.Target),
			check(true, row.MultiStem, row.Pred, row.Targets...),
		)
	})
}

// lcsLength is the textbook recurrence that the bit-parallel code replaces.
func lcsLength(a, b []uint32) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

func FuzzLCS(f *testing.F) {
	f.Add([]byte("abcabba"), []byte("cbabac"))
	f.Add(make([]byte, 64), make([]byte, 128))
	f.Add([]byte{1}, []byte{})
	var l lcs
	f.Fuzz(func(t *testing.T, x, y []byte) {
		var a, b []uint32
		for _, c := range x {
			a = append(a, uint32(c%7)+1)
		}
		for _, c := range y {
			b = append(b, uint32(c%9)+1)
		}
		require.Equal(t, lcsLength(a, b), l.length(a, b))
	})
}

// TestManyDifferentWords: long lines without repetition, where masks for every
// word and block would take gigabytes.
func TestManyDifferentWords(t *testing.T) {
	var a, b []uint32
	for i := range uint32(9000) {
		a = append(a, i*3%9001+1)
		if i%7 > 0 {
			b = append(b, i*3%9001+1+i%11/10)
		}
	}
	var l lcs
	require.Equal(t, lcsLength(a, b), l.length(a, b))
	var m myers
	m.set(a)
	require.False(t, m.dense)
	row := lastRow(a, b)
	require.EqualValues(t, row[len(a)], m.distance(b))
	m.reset()
	for _, mask := range m.masks {
		require.Zero(t, mask)
	}
}

// TestLCSOfBlocks: the trace is the same whatever part of the table is kept.
func TestLCSOfBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(75, 76))
	for range 300 {
		want, got := make([]uint32, r.IntN(20)), make([]uint32, r.IntN(20))
		for _, ids := range [][]uint32{want, got} {
			for i := range ids {
				ids[i] = uint32(1 + r.IntN(4))
			}
		}
		var l lcs
		whole := make([]bool, len(want))
		l.markBlocks(want, got, whole, max(1, len(want)))
		for rows := 1; rows < len(want); rows++ {
			used := make([]bool, len(want))
			l.markBlocks(want, got, used, rows)
			require.Equal(t, whole, used, "%v %v in blocks of %d", want, got, rows)
		}
	}
}

// TestLsumOfALongLine: a table of all pairs of words would take 256 MB.
func TestLsumOfALongLine(t *testing.T) {
	line := strings.Repeat("one two three four five six seven eight ", 1000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	scores, err := must(NewROUGE(&ROUGEOptions{Types: []string{"rougeL", "rougeLsum"}})).Score(line, "zero "+line)
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	require.InDelta(t, scores[0].F, scores[1].F, 1e-12)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(150<<20))
}

// TestROUGEReturnsNoScoresWithAnError: a caller could read zeros beside an error as
// scores.
func TestROUGEReturnsNoScoresWithAnError(t *testing.T) {
	scores, err := must(NewROUGE(nil)).Score("a cat")
	require.Error(t, err)
	require.Nil(t, scores)
}
