package bm25

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
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

// TestEarlierVersionsAreRead: a file of an earlier version answers as the index that it is
// of, can be changed, and is written in the present version.
func TestEarlierVersionsAreRead(t *testing.T) {
	for v := uint32(1); v < version; v++ {
		path := filepath.Join("testdata", fmt.Sprintf("version%d.index", v))
		f, err := snapshot.Open(path, kind, v)
		require.NoError(t, err)
		f.Close()
		o := &Options{Phrases: true, K1: Fixed(.9), B: Fixed(.4)}
		y, err := New(o)
		require.NoError(t, err)
		require.NoError(t, y.Restore(path))
		x, err := New(o)
		require.NoError(t, err)
		for i, text := range []string{"How to rotate an API key", "The key of the API", "Refunds within 30 days", "Rotating keys: an api key is a secret", "Days of rotation"} {
			x.Add(10*i, text)
			require.True(t, y.Matches(10*i, text))
		}
		for range 2 {
			for _, q := range []string{`"api key" rotate`, "days", "secret keys", ""} {
				require.Equal(t, x.Search(q, 9), y.Search(q, 9))
			}
			for _, z := range []*Index{x, y} {
				require.True(t, z.Remove(30))
				z.Add(30, "a secret of the api key")
			}
		}
		again := filepath.Join(t.TempDir(), "x")
		require.NoError(t, y.Save(again))
		_, err = snapshot.Open(again, kind, version-1)
		require.ErrorIs(t, err, ErrVersion)
		z, err := Open(again, o)
		require.NoError(t, err)
		require.Equal(t, x.Search("api key", 9), z.Search("api key", 9))
		o.Boosts = map[string]float64{"title": 2}
		w, err := New(o)
		require.NoError(t, err)
		require.ErrorIs(t, w.Restore(path), ErrOption, "the file doesn't know its boosts")
	}
}

// TestBoostsAreStored: they are those of the file, and another index doesn't take it.
func TestBoostsAreStored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	o := &Options{Phrases: true, Boosts: map[string]float64{"title": 2.5, "tags": .1}}
	x, err := New(o)
	require.NoError(t, err)
	require.Equal(t, []string{"tags", "title"}, x.Fields())
	fields := []Field{{"title", "API keys"}, {"text", "keys of an API"}, {"tags", "safe"}}
	x.AddFields(1, fields...)
	x.Add(2, "keys")
	require.NoError(t, x.Save(path))
	y, err := Open(path, &Options{Boosts: map[string]float64{"other": 9}})
	require.NoError(t, err)
	require.Equal(t, x.Fields(), y.Fields())
	require.Equal(t, x.Search(`"api keys" safe`, 9), y.Search(`"api keys" safe`, 9))
	require.True(t, y.MatchesFields(1, fields...))
	require.False(t, y.MatchesFields(1, fields[1], fields[0], fields[2]), "the words are at other places")
	require.False(t, y.MatchesFields(1, fields[:2]...))
	require.False(t, y.Matches(1, "API keys keys of an API safe"))
	require.True(t, y.Matches(2, "keys"))
	for _, boosts := range []map[string]float64{nil, {}, {"title": 2.5}, {"title": 2.5, "tags": .2}, {"title": 2.5, "tags": .1, "more": 1}} {
		z, err := New(&Options{Phrases: true, Boosts: boosts})
		require.NoError(t, err)
		require.ErrorIs(t, z.Restore(path), ErrOption)
	}
	z, err := New(o)
	require.NoError(t, err)
	require.NoError(t, z.Restore(path))
	x, err = New(&Options{Boosts: map[string]float64{}}) // none
	require.NoError(t, err)
	require.NoError(t, x.Save(path))
	z, err = New(nil)
	require.NoError(t, err)
	require.NoError(t, z.Restore(path))
}

func TestRestore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	x, err := New(&Options{Analyze: Words})
	require.NoError(t, err)
	x.Add(1, "keys rotate")
	x.Add(2, "days")
	require.True(t, x.Matches(1, "rotate keys"))
	for _, text := range []string{"rotate", "rotate keys keys", "rotate days", ""} {
		require.False(t, x.Matches(1, text), text)
	}
	require.NoError(t, x.Save(path))
	require.ErrorIs(t, x.Restore(path), ErrOption, "it has documents")
	for _, o := range []*Options{{Phrases: true}, {Variant: ATIRE}, {B: Fixed(.1)}} {
		y, err := New(o)
		require.NoError(t, err)
		require.ErrorIs(t, y.Restore(path), ErrOption)
	}
	y, err := New(nil) // another analyzer
	require.NoError(t, err)
	require.ErrorIs(t, y.Restore(path+"x"), os.ErrNotExist)
	require.NoError(t, y.Restore(path))
	require.False(t, y.Matches(1, "keys rotate"), "it is of words without stems")
	require.True(t, y.Matches(2, "day") == y.Matches(2, "days"))
	require.False(t, y.Matches(3, "days"))
	y.Clear()
	require.Zero(t, y.Len())
	require.False(t, y.Contains("rotate"))
	y.Add(1, "days")
	require.Len(t, y.Search("days", 3), 1)
	y.Clear()
	require.NoError(t, y.Restore(path))
	require.NoError(t, os.Remove(path))
	require.Len(t, y.SearchTerms([]string{"rotate"}, 3), 1, "the file is still mapped")
}

// TestRestoreBesideSearches: a reader of a collection restores its words while searches
// run. Options that never change are read without the lock.
func TestRestoreBesideSearches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	x, err := New(nil)
	require.NoError(t, err)
	x.Add(1, "days")
	require.NoError(t, x.Save(path))
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 50 {
				x.Search("days", 1)
				x.Matches(1, "days")
			}
		})
	}
	for range 20 {
		x.Clear()
		require.NoError(t, x.Restore(path))
	}
	all.Wait()
	require.Len(t, x.Search("days", 1), 1)
}

// BenchmarkOpen opens an index of 50,000 documents, and builds it anew.
func BenchmarkOpen(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 8))
	var docs [][]string
	for range 50_000 {
		docs = append(docs, randomTerms(rng, 60))
	}
	build := func() *Index {
		x, err := New(nil)
		require.NoError(b, err)
		for id, d := range docs {
			x.AddTerms(id, d)
		}
		return x
	}
	path := filepath.Join(b.TempDir(), "x")
	require.NoError(b, build().Save(path))
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			_, err := Open(path, nil)
			require.NoError(b, err)
		}
	})
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			build()
		}
	})
}

// FuzzOpen gives Open intact files of wrong numbers: what opens can be searched and
// changed.
func FuzzOpen(f *testing.F) {
	for s := range boostSection + 1 {
		f.Add(uint8(s), uint16(1), uint32(7))
		f.Add(uint8(s), uint16(0), uint32(1<<31))
	}
	f.Fuzz(func(t *testing.T, section uint8, at uint16, value uint32) {
		path := filepath.Join(t.TempDir(), "x")
		x := randomIndex(t, rand.New(rand.NewPCG(1, 8)), 60, &Options{Phrases: true, Boosts: map[string]float64{"title": 2}})
		require.NoError(t, x.Save(path))
		file, err := snapshot.Open(path, kind, version)
		require.NoError(t, err)
		var sections [][]byte
		for s := range boostSection + 1 {
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
