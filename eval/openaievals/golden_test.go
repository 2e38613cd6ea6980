package openaievals_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/prodailabs/prodai/eval/openaievals"
	"github.com/prodailabs/prodai/internal/golden"
)

// texts is one text or a list of them.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

func TestGoldenMatch(t *testing.T) {
	type row struct {
		Sampled            string
		Ideal              texts
		Match              bool
		MatchPicked        *string `json:"match_picked"`
		Includes           bool
		IncludesIgnoreCase bool `json:"includes_ignore_case"`
		Fuzzy              bool
		F1                 float64
	}
	golden.Rows(t, "eval", "openai_evals_match.jsonl", func(r row) error {
		picked, ok := openaievals.Match(r.Sampled, r.Ideal...)
		fuzzy := false
		for _, i := range r.Ideal {
			fuzzy = fuzzy || openaievals.FuzzyMatch(r.Sampled, i)
		}
		switch {
		case ok != r.Match || ok && picked != *r.MatchPicked:
			return fmt.Errorf("match %v %q", ok, picked)
		case openaievals.Includes(r.Sampled, nil, r.Ideal...) != r.Includes:
			return fmt.Errorf("includes: want %v", r.Includes)
		case openaievals.Includes(r.Sampled, &openaievals.IncludesOptions{IgnoreCase: true}, r.Ideal...) != r.IncludesIgnoreCase:
			return fmt.Errorf("includes without case: want %v", r.IncludesIgnoreCase)
		case fuzzy != r.Fuzzy:
			return fmt.Errorf("fuzzy: want %v", r.Fuzzy)
		case math.Abs(openaievals.F1(r.Sampled, r.Ideal...)-r.F1) > 1e-9:
			return fmt.Errorf("F1: want %v", r.F1)
		}
		return nil
	})
}

func TestGoldenJSON(t *testing.T) {
	type row struct {
		Sampled string
		Ideal   texts
		Match   bool
	}
	golden.Rows(t, "eval", "openai_evals_json.jsonl", func(r row) error {
		got := false
		for _, i := range r.Ideal {
			ok, err := openaievals.JSONMatch(r.Sampled, i)
			if err != nil {
				return err
			}
			got = got || ok
		}
		if got != r.Match {
			return fmt.Errorf("%q and %q: got %v", r.Sampled, r.Ideal, got)
		}
		return nil
	})
}

func TestGoldenChoice(t *testing.T) {
	type row struct {
		Text     string
		EvalType string                  `json:"eval_type"`
		Match    openaievals.ChoiceMatch `json:"match_fn"`
		Choices  []string
		Scores   any `json:"choice_scores"`
		Choice   string
		Score    *float64
	}
	golden.Rows(t, "eval", "openai_evals_choice.jsonl", func(r row) error {
		scores := map[string]float64{}
		switch s := r.Scores.(type) {
		case string:
			for _, c := range r.Choices {
				v, err := strconv.ParseFloat(c, 64)
				if err != nil {
					return err
				}
				scores[c] = v
			}
		case map[string]any:
			for c, v := range s {
				scores[c] = v.(float64)
			}
		}
		choice := openaievals.Choice(r.Text, r.EvalType, r.Match, r.Choices)
		score, ok := openaievals.ChoiceScore(choice, scores)
		if choice != r.Choice || ok != (r.Score != nil) || ok && score != *r.Score {
			return fmt.Errorf("%q: got %q %v %v, want %q", r.Text, choice, score, ok, r.Choice)
		}
		return nil
	})
}
