package eval

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

type retrievalRow struct {
	Kind           string
	Qrels          map[string]map[string]int
	Run            map[string]map[string]float64
	TrecEval       map[string]map[string]float64 `json:"trec_eval"`
	TrecEvalLevel2 map[string]map[string]float64 `json:"trec_eval_level2"`
	Ranx           map[string]float64
	Sklearn        map[string]struct {
		Docs       []string
		Ties       float64 `json:"ndcg_tie_averaged"`
		Ties5      float64 `json:"ndcg5_tie_averaged"`
		IgnoreTies float64 `json:"ndcg_ignore_ties"`
	}
}

func list(run map[string]float64) []Retrieved {
	var out []Retrieved
	for _, id := range slices.Sorted(maps.Keys(run)) {
		out = append(out, Retrieved{id, run[id]})
	}
	return out
}

// trecMeasure returns the measure that trec_eval calls by this name.
func trecMeasure(r *Ranking, name string) (float64, bool) {
	k := 0
	if i := strings.LastIndexByte(name, '_'); i > 0 {
		k, _ = strconv.Atoi(name[i+1:])
	}
	switch {
	case name == "num_ret":
		return float64(len(r.Grades)), true
	case name == "num_rel":
		return float64(r.Relevant()), true
	case name == "num_rel_ret":
		return float64(r.Hits(0)), true
	case name == "map", strings.HasPrefix(name, "map_cut_"):
		return r.AveragePrecision(k), true
	case name == "gm_map":
		return math.Log(max(r.AveragePrecision(0), 1e-5)), true
	case name == "Rprec":
		return r.RPrecision(), true
	case name == "bpref":
		return r.BPref(), true
	case name == "recip_rank":
		return r.ReciprocalRank(0), true
	case name == "infAP":
		return r.InfAP(), true
	case name == "11pt_avg":
		return r.ElevenPoint(), true
	case name == "ndcg", strings.HasPrefix(name, "ndcg_cut_"):
		return r.NDCG(k), true
	case strings.HasPrefix(name, "P_"):
		return r.Precision(k), true
	case strings.HasPrefix(name, "recall_"):
		return r.Recall(k), true
	case strings.HasPrefix(name, "success_"):
		return r.HitRate(k), true
	case strings.HasPrefix(name, "iprec_at_recall_"):
		recall, err := strconv.ParseFloat(strings.TrimPrefix(name, "iprec_at_recall_"), 64)
		return r.InterpolatedPrecision(recall), err == nil
	case name == "set_P":
		return r.Precision(0), true
	case name == "set_recall":
		return r.Recall(0), true
	case name == "set_map":
		return r.Precision(0) * r.Recall(0), true
	case name == "set_F":
		return r.F1(0), true
	}
	return 0, false
}

func TestGoldenRetrieval(t *testing.T) {
	golden.Rows(t, "eval", "retrieval.jsonl", func(row retrievalRow) error {
		for level, measures := range map[int]map[string]map[string]float64{1: row.TrecEval, 2: row.TrecEvalLevel2} {
			for q, want := range measures {
				r, err := Rank(row.Qrels[q], list(row.Run[q]), level)
				if err != nil {
					return err
				}
				for name, w := range want {
					got, ok := trecMeasure(r, name)
					if !ok {
						return fmt.Errorf("no measure %s", name)
					}
					if err := near(fmt.Sprintf("%s level %d %s", q, level, name), got, w); err != nil {
						return err
					}
				}
			}
		}
		for q, want := range row.Sklearn {
			var docs []Retrieved
			for _, id := range want.Docs {
				docs = append(docs, Retrieved{id, row.Run[q][id]})
			}
			r, err := Rank(row.Qrels[q], docs, 1)
			if err != nil {
				return err
			}
			if err := first(near(q+" ties", r.NDCGTies(0), want.Ties), near(q+" ties5", r.NDCGTies(5), want.Ties5)); err != nil {
				return err
			}
		}
		return checkRanx(row)
	})
}

// checkRanx compares the means of the metrics with those of ranx, which drops
// queries without a relevant document.
func checkRanx(row retrievalRow) error {
	names := map[string]string{"hit_rate@5": "hit@5"}
	for name, want := range row.Ranx {
		if name == "hits@5" {
			continue // a count, not a rate
		}
		our := name
		if n, ok := names[name]; ok {
			our = n
		}
		m, err := NewRetrieval(our, nil)
		if err != nil {
			return err
		}
		table := must(NewTable(m))
		for q, judged := range row.Qrels {
			if r, err := Rank(judged, nil, 1); err != nil || r.Relevant() == 0 {
				continue
			}
			if err := table.Add(context.Background(), &Case{Relevant: judged}, &Output{Retrieved: list(row.Run[q])}); err != nil {
				return err
			}
		}
		got, err := table.Score()
		if err != nil {
			return err
		}
		if err := near("ranx "+name, got.Value, want); err != nil {
			return err
		}
	}
	return nil
}
