package llama

import (
	"context"
	"math"
	"slices"
)

// Acceptance returns for each token the probability min(1, p/q) with which a draft that
// was drawn from q is kept, where p is the target's distribution. q = 0 can't be drawn:
// the result is 0.
//
// Source: Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative
// Decoding", 2023, section 2.3.
func Acceptance(p, q []float64) []float64 {
	out := make([]float64, len(p))
	for i := range p {
		if q[i] > 0 {
			out[i] = min(1, p[i]/q[i])
		}
	}
	return out
}

// Overlap returns Σ min(p, q): the share of drafts that is kept.
func Overlap(p, q []float64) float64 {
	sum := 0.0
	for i := range p {
		sum += min(p[i], q[i])
	}
	return sum
}

// Residual returns the distribution that replaces a rejected draft: max(0, p-q), scaled
// to the sum 1, and p itself where p = q. With it the tokens follow p exactly.
func Residual(p, q []float64) []float64 {
	out, sum := make([]float64, len(p)), 0.0
	for i := range p {
		out[i] = max(0, p[i]-q[i])
		sum += out[i]
	}
	if sum == 0 {
		return slices.Clone(p)
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

// ExpectedTokens returns how many tokens a pass of the target yields with drafts of
// gamma tokens, each kept with probability alpha: (1-alpha^(gamma+1)) / (1-alpha).
func ExpectedTokens(alpha float64, gamma int) float64 {
	if alpha >= 1 {
		return float64(gamma + 1)
	}
	return (1 - math.Pow(alpha, float64(gamma+1))) / (1 - alpha)
}

// A Draft is a guess at the tokens to come, and the distribution that each was drawn
// from: the rule of acceptance is right for no other one.
type Draft struct {
	Tokens []int32
	From   []Distribution
}

// A Drafter guesses tokens cheaply.
type Drafter interface {
	// Draft returns up to n tokens to follow history, chosen as sampler would: fewer, or
	// none, if it has no guess. It does not change history or sampler.
	Draft(ctx context.Context, history []int32, n int, sampler *Sampler) (Draft, error)
}

// A Lookup drafts what followed the last tokens where they appeared before. It costs
// nothing, and is often right where an answer quotes its prompt.
//
// Source: Saxena, "Prompt Lookup Decoding", 2023.
type Lookup struct {
	// MaxNGram is the most last tokens that are looked for; fewer are tried then, down
	// to 1. Default: 3.
	MaxNGram int
}

// Find returns the up to k tokens that followed the first appearance of the last n
// tokens, for the largest n up to maxNGram that has one, and where that began: at -1,
// and n 0, if there is none.
func (l Lookup) Find(tokens []int32, k int) (draft []int32, n, at int) {
	most := l.MaxNGram
	if most <= 0 {
		most = 3
	}
	for n = min(most, len(tokens)-1); n > 0; n-- {
		tail := tokens[len(tokens)-n:]
		for at = 0; at < len(tokens)-n; at++ {
			if slices.Equal(tokens[at:at+n], tail) {
				return tokens[at+n : min(len(tokens), at+n+max(0, k))], n, at
			}
		}
	}
	return nil, 0, -1
}

// Draft implements [Drafter]: each token is certain.
func (l Lookup) Draft(_ context.Context, history []int32, n int, _ *Sampler) (Draft, error) {
	found, _, _ := l.Find(history, n)
	d := Draft{Tokens: slices.Clone(found)}
	for _, t := range found {
		d.From = append(d.From, Distribution{IDs: []int32{t}, P: []float64{1}})
	}
	return d, nil
}

// A DraftModel drafts with a small network that has the same vocabulary. It serves one
// sequence at a time.
type DraftModel struct {
	cache *Cache
}

// NewDraftModel returns a drafter.
func NewDraftModel(n *Network) (*DraftModel, error) {
	if n == nil {
		return nil, errNilNetwork
	}
	return &DraftModel{n.NewCache()}, nil
}

// Draft implements [Drafter]. The draft is drawn with the sampler's options, and judged
// with the distribution that they give.
func (m *DraftModel) Draft(ctx context.Context, history []int32, n int, sampler *Sampler) (Draft, error) {
	var d Draft
	common := commonPrefix(m.cache.Tokens(), history)
	if common == len(history) && common > 0 {
		common--
	}
	if err := m.cache.Truncate(common); err != nil {
		return d, err
	}
	next := history[common:]
	n = min(n, m.cache.net.config.Context-len(history))
	defer func() { sampler.forget(d.Tokens...) }()
	for len(d.Tokens) < n && len(next) > 0 {
		logits, err := m.cache.net.Forward(ctx, []Step{{Cache: m.cache, Tokens: next}})
		if err != nil {
			return Draft{}, err
		}
		from := sampler.Distribution(logits[0][0])
		token := sampler.draw(from)
		sampler.See(token)
		d.Tokens, d.From = append(d.Tokens, token), append(d.From, from)
		next = d.Tokens[len(d.Tokens)-1:]
	}
	return d, nil
}

func commonPrefix(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// judge returns how many of a draft's tokens are kept, and the token that follows them:
// rows[i] are the target's logits for the place of draft token i, and one more after
// the last.
func (s *Sampler) judge(d Draft, rows [][]float32) (kept int, next int32) {
	defer func() { s.forget(d.Tokens[:kept]...) }()
	for i, token := range d.Tokens {
		p := s.Distribution(rows[i])
		q := d.From[i].At(token)
		if accept := p.At(token); q > 0 && s.o.Rand.Float64()*q < accept {
			s.See(token)
			kept++
			continue
		}
		return kept, s.draw(p.minus(d.From[i]))
	}
	return kept, s.draw(s.Distribution(rows[kept]))
}

// minus is [Residual] of two distributions.
func (d Distribution) minus(q Distribution) Distribution {
	other := make(map[int32]float64, len(q.IDs))
	for i, id := range q.IDs {
		other[id] = q.P[i]
	}
	out, sum := Distribution{}, 0.0
	for i, id := range d.IDs {
		if r := d.P[i] - other[id]; r > 0 {
			out.IDs, out.P = append(out.IDs, id), append(out.P, r)
			sum += r
		}
	}
	if sum == 0 {
		return d
	}
	for i := range out.P {
		out.P[i] /= sum
	}
	return out
}
