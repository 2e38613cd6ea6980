package judge

import (
	"fmt"
	"strings"
)

// A DeepEvalMetric names a metric of DeepEval that is a ratio of verdicts.
type DeepEvalMetric string

// DeepEval's metrics, by its own names.
const (
	DeepEvalMetricFaithfulness        DeepEvalMetric = "faithfulness"
	DeepEvalMetricAnswerRelevancy     DeepEvalMetric = "answer_relevancy"
	DeepEvalMetricContextualPrecision DeepEvalMetric = "contextual_precision"
	DeepEvalMetricContextualRecall    DeepEvalMetric = "contextual_recall"
	DeepEvalMetricHallucination       DeepEvalMetric = "hallucination"
	DeepEvalMetricToxicity            DeepEvalMetric = "toxicity"
	DeepEvalMetricBias                DeepEvalMetric = "bias"
)

// DeepEvalOptions are the settings of [DeepEvalScore].
type DeepEvalOptions struct {
	// PenalizeAmbiguous counts a borderline verdict as failed. Default: false, as
	// in DeepEval.
	PenalizeAmbiguous bool
	// Strict returns 0 for each score below 1. Default: false.
	Strict bool
}

// DeepEvalScore returns DeepEval's score of a judge's verdicts, as version 4.3.1
// computes it. A verdict is the first letters of a word in any case; "idk" means
// borderline. A word that the metric doesn't know is dropped, and so is a verdict
// that can't be read: a judge that answers nonsense on bad claims scores high.
//
//	faithfulness, answer_relevancy     yes and borderline / verdicts
//	contextual_recall, hallucination   yes / verdicts
//	toxicity, bias                     no / verdicts
//	contextual_precision               mean precision@k at each yes
//
// Without a verdict the score is 1, and 0 for the two contextual metrics. Higher is
// better for all of them in this version.
func DeepEvalScore(metric DeepEvalMetric, verdicts []string, o *DeepEvalOptions) (float64, error) {
	if o == nil {
		o = &DeepEvalOptions{}
	}
	borderline, passes, empty := false, "yes", 1.0
	switch metric {
	case DeepEvalMetricFaithfulness, DeepEvalMetricAnswerRelevancy:
		borderline = true
	case DeepEvalMetricContextualPrecision, DeepEvalMetricContextualRecall:
		empty = 0
	case DeepEvalMetricHallucination:
	case DeepEvalMetricToxicity, DeepEvalMetricBias:
		passes = "no"
	default:
		return 0, fmt.Errorf("%w: the metric %q is unknown: want one of the constants DeepEvalMetric…", ErrOption, metric)
	}
	var kept []bool
	passing := 0
	for _, v := range verdicts {
		word := deepEvalWord(v)
		if word != "yes" && word != "no" && !(borderline && word == "borderline") {
			continue
		}
		ok := word == passes || word == "borderline" && !o.PenalizeAmbiguous
		kept = append(kept, ok)
		if ok {
			passing++
		}
	}
	score := empty
	switch {
	case len(kept) == 0:
	case metric == DeepEvalMetricContextualPrecision:
		score = 0
		if passing > 0 {
			hits := 0.0
			for k, ok := range kept {
				if ok {
					hits++
					score += hits / float64(k+1)
				}
			}
			score /= hits
		}
	default:
		score = float64(passing) / float64(len(kept))
	}
	if o.Strict && score < 1 {
		score = 0
	}
	return score, nil
}

func deepEvalWord(verdict string) string {
	word := strings.ToLower(strings.TrimSpace(verdict))
	if end := strings.IndexFunc(word, func(r rune) bool { return r < 'a' || r > 'z' }); end >= 0 {
		word = word[:end]
	}
	if word == "idk" {
		word = "borderline"
	}
	return word
}
