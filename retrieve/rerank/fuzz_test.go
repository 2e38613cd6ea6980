package rerank

import (
	"errors"
	"slices"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func FuzzHTTPAnswer(f *testing.F) {
	f.Add(byte(0), []byte(`{"results":[{"index":1,"relevance_score":0.5},{"index":0,"relevance_score":-1e308}]}`))
	f.Add(byte(2), []byte(`[{"index":1,"score":0.5}]`))
	f.Add(byte(3), []byte(`{"data":[{"index":0,"score":1}]}`))
	f.Fuzz(func(t *testing.T, wire byte, answer []byte) {
		h := &HTTP{o: HTTPOptions{Wire: Wire(wire % 4)}}
		ranked, err := h.read(answer, 3)
		if err != nil {
			if !errors.Is(err, ErrRanking) {
				t.Fatalf("%v is not ErrRanking", err)
			}
			return
		}
		if err := check(ranked, 3); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzModelAnswers(f *testing.F) {
	f.Add("[3] > [1] > [1] > [99999999999]")
	f.Add("A")
	f.Add("7.5 of 10")
	f.Fuzz(func(t *testing.T, answer string) {
		s := &modeltest.Script{Answer: func(modeltest.Call) (modeltest.Turn, bool) {
			return modeltest.Turn{Choices: []*llms.ContentChoice{{Content: answer, StopReason: "stop"}}}, true
		}}
		texts := []string{"a", "b", "c"}
		listwise, _ := NewListwise(s, &ModelOptions{Window: 2})
		pairwise, _ := NewPairwise(s, nil)
		pointwise, _ := NewPointwise(s, nil)
		for _, r := range []Ranker{listwise, pairwise, pointwise} {
			ranked, err := r.Rank(t.Context(), "q", texts)
			if err != nil {
				if !errors.Is(err, ErrRanking) {
					t.Fatalf("%T: %v is not ErrRanking", r, err)
				}
				continue
			}
			var indexes []int
			for _, x := range ranked {
				indexes = append(indexes, x.Index)
			}
			slices.Sort(indexes)
			if !slices.Equal(indexes, []int{0, 1, 2}) {
				t.Fatalf("%T: %v", r, ranked)
			}
		}
	})
}
