package llama

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// SamplerOptions says how a token is chosen from logits. The steps follow one another
// in this order: penalties, temperature, TopK, softmax, TopP, MinP; after each of the
// last two the probabilities are scaled to the sum 1.
type SamplerOptions struct {
	// Temperature divides the logits. Default: 0, which always takes the most likely
	// token.
	Temperature float64
	// TopK keeps the k most likely tokens. Default: 0, which keeps all.
	TopK int
	// TopP keeps the most likely tokens up to and including the one with which their sum
	// reaches it. Default: 0, which keeps all, as 1 does.
	TopP float64
	// MinP keeps the tokens whose probability is at least MinP times the largest.
	// Default: 0, which keeps all.
	MinP float64
	// Repeat divides a positive logit, and multiplies a negative one, of each token that
	// appeared before. Default: 0, which changes nothing, as 1 does.
	Repeat float64
	// Presence is taken off the logit of each token that appeared, Frequency for each
	// time that it did. Default: 0.
	Presence, Frequency float64
	// Last is how many of the latest tokens the penalties look at. A model that answers
	// from passages needs a bound: penalties that see the whole prompt keep it from the
	// words of the passages. Default: 0, which is all tokens.
	Last int
	// Rand draws. Default: a source with a random seed.
	Rand *rand.Rand
}

// A Sampler chooses tokens. One goroutine uses it at a time, for one sequence: the
// penalties see its history, cached or not.
type Sampler struct {
	o     SamplerOptions
	count map[int32]int // of the tokens that the penalties look at
	seen  []int32       // all tokens, if Last bounds them
	work  []choice
	wide  []float64
}

type choice struct {
	id int32
	v  float64
}

// A Distribution gives a probability to each token that may come next, the most likely
// first. Tokens that are not in it have 0.
type Distribution struct {
	IDs []int32
	P   []float64
}

// At returns a token's probability.
func (d Distribution) At(token int32) float64 {
	if i := slices.Index(d.IDs, token); i >= 0 {
		return d.P[i]
	}
	return 0
}

