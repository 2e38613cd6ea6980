package rerank

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenMMR(t *testing.T) {
	golden.Rows(t, "retrieve", "mmr.jsonl", func(row struct {
		Query         []float64
		Embeddings    [][]float64
		K             int
		Lambda        float64
		Want          []int
		SameDirection [][]int `json:"same_direction"`
	}) error {
		got, err := MMR(row.Query, row.Embeddings, row.K, row.Lambda)
		if row.Want == nil {
			if err == nil {
				return fmt.Errorf("got %v, want an error", got)
			}
			return nil
		}
		if err != nil {
			return err
		}
		first := func(indexes []int) []int {
			out := slices.Clone(indexes)
			for i, x := range out {
				for _, group := range row.SameDirection {
					if slices.Contains(group, x) {
						out[i] = group[0]
					}
				}
			}
			return out
		}
		if !slices.Equal(first(got), first(row.Want)) {
			return fmt.Errorf("got %v, want %v", got, row.Want)
		}
		return nil
	})
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-8*max(1, math.Abs(want)) }

func TestGoldenMaxSim(t *testing.T) {
	golden.Rows(t, "retrieve", "maxsim.jsonl", func(row struct {
		Query  [][]float64
		Docs   [][][]float64
		IP     []float64 `json:"maxsim_ip"`
		Cosine []float64 `json:"maxsim_cosine"`
	}) error {
		for i, doc := range row.Docs {
			ip, err := MaxSim(row.Query, doc, SimilarityDot)
			if err != nil || !near(ip, row.IP[i]) {
				return fmt.Errorf("document %d: inner product %v, %v, want %v", i, ip, err, row.IP[i])
			}
			cosine, err := MaxSim(row.Query, doc, SimilarityCosine)
			if err != nil || !near(cosine, row.Cosine[i]) {
				return fmt.Errorf("document %d: cosine %v, %v, want %v", i, cosine, err, row.Cosine[i])
			}
		}
		return nil
	})
}

func TestGoldenReorder(t *testing.T) {
	golden.Rows(t, "retrieve", "reorder.jsonl", func(row struct{ In, Want []int }) error {
		if got := Ends(row.In); !slices.Equal(got, row.Want) {
			return fmt.Errorf("got %v, want %v", got, row.Want)
		}
		return nil
	})
}

func TestGoldenSparseDot(t *testing.T) {
	golden.Rows(t, "retrieve", "sparse_dot.jsonl", func(row struct {
		Query  map[string]float64
		Docs   []map[string]float64
		Scores []float64
	}) error {
		for i, doc := range row.Docs {
			if got := SparseDot(row.Query, doc); !near(got, row.Scores[i]) {
				return fmt.Errorf("document %d: got %v, want %v", i, got, row.Scores[i])
			}
		}
		return nil
	})
}
