package rerank

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range and for a
	// required argument that is nil.
	ErrOption = errors.New("rerank: invalid option")
	// ErrRanking is wrapped by the errors for a ranking that makes no sense: an index that
	// doesn't exist or appears twice, a score that is not a number, an answer of a model
	// without a ranking.
	ErrRanking = errors.New("rerank: bad ranking")
)

// A Ranked is a text's place in a ranking.
type Ranked struct {
	Index int // of the text
	Score float64
}

// A Ranker orders texts by how well they answer a question, best first. It may leave some
// out, and must be safe for concurrent use. [Scorer], [HTTP], [Late], [Pointwise],
// [Pairwise] and [Listwise] are ones.
type Ranker interface {
	Rank(ctx context.Context, question string, texts []string) ([]Ranked, error)
}

// A Scorer is a cross-encoder: it reads the question together with each text and returns
// one score for each, a larger one for a better answer, on any scale. Return logits, and
// not their sigmoid in low precision: good candidates would all have the score 1.
type Scorer func(ctx context.Context, question string, texts []string) ([]float64, error)

// Rank sorts the texts by their scores, ties by the order of the texts. A number of scores
// other than that of the texts is [ErrRanking].
func (s Scorer) Rank(ctx context.Context, question string, texts []string) ([]Ranked, error) {
	scores, err := s(ctx, question, texts)
	if err != nil {
		return nil, err
	}
	if len(scores) != len(texts) {
		return nil, fmt.Errorf("%w: %d scores for %d texts", ErrRanking, len(scores), len(texts))
	}
	return byScore(scores)
}

// byScore returns the ranking of scores.
func byScore(scores []float64) ([]Ranked, error) {
	out := make([]Ranked, len(scores))
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("%w: the score of text %d is not a number", ErrRanking, i)
		}
		out[i] = Ranked{i, s}
	}
	slices.SortStableFunc(out, func(a, b Ranked) int { return cmp.Compare(b.Score, a.Score) })
	return out, nil
}

// Options configure a [Reranker].
type Options struct {
	// K is how many passages are returned at most. Default: 5.
	K int

	// Candidates is how many passages, the first of those given, the ranker sees. The
	// others follow in their old order. Default: 50.
	Candidates int

	// Tokens counts the tokens of a text as the ranker's model does. Default: one token
	// for four bytes.
	Tokens func(text string) int

	// PassageTokens is how much of a passage the ranker sees: one very long passage must
	// not make the call fail for all. The question is never cut, and the passages
	// returned are whole. Default: 2,048.
	PassageTokens int

	// Budget is how long the ranker may take. After it the passages are returned in their
	// old order. Default: 5 seconds.
	Budget time.Duration

	// Logger receives retrieve.fallback. Default: it is discarded.
	Logger *slog.Logger
}

// A Reranker sorts passages by a [Ranker] and keeps the best. If the ranker fails or takes
// too long, the passages keep their order: a worse answer is better than none. It is safe
// for concurrent use if the ranker is.
type Reranker struct {
	ranker Ranker
	o      Options
}

// New returns a Reranker; nil options mean the defaults. It fails with [ErrOption].
func New(r Ranker, o *Options) (*Reranker, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the ranker of New is nil", ErrOption)
	}
	x := &Reranker{ranker: r}
	if o != nil {
		x.o = *o
	}
	for _, f := range []struct {
		name  string
		value *int
		byDef int
	}{{"K", &x.o.K, 5}, {"Candidates", &x.o.Candidates, 50}, {"PassageTokens", &x.o.PassageTokens, 2048}} {
		if *f.value < 0 {
			return nil, fmt.Errorf("%w: Options.%s is %d: want 0 (the default, %d) or more", ErrOption, f.name, *f.value, f.byDef)
		}
		*f.value = cmp.Or(*f.value, f.byDef)
	}
	if x.o.Budget < 0 {
		return nil, fmt.Errorf("%w: Options.Budget is %v: want 0 (the default, 5s) or more", ErrOption, x.o.Budget)
	}
	x.o.Budget = cmp.Or(x.o.Budget, 5*time.Second)
	if x.o.Tokens == nil {
		x.o.Tokens = func(text string) int { return (len(text) + 3) / 4 }
	}
	x.o.Logger = event.Logger(x.o.Logger)
	return x, nil
}

// A Result is what a [Reranker] returns.
type Result struct {
	// Passages are at most Options.K, best first. The Score of each is the ranker's,
	// or, after a fallback, the one that it came with. A passage that the ranker left out,
	// or didn't see, follows in its old order with the lowest score of the ranking.
	Passages []schema.Document

	// Fallback is why the passages are in their old order. nil: they are ranked.
	Fallback error
}

