package judge_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenPairwiseParse(t *testing.T) {
	type row struct{ Reply, Want string }
	golden.Rows(t, "eval", "judge_pairwise_parse.jsonl", func(r row) error {
		got := "parse_error"
		v, err := judge.ParseVerdict(r.Reply)
		if err == nil {
			got = v.String()
		} else if !errors.Is(err, judge.ErrParse) {
			return err
		}
		if got != r.Want {
			return fmt.Errorf("%q: got %s, want %s (%v)", r.Reply, got, r.Want, err)
		}
		return nil
	})
}

func TestGoldenRatingParse(t *testing.T) {
	type row struct {
		Reply    string
		Min, Max float64
		Want     any
	}
	golden.Rows(t, "eval", "judge_rating_parse.jsonl", func(r row) error {
		var got any = "parse_error"
		v, err := judge.ParseRating(r.Reply, judge.Range{Min: r.Min, Max: r.Max})
		if err == nil {
			got = v
		} else if !errors.Is(err, judge.ErrParse) {
			return err
		}
		if got != r.Want {
			return fmt.Errorf("%q: got %v, want %v (%v)", r.Reply, got, r.Want, err)
		}
		return nil
	})
}

// num is a number that may be the text "NaN".
type num float64

func (n *num) UnmarshalJSON(data []byte) error {
	v, err := strconv.ParseFloat(strings.Trim(string(data), `"`), 64)
	*n = num(v)
	return err
}

func near(name string, got float64, want num) error {
	if d := math.Abs(got - float64(want)); !(d <= 1e-9*math.Max(1, math.Abs(float64(want)))) {
		return fmt.Errorf("%s: got %v, want %v", name, got, want)
	}
	return nil
}

type ragasRow struct {
	Metric       string
	Verdicts     []int
	Score        num
	TP, FP, FN   int
	Beta         float64
	Similarity   float64
	Weights      []float64
	FBeta        num         `json:"f_beta"`
	Question     []float64   `json:"question_emb"`
	Generated    [][]float64 `json:"generated_emb"`
	Noncommittal []int
	ByContext    [][]int `json:"answer_supported_by_context"`
	RefByContext [][]int `json:"reference_supported_by_context"`
	ByReference  []int   `json:"answer_supported_by_reference"`
	Relevant     num
	Irrelevant   num
	RefEntities  []string `json:"reference_entities"`
	CtxEntities  []string `json:"context_entities"`
}

func bools(xs []int) []bool {
	out := make([]bool, len(xs))
	for i, x := range xs {
		out[i] = x != 0
	}
	return out
}

func matrix(xs [][]int) [][]bool {
	var out [][]bool
	for _, row := range xs {
		out = append(out, bools(row))
	}
	return out
}

func TestGoldenRAGAS(t *testing.T) {
	golden.Rows(t, "eval", "ragas_scores.jsonl", func(r ragasRow) error {
		switch r.Metric {
		case "context_precision":
			return near(r.Metric, judge.ContextPrecision(bools(r.Verdicts)), r.Score)
		case "faithfulness|context_recall":
			for _, f := range []func([]bool) (float64, error){judge.Faithfulness, judge.ContextRecall} {
				got, err := f(bools(r.Verdicts))
				if math.IsNaN(float64(r.Score)) {
					if !errors.Is(err, judge.ErrUndefined) {
						return fmt.Errorf("got %v, %v, want ErrUndefined", got, err)
					}
				} else if err := errors.Join(err, near(r.Metric, got, r.Score)); err != nil {
					return err
				}
			}
			return nil
		case "answer_correctness":
			f, err := judge.FactualCorrectness(judge.Claims{TruePositive: r.TP, FalsePositive: r.FP, FalseNegative: r.FN}, r.Beta)
			if err != nil {
				return err
			}
			got, err := judge.AnswerCorrectness(f, r.Similarity, judge.AnswerWeights{Facts: r.Weights[0], Similarity: r.Weights[1]})
			return errors.Join(err, near("f_beta", f, r.FBeta), near(r.Metric, got, r.Score))
		case "answer_relevancy":
			got, err := judge.AnswerRelevancy(r.Question, r.Generated, bools(r.Noncommittal))
			return errors.Join(err, near(r.Metric, got, r.Score))
		case "noise_sensitivity":
			rel, irr, err := judge.NoiseSensitivity(&judge.NoiseVerdicts{Answer: matrix(r.ByContext), Reference: matrix(r.RefByContext), Correct: bools(r.ByReference)})
			return errors.Join(err, near("relevant", rel, r.Relevant), near("irrelevant", irr, r.Irrelevant))
		case "context_entity_recall":
			return near(r.Metric, judge.ContextEntityRecall(r.RefEntities, r.CtxEntities), r.Score)
		}
		return fmt.Errorf("unknown metric %q", r.Metric)
	})
}

func TestGoldenDeepEval(t *testing.T) {
	type row struct {
		Metric            judge.DeepEvalMetric
		Verdicts          []string
		Strict            bool
		PenalizeAmbiguous bool `json:"penalize_ambiguous"`
		Score             num
	}
	golden.Rows(t, "eval", "deepeval_scores.jsonl", func(r row) error {
		got, err := judge.DeepEvalScore(r.Metric, r.Verdicts, &judge.DeepEvalOptions{Strict: r.Strict, PenalizeAmbiguous: r.PenalizeAmbiguous})
		return errors.Join(err, near(string(r.Metric), got, r.Score))
	})
}

func TestGoldenGEval(t *testing.T) {
	type row struct {
		RawScore int `json:"raw_score"`
		Tokens   []struct {
			Token string
			Top   []judge.Alternative
		}
		Weighted num
	}
	golden.Rows(t, "eval", "geval_weighted.jsonl", func(r row) error {
		var tokens []judge.Token
		for _, token := range r.Tokens {
			tokens = append(tokens, judge.Token{Token: token.Token, Top: token.Top})
		}
		got, _ := judge.WeightedScore(r.RawScore, tokens)
		return near("weighted", got, r.Weighted)
	})
}
