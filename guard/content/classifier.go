package content

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/model"
)

// The weights of the classifier, as internal/train writes them: see MODEL.md.
//
//go:embed toxic.bin
var toxicWeights string

// ClassifierOptions configure [NewClassifier].
type ClassifierOptions struct {
	// Weights are those of the classifier, as internal/train writes them. Default: the
	// embedded ones.
	Weights string
}

// NewClassifier returns a classifier of toxicity in English sentences, for
// [ToxicOptions].Classify: logistic regression over words, their pairs and triples, and
// runs of characters, trained on public comments. Its score is .5 where training put the
// threshold. A sentence with quotation marks, or about a word, has half of the score.
//
// On posts of a source that no training has seen it finds about four times as many toxic
// ones as the list alone, and flags about 5 % of the harmless ones. Complaints are among
// them ("Your service is terrible."), and sentences that reclaim a slur. So flag by it, and
// don't block. MODEL.md has the figures, by kind and with the names of groups. Weights of
// another version are an error that wraps [ErrOption]. The function is safe for concurrent
// use; make it once and keep it.
func NewClassifier(o *ClassifierOptions) (func(ctx context.Context, sentence string) (float64, error), error) {
	if o == nil {
		o = &ClassifierOptions{}
	}
	w, err := model.Load(cmp.Or(o.Weights, toxicWeights))
	if err != nil {
		return nil, fmt.Errorf("%w: Weights: %w", ErrOption, err)
	}
	extract := model.New(injection.Normalize)
	return func(ctx context.Context, sentence string) (float64, error) {
		text := injection.Normalize(sentence)
		z, _, _ := w.Score(extract, text, extract.Tokens(text))
		score := 1 / (1 + math.Exp(float64(w.Threshold)-z))
		if aboutIt.MatchString(sentence) {
			score /= 2 // it was trained on sentences that insult, and few that quote an insult
		}
		return score, ctx.Err()
	}, nil
}
