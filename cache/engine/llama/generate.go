package llama

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
)

var errNilNetwork = fmt.Errorf("%w: no network", ErrOption)

// GenerateOptions configures [Network.Generate].
type GenerateOptions struct {
	// Sampler chooses the tokens. Default: the most likely one.
	Sampler *Sampler
	// MaxTokens ends the text. Default: 0, which goes on to the end of the context.
	MaxTokens int
	// End reports whether a token ends the text; that token is not yielded. Default: none.
	End func(token int32) bool
	// Drafter guesses tokens, so that one pass of the network yields several. The text is
	// the same as without, or, with a temperature, follows the same distribution. Not
	// used with a Mask. Default: none.
	Drafter Drafter
	// DraftTokens is the length of a guess. Default: 4.
	DraftTokens int
	// Mask restricts the tokens to what a grammar allows. A text that MaxTokens, or the
	// context, would cut is completed in the shortest way before. Default: none.
	Mask *Matcher
	// Stats, if it is not nil, is counted up. Default: nil.
	Stats *Stats
}

// Stats counts what a generation did.
type Stats struct {
	Prompt   int // tokens that were computed before the first new one
	Tokens   int // new tokens
	Passes   int // forward passes after the prompt's
	Drafted  int
	Accepted int // drafts that were kept
	// Shortened counts tokens that the Mask allowed, and that were passed over so that
	// the text is complete within MaxTokens and the context.
	Shortened int
}

func (o *GenerateOptions) check(n *Network, cache *Cache, prompt []int32) error {
	switch {
	case n == nil:
		return errNilNetwork
	case cache == nil || cache.net != n:
		return fmt.Errorf("%w: the cache is not one of this network's", ErrOption)
	case len(prompt) == 0:
		return fmt.Errorf("%w: an empty prompt", ErrPrompt)
	case o.MaxTokens < 0 || o.DraftTokens < 0:
		return fmt.Errorf("%w: MaxTokens is %d, DraftTokens %d, want at least 0", ErrOption, o.MaxTokens, o.DraftTokens)
	}
	return nil
}

// Generate appends the prompt to the cache and yields one new token after the other,
// until one ends the text, MaxTokens are reached or the context is full. When it ends,
// the cache contains the prompt and what was yielded, maybe but for the last token.
//
// An error is yielded once, last.
func (n *Network) Generate(ctx context.Context, cache *Cache, prompt []int32, o *GenerateOptions) iter.Seq2[int32, error] {
	g := generation{n: n, cache: cache}
	if o != nil {
		g.o = *o
	}
	return func(yield func(int32, error) bool) {
		err := g.o.check(n, cache, prompt)
		if err == nil {
			err = g.run(ctx, prompt, func(t int32) bool { return yield(t, nil) })
		}
		if err != nil {
			yield(0, err)
		}
	}
}

type generation struct {
	n       *Network
	cache   *Cache
	o       GenerateOptions
	history []int32
	yielded int
}

func (g *generation) run(ctx context.Context, prompt []int32, yield func(int32) bool) error {
	if g.o.Sampler == nil {
		g.o.Sampler, _ = NewSampler(nil) // no option, no error
	}
	if g.o.DraftTokens == 0 {
		g.o.DraftTokens = 4
	}
	if g.o.Stats == nil {
		g.o.Stats = &Stats{}
	}
	g.history = slices.Concat(g.cache.Tokens(), prompt)
	g.o.Sampler.See(prompt...)
	out, err := g.n.Forward(ctx, []Step{{Cache: g.cache, Tokens: prompt}})
	if err != nil {
		return err
	}
	g.o.Stats.Prompt += len(prompt)
	if m := g.o.Mask; m != nil && m.Shortest() > g.left() {
		return fmt.Errorf("%w: the shortest text of the schema takes up to %d tokens, %d are left by MaxTokens and the context", ErrContext, m.Shortest(), g.left())
	}
	logits := out[0][len(out[0])-1]
	next, ok := g.choose(logits)
	for ok && g.emit(next, yield) {
		// next is yielded, but not in the cache yet.
		if g.cache.Len()+1 >= g.n.config.Context {
			return nil
		}
		if g.o.Drafter == nil || g.o.Mask != nil {
			out, err := g.n.Forward(ctx, []Step{{Cache: g.cache, Tokens: []int32{next}}})
			if err != nil {
				return err
			}
			g.o.Stats.Passes++
			next, ok = g.choose(out[0][0])
			continue
		}
		if next, ok, err = g.speculate(ctx, next, yield); err != nil {
			return err
		}
	}
	return nil
}

