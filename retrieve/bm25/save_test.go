package bm25

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
)

// TestWhatIsSavedAnswersAsBefore, to the last bit, and can be changed.
func TestWhatIsSavedAnswersAsBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	rng := rand.New(rand.NewPCG(1, 8))
	for variant := Lucene; variant <= Dot; variant++ {
		o := &Options{Variant: variant, Phrases: variant%2 == 0, B: Fixed(.4), K1: Fixed(.9)}
		x := randomIndex(t, rng, 700, o)
		require.NoError(t, x.Save(path))
		y, err := Open(path, nil)
		require.NoError(t, err)
		same := func() {
			require.Equal(t, x.Len(), y.Len())
			for range 20 {
				terms, phrases := randomTerms(rng, 3), [][]string{{"t1", "t2"}}
				require.Equal(t, x.search(terms, phrases, 20, nil), y.search(terms, phrases, 20, nil))
				require.Equal(t, y.plain(terms, phrases, 20, nil), y.search(terms, phrases, 20, nil))
				require.Equal(t, x.Scores(terms), y.Scores(terms))
			}
		}
		same()
		for i := range 500 {
			terms := randomTerms(rng, 5)
			x.AddTerms(i*3, terms)
			y.AddTerms(i*3, terms)
			require.Equal(t, x.Remove(i), y.Remove(i))
		}
		same()
	}
	empty, err := New(nil)
	require.NoError(t, err)
	require.NoError(t, empty.Save(path))
	y, err := Open(path, nil)
	require.NoError(t, err)
	require.Empty(t, y.Search("word", 3))
	y.Add(1, "a word")
	require.Len(t, y.Search("word", 3), 1)
}

func TestADamagedFileIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	x := randomIndex(t, rand.New(rand.NewPCG(1, 8)), 60, nil)
	require.NoError(t, x.Save(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := 0; n < len(data)-64; n += 61 {
		require.NoError(t, os.WriteFile(path, data[:n], 0o644))
		_, err := Open(path, nil)
		require.ErrorIs(t, err, ErrFormat)
	}
	_, err = Open(path+"x", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// FuzzOpen gives Open intact files of wrong numbers: what opens can be searched and
// changed.
func FuzzOpen(f *testing.F) {
	for s := range placeSection + 1 {
		f.Add(uint8(s), uint16(1), uint32(7))
		f.Add(uint8(s), uint16(0), uint32(1<<31))
	}
	f.Fuzz(func(t *testing.T, section uint8, at uint16, value uint32) {
		path := filepath.Join(t.TempDir(), "x")
		x := randomIndex(t, rand.New(rand.NewPCG(1, 8)), 60, &Options{Phrases: true})
		require.NoError(t, x.Save(path))
		file, err := snapshot.Open(path, kind, version)
		require.NoError(t, err)
		var sections [][]byte
		for s := range placeSection + 1 {
			b, err := snapshot.All[uint8](file, s)
			require.NoError(t, err)
			sections = append(sections, append([]byte(nil), b...))
		}
		s := sections[int(section)%len(sections)]
		copy(s[int(at)%(len(s)/4)*4:], snapshot.Bytes([]uint32{value}))
		require.NoError(t, snapshot.Save(path, kind, version, sections...))
		y, err := Open(path, nil)
		if err != nil {
			require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrOption), "%v", err)
			return
		}
		y.search([]string{"t1", "t2"}, [][]string{{"t1", "t2"}}, 5, nil)
		for id := range 60 {
			y.Remove(id)
		}
		y.AddTerms(1, []string{"t1"})
		y.SearchTerms([]string{"t1"}, 3)
	})
}
