package tune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/retrieve/embed"
)

// ErrOption is wrapped by the error of [Train] for an option that cannot work, or a
// nil embedder.
var ErrOption = errors.New("tune: invalid option")

// ErrGroups is wrapped by the error of [Train] for groups from which nothing can be
// learned: fewer than two of them have a passage and a question with known words.
var ErrGroups = errors.New("tune: nothing can be learned from the groups")

// ErrDiverged is wrapped by the error of [Train] if the numbers grew without a limit.
// A smaller learning rate helps.
var ErrDiverged = errors.New("tune: the training diverged")

// A Group is texts that belong together: first the passage, then the questions that
// it answers. A text without any known word is left out, and so is a group without a
// passage or without questions.
type Group struct {
	Texts []string
}

// Options are the settings of [Train]. The zero value has the defaults.
type Options struct {
	// Epochs is how often each question is trained on. Default: 8.
	Epochs int
	// BatchSize is how many pairs are compared with one another in a step, from 2 to
	// 8,192. More pairs are more negatives. Default: 512.
	BatchSize int
	// LearningRate is how far a step changes a row's numbers, at most 1. The weights
	// of tokens change 20 times as fast, since each is one number. Default: 0.001.
	LearningRate float64
	// Dropout is the share of a text's tokens that each step leaves out, less than 1,
	// so that no text depends on one word. Negative: none. Default: 0.2.
	Dropout float64
	// Seed selects the order of the pairs, the dropout and the held-out questions. One
	// seed gives the same weights each time on one platform. Default: 0, which is a
	// seed too.
	Seed uint64
	// HeldOut is how many questions are kept out of the training, one of a group that
	// has two or more, to measure the model on. At most half of such groups give one.
	// Negative: none. Default: 200, at most a tenth of such groups.
	HeldOut int
	// Progress is called before the training, with number 0, and after each epoch.
	// Default: nil, not called.
	Progress func(Epoch)
}

// Figures say how well questions that were held out find their passage among the
// passages of all groups. With no question they are zero.
type Figures struct {
	Questions int
	RecallAt1 float64 // share of the questions whose passage comes first
	RecallAt5 float64 // share whose passage is among the first five
	MRR       float64 // mean of 1/rank of the passage
}

// An Epoch is the state of the training after all pairs were used once more.
type Epoch struct {
	Number  int     // from 1; 0: before the training
	Loss    float64 // mean InfoNCE of the epoch's batches; 0 before the training
	HeldOut Figures
}

// A Result is a tuned table, and what the training measured.
type Result struct {
	// Weights is a safetensors file with the rows of the tokens that were trained:
	// "ids" (I32, n), "embeddings" (I8, n x dimensions) and "scales" (F32, n).
	// embed.Embedder.Tuned reads it.
	Weights []byte
	Before  Figures // of the base
	After   Figures // of the rows in Weights, rounded as they are
	Epochs  []Epoch
	Tokens  int // rows in Weights
	Pairs   int // questions that were trained on
	Skipped int // groups that were left out
}

const (
	scale       = 20   // of cosines before the softmax: 1/temperature
	rowDecay    = 1e-3 // pulls rows back to the base's
	weightDecay = 1e-4 // pulls weights back to 1
	weightRate  = 20   // times the learning rate
)

// Train fits the rows of a static embedder to groups of texts, so that questions come
// near to their passage and away from others. It fails with an error that wraps
// [ErrOption], [ErrGroups], [ErrDiverged], embed.ErrModel for a base with rows that
// are not numbers, or ctx's error. base is not changed.
//
// Time is proportional to epochs x pairs x (tokens of a text + 3 x batch size) x
// dimensions. Two goroutines share it.
func Train(ctx context.Context, base *embed.Embedder, groups []Group, o *Options) (*Result, error) {
	opts, err := o.checked()
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, fmt.Errorf("%w: the embedder is nil", ErrOption)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("tune: %w", err)
	}
	t, texts, skipped, err := read(ctx, base, groups)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(opts.Seed, 0x7475_6e65))
	held := holdOut(texts, opts.HeldOut, rng)
	pairs, trainable := pairsOf(texts)
	if trainable < 2 {
		return nil, fmt.Errorf("%w: %d of %d groups have a passage and a question to train on, want 2", ErrGroups, trainable, len(groups))
	}
	r := &Result{Pairs: len(pairs), Skipped: skipped}
	r.Before = t.figures(texts, held)
	report := func(e Epoch) {
		r.Epochs = append(r.Epochs, e)
		if opts.Progress != nil {
			opts.Progress(e)
		}
	}
	report(Epoch{HeldOut: r.Before})
	s := newTrainer(t, opts, rng)
	for epoch := range opts.Epochs {
		loss, err := s.epoch(ctx, texts, pairs)
		if err != nil {
			return nil, err
		}
		report(Epoch{Number: epoch + 1, Loss: loss, HeldOut: t.figures(texts, held)})
	}
	t.markTrained(texts)
	q, err := t.quantize()
	if err != nil {
		return nil, err
	}
	r.Weights, r.Tokens = q.file(), len(q.ids)
	t.use(q)
	r.After = t.figures(texts, held)
	return r, nil
}

// checked returns the options with their defaults.
func (o *Options) checked() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	switch {
	case c.Epochs < 0:
		return c, fmt.Errorf("%w: Epochs is %d, want 0 or more", ErrOption, c.Epochs)
	case c.BatchSize != 0 && (c.BatchSize < 2 || c.BatchSize > 8192):
		return c, fmt.Errorf("%w: BatchSize is %d, want 2 to 8192", ErrOption, c.BatchSize)
	case !(c.LearningRate >= 0 && c.LearningRate <= 1):
		return c, fmt.Errorf("%w: LearningRate is %v, want 0 to 1", ErrOption, c.LearningRate)
	case !(c.Dropout < 1):
		return c, fmt.Errorf("%w: Dropout is %v, want less than 1", ErrOption, c.Dropout)
	}
	if c.Epochs == 0 {
		c.Epochs = 8
	}
	if c.BatchSize == 0 {
		c.BatchSize = 512
	}
	if c.LearningRate == 0 {
		c.LearningRate = 1e-3
	}
	if c.Dropout == 0 {
		c.Dropout = 0.2
	}
	c.Dropout = math.Max(c.Dropout, 0)
	return c, nil
}

// A pair is a question and the group that it belongs to.
type pair struct{ group, question int }

// holdOut takes a question out of some groups and returns these questions. n is the
// option.
func holdOut(texts []group, n int, rng *rand.Rand) []heldOut {
	var can []int
	for i, g := range texts {
		if len(g.questions) >= 2 {
			can = append(can, i)
		}
	}
	if n == 0 {
		n = min(200, len(can)/10)
	}
	n = min(n, len(can)/2)
	var out []heldOut
	for _, at := range rng.Perm(len(can))[:max(n, 0)] {
		g := &texts[can[at]]
		i := rng.IntN(len(g.questions))
		out = append(out, heldOut{can[at], g.questions[i]})
		g.questions = append(g.questions[:i:i], g.questions[i+1:]...)
	}
	return out
}

// pairsOf returns the questions to train on, and the number of groups they are from.
func pairsOf(texts []group) (pairs []pair, groups int) {
	for i, g := range texts {
		for j := range g.questions {
			pairs = append(pairs, pair{i, j})
		}
		groups += min(1, len(g.questions))
	}
	return pairs, groups
}