// NewSampler checks the options.
func NewSampler(o *SamplerOptions) (*Sampler, error) {
	s := &Sampler{count: map[int32]int{}}
	if o != nil {
		s.o = *o
	}
	number := func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
	switch o := s.o; {
	case !(o.Temperature >= 0) || !number(o.Temperature):
		return nil, fmt.Errorf("%w: Temperature is %v, want at least 0", ErrOption, o.Temperature)
	case o.TopK < 0:
		return nil, fmt.Errorf("%w: TopK is %d, want at least 0", ErrOption, o.TopK)
	case !(o.TopP >= 0 && o.TopP <= 1):
		return nil, fmt.Errorf("%w: TopP is %v, want 0 to 1", ErrOption, o.TopP)
	case !(o.MinP >= 0 && o.MinP <= 1):
		return nil, fmt.Errorf("%w: MinP is %v, want 0 to 1", ErrOption, o.MinP)
	case !(o.Repeat >= 0) || !number(o.Repeat):
		return nil, fmt.Errorf("%w: Repeat is %v, want at least 0", ErrOption, o.Repeat)
	case !number(o.Presence) || !number(o.Frequency):
		return nil, fmt.Errorf("%w: Presence is %v, Frequency %v", ErrOption, o.Presence, o.Frequency)
	case o.Last < 0:
		return nil, fmt.Errorf("%w: Last is %d, want at least 0", ErrOption, o.Last)
	}
	if s.o.Rand == nil {
		s.o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return s, nil
}

// See adds tokens to the history.
func (s *Sampler) See(tokens ...int32) {
	for _, t := range tokens {
		s.count[t]++
		if s.o.Last == 0 {
			continue
		}
		if s.seen = append(s.seen, t); len(s.seen) > s.o.Last {
			s.drop(s.seen[len(s.seen)-1-s.o.Last])
		}
	}
}

func (s *Sampler) drop(t int32) {
	if s.count[t]--; s.count[t] == 0 {
		delete(s.count, t)
	}
}

// forget takes back the tokens that See added last.
func (s *Sampler) forget(tokens ...int32) {
	for _, t := range tokens {
		if s.o.Last == 0 {
			s.drop(t)
			continue
		}
		last := len(s.seen) - 1
		s.drop(s.seen[last])
		if s.seen = s.seen[:last]; last >= s.o.Last {
			s.count[s.seen[last-s.o.Last]]++
		}
	}
}

// Sample returns a token drawn from the distribution of the logits.
func (s *Sampler) Sample(logits []float32) int32 {
	if s.o.Temperature == 0 && !s.penalizes() {
		return argmax(logits)
	}
	return s.draw(s.Distribution(logits))
}

// draw returns a token of d.
func (s *Sampler) draw(d Distribution) int32 {
	if len(d.IDs) == 1 {
		return d.IDs[0]
	}
	u := s.o.Rand.Float64()
	for i, p := range d.P {
		if u -= p; u < 0 {
			return d.IDs[i]
		}
	}
	return d.IDs[0] // the sum was rounded below u
}

// argmax returns the first token with the largest logit.
func argmax(logits []float32) int32 {
	best := 0
	for i, x := range logits {
		if x > logits[best] {
			best = i
		}
	}
	return int32(best)
}

func (s *Sampler) penalizes() bool {
	return len(s.count) > 0 && (s.o.Repeat != 0 && s.o.Repeat != 1 || s.o.Presence != 0 || s.o.Frequency != 0)
}

// Distribution returns what [Sampler.Sample] draws from. A logit of minus infinity is a
// token that can't come.
func (s *Sampler) Distribution(logits []float32) Distribution {
	s.wide = s.wide[:0]
	for _, l := range logits {
		s.wide = append(s.wide, float64(l))
	}
	return s.distribution(s.wide)
}

func (s *Sampler) distribution(logits []float64) Distribution {
	x := s.work[:0]
	penalize := s.penalizes()
	for i, v := range logits {
		if penalize {
			v = s.penalized(int32(i), v)
		}
		if v > math.Inf(-1) {
			x = append(x, choice{int32(i), v})
		}
	}
	s.work = x
	if len(x) == 0 {
		return Distribution{IDs: []int32{0}, P: []float64{1}}
	}
	if s.o.Temperature == 0 {
		best := slices.MaxFunc(x, func(a, b choice) int { return cmp.Compare(a.v, b.v) })
		return Distribution{IDs: []int32{best.id}, P: []float64{1}}
	}
	for i := range x {
		x[i].v /= s.o.Temperature
	}
	if k := s.o.TopK; k > 0 && k < len(x) {
		x = topK(x, k)
	} else {
		slices.SortFunc(x, likelier)
	}
	normalize(x, x[0].v)
	if s.o.TopP > 0 && s.o.TopP < 1 {
		x = topP(x, s.o.TopP)
	}
	if s.o.MinP > 0 {
		x = minP(x, s.o.MinP)
	}
	d := Distribution{IDs: make([]int32, len(x)), P: make([]float64, len(x))}
	for i, c := range x {
		d.IDs[i], d.P[i] = c.id, c.v
	}
	return d
}

func (s *Sampler) penalized(id int32, v float64) float64 {
	n := s.count[id]
	if n == 0 {
		return v
	}
	if r := s.o.Repeat; r != 0 {
		if v > 0 {
			v /= r
		} else {
			v *= r
		}
	}
	return v - s.o.Presence - float64(n)*s.o.Frequency
}

// likelier orders by value, the largest first; of equal ones the smaller id.
func likelier(a, b choice) int {
	if c := cmp.Compare(b.v, a.v); c != 0 {
		return c
	}
	return cmp.Compare(a.id, b.id)
}

// topK returns the k likeliest, in order. x[:k] is a heap whose root is the least
// likely.
func topK(x []choice, k int) []choice {
	down := func(i int) {
		for {
			c := 2*i + 1
			if c >= k {
				return
			}
			if c+1 < k && likelier(x[c], x[c+1]) < 0 {
				c++
			}
			if likelier(x[i], x[c]) >= 0 {
				return
			}
			x[i], x[c] = x[c], x[i]
			i = c
		}
	}
	for i := k/2 - 1; i >= 0; i-- {
		down(i)
	}
	for i := k; i < len(x); i++ {
		if likelier(x[i], x[0]) < 0 {
			x[0] = x[i]
			down(0)
		}
	}
	x = x[:k]
	slices.SortFunc(x, likelier)
	return x
}

// normalize turns logits, whose largest is top, into probabilities.
func normalize(x []choice, top float64) {
	sum := 0.0
	for i := range x {
		x[i].v = math.Exp(x[i].v - top)
		sum += x[i].v
	}
	for i := range x {
		x[i].v /= sum
	}
}

func topP(x []choice, p float64) []choice {
	sum := 0.0
	for i := range x {
		if sum += x[i].v; sum >= p {
			x = x[:i+1]
			break
		}
	}
	for i := range x {
		x[i].v /= sum
	}
	return x
}

func minP(x []choice, p float64) []choice {
	n, sum := 0, 0.0
	for ; n < len(x) && x[n].v >= p*x[0].v; n++ {
		sum += x[n].v
	}
	x = x[:n]
	for i := range x {
		x[i].v /= sum
	}
	return x
}