// quickTries is how many of the likeliest tokens are checked one by one before a mask of
// the whole vocabulary is computed.
const quickTries = 3

// choose picks a token; ok is false if the grammar allows none.
func (g *generation) choose(logits []float32) (token int32, ok bool) {
	m, s := g.o.Mask, g.o.Sampler
	if m == nil {
		return s.Sample(logits), true
	}
	left := g.left()
	off := float32(math.Inf(-1))
	if s.o.Temperature == 0 && !s.penalizes() {
		for range quickTries {
			token = argmax(logits)
			allowed, fits := m.allows(token, left)
			if allowed && fits {
				return token, true
			}
			if allowed {
				g.o.Stats.Shortened++
			}
			logits[token] = off
		}
	}
	m.Restrict(logits)
	for range quickTries {
		if logits[argmax(logits)] == off {
			break
		}
		if token = s.Sample(logits); m.Allows(token, left) {
			return token, true
		}
		g.o.Stats.Shortened++
		logits[token] = off // the grammar allows it, the tokens left do not
	}
	clear(logits)
	m.Force(logits)
	token = argmax(logits)
	return token, logits[token] != off
}

// left returns how many tokens may still come.
func (g *generation) left() int {
	left := g.n.config.Context - g.cache.Len()
	if g.o.MaxTokens > 0 {
		left = min(left, g.o.MaxTokens-g.yielded)
	}
	return left
}

// emit yields a token. It reports false at the end of the text.
func (g *generation) emit(token int32, yield func(int32) bool) bool {
	if g.o.End != nil && g.o.End(token) || g.o.Mask != nil && g.o.Mask.lex.tok.IsEnd(token) {
		return false
	}
	g.history = append(g.history, token)
	g.o.Sampler.See(token)
	g.o.Stats.Tokens++
	g.yielded++
	if !yield(token) || g.o.MaxTokens > 0 && g.yielded >= g.o.MaxTokens {
		return false
	}
	return g.o.Mask == nil || g.o.Mask.Accept(token)
}

// speculate has the drafter guess what follows next, checks the whole guess in one pass,
// yields what is kept and returns the token that follows it. Each kept token is looked
// at in order, so that one in the middle can end the text.
func (g *generation) speculate(ctx context.Context, next int32, yield func(int32) bool) (int32, bool, error) {
	room := max(0, g.n.config.Context-g.cache.Len()-2)
	d, err := g.o.Drafter.Draft(ctx, g.history, min(g.o.DraftTokens, room), g.o.Sampler)
	if err != nil {
		return 0, false, err
	}
	from := g.cache.Len()
	out, err := g.n.Forward(ctx, []Step{{Cache: g.cache, Tokens: append([]int32{next}, d.Tokens...), Logits: RowsAll}})
	if err != nil {
		return 0, false, err
	}
	kept, following := g.o.Sampler.judge(d, out[0])
	g.o.Stats.Passes++
	g.o.Stats.Drafted += len(d.Tokens)
	g.o.Stats.Accepted += kept
	for i, t := range d.Tokens[:kept] {
		if !g.emit(t, yield) {
			return 0, false, g.cache.Truncate(from + 1 + i)
		}
	}
	return following, true, g.cache.Truncate(from + 1 + kept)
}

// Perplexity returns e to the mean surprise of each token of a text but the first, given
// those before it: 1 for a model that knows the text, the size of the vocabulary for one
// that guesses. The text fits into the model's context.
func (n *Network) Perplexity(ctx context.Context, tokens []int32) (float64, error) {
	if len(tokens) < 2 {
		return 0, fmt.Errorf("%w: a text of %d tokens has no perplexity", ErrPrompt, len(tokens))
	}
	cache, sum := n.NewCache(), 0.0
	for at := 0; at < len(tokens)-1; {
		k := min(64, len(tokens)-1-at)
		out, err := n.Forward(ctx, []Step{{Cache: cache, Tokens: tokens[at : at+k], Logits: RowsAll}})
		if err != nil {
			return 0, err
		}
		for i, row := range out[0] {
			sum += surprise(row, tokens[at+i+1])
		}
		at += k
	}
	return math.Exp(sum / float64(len(tokens)-1)), nil
}

// surprise is minus the logarithm of a token's probability.
func surprise(logits []float32, token int32) float64 {
	top := float64(logits[argmax(logits)])
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x) - top)
	}
	return top + math.Log(sum) - float64(logits[token])
}
