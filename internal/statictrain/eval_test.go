package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnswers: 1/rank of the right passage among the first ten.
func TestAnswers(t *testing.T) {
	pairs := make([]pair, 20)
	s := answers("x", pairs)
	x, err := s.score(t.Context(), func(_ context.Context, questions, _ []string) ([][]int, error) {
		out := make([][]int, len(questions))
		out[0], out[1], out[2] = []int{0}, []int{5, 1}, []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2}
		return out, nil
	})
	require.NoError(t, err)
	require.Equal(t, []float64{1, .5, 0}, x[:3])
}

func TestNDCG(t *testing.T) {
	ids := []string{"a", "b", "c"}
	gains := map[string]float64{"a": 3, "b": 1, "elsewhere": 0}
	require.InDelta(t, 1, ndcg([]int{0, 1, 2}, ids, gains), 1e-12)
	require.InDelta(t, (1+3/1.584962500721156)/(3+1/1.584962500721156), ndcg([]int{1, 0}, ids, gains), 1e-12)
	require.Zero(t, ndcg([]int{0}, ids, map[string]float64{"a": 0}))
}

// TestFusions: each fusion keeps a passage first that both rankings have first, and the
// more the vectors weigh, the further is what only they find ahead of what only words find.
func TestFusions(t *testing.T) {
	near, words := ranking{{ID: 1, Score: .9}, {ID: 2, Score: .8}, {ID: 3, Score: .1}}, ranking{{ID: 1, Score: 9}, {ID: 4, Score: 8}, {ID: 5, Score: 1}}
	ahead := map[string]float64{}
	for _, f := range fusions() {
		got := f.fuse(near, words)
		require.Len(t, got, 5, f.name)
		require.Equal(t, 1, got[0].ID, f.name)
		scores := map[int]float64{}
		for _, p := range got {
			scores[p.ID] = p.Score
		}
		kind := f.name[:strings.LastIndexByte(f.name, ' ')]
		if before, ok := ahead[kind]; ok {
			require.Greater(t, scores[2]-scores[4], before, f.name)
		}
		ahead[kind] = scores[2] - scores[4]
	}
	require.Len(t, ahead, 4)
	var out bytes.Buffer
	s := answers("words", []pair{{A: "river", B: "the river of all"}, {A: "stone", B: "the stone of all"}})
	require.NoError(t, compareFusions(t.Context(), &out, []set{s}, []system{{"random rows", smallTable(t, 32).vectors}}))
	require.Contains(t, out.String(), "DBSF 0.3")
	require.Equal(t, len(fusions())+1, strings.Count(out.String(), "\n"))
}

// TestOnlyTheGivenCollections: with -only no other set is measured, and the collections are
// the mean.
func TestOnlyTheGivenCollections(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "small")
	require.NoError(t, os.Mkdir(folder, 0o700))
	for name, text := range map[string]string{
		"corpus.jsonl":  `{"_id": "a", "text": "the river floods the valley"}` + "\n" + `{"_id": "b", "text": "a key of the door"}` + "\n",
		"queries.jsonl": `{"_id": "q", "text": "which river floods?"}` + "\n",
		"qrels.tsv":     "query-id\tcorpus-id\tscore\nq\ta\t1\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	var out bytes.Buffer
	require.NoError(t, evalCommand(t.Context(), []string{"-only", "-more", folder}, &out))
	require.Contains(t, out.String(), "small (1)")
	require.NotContains(t, out.String(), "chunkeval")
	require.Regexp(t, `(?m)^shipped +1\.000 +1\.000 `, out.String())
}

// TestCourseNotes: the questions of this library's notes are read, without their
// questions in the answers.
func TestCourseNotes(t *testing.T) {
	notes, err := courseNotes(filepath.Join("..", "..", "retrieve", "embed"))
	require.NoError(t, err)
	var found pair
	for _, p := range notes {
		if p.A == "What is an embedding in simple words?" {
			found = p
		}
	}
	require.Contains(t, found.B, "coordinates of meaning")
	require.NotContains(t, found.B, "simple words")
	_, err = courseNotes(t.TempDir())
	require.Error(t, err)
}

// TestWeightedCountsSetsAlike: a set of one question counts as much as one of three.
func TestWeightedCountsSetsAlike(t *testing.T) {
	w := weighted([][]float64{{1}, {.1, .2, .3}})
	mean := 0.0
	for _, x := range w {
		mean += x / float64(len(w))
	}
	require.InDelta(t, (1+.2)/2, mean, 1e-12)
}

func TestDifferencePrintsThreeDigits(t *testing.T) {
	require.Equal(t, "-.100..-.100", difference([]float64{-.1, -.1, -.1}))
	require.Equal(t, "+1.000..+1.000", difference([]float64{1, 1}))
}

// TestCompare: a better model than the first has an interval above zero, and BM25 is there.
func TestCompare(t *testing.T) {
	var pairs []pair
	for _, w := range []string{"river", "stone", "engine", "garden", "winter", "copper", "planet", "market"} {
		pairs = append(pairs, pair{A: w, B: "the " + w + " of all"})
	}
	nothing := func(texts []string) ([][]float32, error) {
		out := make([][]float32, len(texts))
		for i := range out {
			out[i] = []float32{0}
		}
		return out, nil
	}
	var out bytes.Buffer
	list := []system{{"zero", nothing}, {"random rows", smallTable(t, 32).vectors}}
	known := answers("known", pairs)
	known.seen = true
	require.NoError(t, compare(t.Context(), &out, []set{answers("words", pairs), known}, list))
	require.Contains(t, out.String(), "known* (8)")
	require.Contains(t, out.String(), "BM25")
	require.Regexp(t, `random rows +1\.000 +1\.000 +1\.000 +\+\.\d+\.\.\+\.\d+`, out.String())
}

// TestPeersFile: vectors of other programs are found by their texts.
func TestPeersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "peer.f32")
	require.NoError(t, writeFile(path, appendFloats(nil, []float32{1, 0, 0, 1})))
	v, err := readVectors(path, []string{"a", "b"})
	require.NoError(t, err)
	got, err := v([]string{"b", "a"})
	require.NoError(t, err)
	require.Equal(t, [][]float32{{0, 1}, {1, 0}}, got)
	_, err = v([]string{"c"})
	require.Error(t, err)
	_, err = readVectors(path, []string{"a", "b", "c"})
	require.Error(t, err)
}