// Rerank is [Reranker.Run] for a caller that takes the passages in either order. It is a
// stage of a rag.Pipeline of retrieve/rag.
func (x *Reranker) Rerank(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error) {
	r, err := x.Run(ctx, question, passages)
	return r.Passages, err
}

// Run returns the best passages for a question. The only error is that of ctx; the error of
// the ranker is Result.Fallback. The passages given are not changed.
func (x *Reranker) Run(ctx context.Context, question string, passages []schema.Document) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("rerank: %w", err)
	}
	n := min(len(passages), x.o.Candidates)
	if n == 0 {
		return Result{}, nil
	}
	texts := make([]string, n)
	for i, p := range passages[:n] {
		texts[i] = x.cut(p.PageContent)
	}
	began := time.Now()
	inside, cancel := context.WithTimeout(ctx, x.o.Budget)
	ranked, err := rankWithin(inside, x.ranker, question, texts)
	cancel()
	if err == nil {
		err = check(ranked, n)
	}
	if err != nil {
		if ctx.Err() != nil {
			return Result{}, fmt.Errorf("rerank: %w", wrap.ContextError(ctx, err))
		}
		x.o.Logger.WarnContext(ctx, event.RetrieveFallback, event.Stage, "rerank", event.Count, n, event.Reason, reasonOf(err), event.Elapsed, time.Since(began))
		return Result{Passages: slices.Clone(passages[:min(x.o.K, len(passages))]), Fallback: err}, nil
	}
	return Result{Passages: x.order(passages, ranked)}, nil
}

// rankWithin doesn't wait for a ranker that ignores the end of its context.
func rankWithin(ctx context.Context, r Ranker, question string, texts []string) ([]Ranked, error) {
	type outcome struct {
		ranked []Ranked
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if v := recover(); v != nil { // a ranker is the program's own
				o = outcome{nil, fmt.Errorf("%w: the ranker panicked: %v", ErrRanking, v)}
			}
			done <- o
		}()
		o.ranked, o.err = r.Rank(ctx, question, texts)
	}()
	select {
	case o := <-done:
		return o.ranked, o.err
	case <-ctx.Done():
		return nil, fmt.Errorf("rerank: the ranker took too long: %w", ctx.Err())
	}
}

// reasonOf names a failure in words without content.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "too slow"
	case errors.Is(err, ErrRanking):
		return "bad ranking"
	}
	return "failed"
}

// check compares a ranking with the number of texts.
func check(ranked []Ranked, n int) error {
	seen := make([]bool, n)
	for _, r := range ranked {
		switch {
		case r.Index < 0 || r.Index >= n:
			return fmt.Errorf("%w: text %d of %d", ErrRanking, r.Index, n)
		case seen[r.Index]:
			return fmt.Errorf("%w: text %d appears twice", ErrRanking, r.Index)
		case math.IsNaN(r.Score):
			return fmt.Errorf("%w: the score of text %d is not a number", ErrRanking, r.Index)
		}
		seen[r.Index] = true
	}
	if len(ranked) == 0 {
		return fmt.Errorf("%w: it is empty", ErrRanking)
	}
	return nil
}

// order returns the passages of a ranking, then the others.
func (x *Reranker) order(passages []schema.Document, ranked []Ranked) []schema.Document {
	ranked = slices.Clone(ranked)
	slices.SortStableFunc(ranked, func(a, b Ranked) int { return cmp.Compare(b.Score, a.Score) })
	k := min(x.o.K, len(passages))
	out := make([]schema.Document, 0, k)
	seen := make([]bool, len(passages))
	put := func(i int, score float64) {
		if len(out) < k {
			p := passages[i]
			p.Score = float32(score)
			out = append(out, p)
		}
	}
	for _, r := range ranked {
		seen[r.Index] = true
		put(r.Index, r.Score)
	}
	for i := range passages {
		if !seen[i] {
			put(i, ranked[len(ranked)-1].Score)
		}
	}
	return out
}

// cut returns the longest beginning of a text that has no more tokens than
// PassageTokens, at the end of a word if there is one.
func (x *Reranker) cut(text string) string {
	if x.o.Tokens(text) <= x.o.PassageTokens {
		return text
	}
	low, high := 0, len(text) // text[:low] fits
	for low+1 < high {
		if mid := (low + high) / 2; x.o.Tokens(text[:mid]) <= x.o.PassageTokens {
			low = mid
		} else {
			high = mid
		}
	}
	for low > 0 && !utf8.RuneStart(text[low]) {
		low--
	}
	if word := strings.LastIndexAny(text[:low], " \t\r\n"); word > low/2 {
		low = word
	}
	return text[:low]
}
