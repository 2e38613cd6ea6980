package semantic

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tmc/langchaingo/llms"
)

// Learn gives each stored answer a threshold of its own, which moves with what is seen of
// its reuse. One answer serves every question that is roughly near it; another is wrong
// for its nearest neighbor.
//
// A question that is similar to a stored one, and not similar enough yet, asks the model.
// Then Same compares both answers. That is an observation: at this cosine, the stored
// answer would have been right or wrong. What Options.Verify says of a hit is one too.
//
// The chance that the stored answer is right is taken to be a logistic function of the
// cosine s: 1 / (1 + exp(-steepness × (s - middle))). There are 196 such curves, with
// middles from .5 to 1.1. The weight of a curve is its likelihood given the observations
// of the entry. While those are fewer than twenty, the observations of all entries
// together count as as many as are missing. Each curve says from which cosine on at most
// MaxWrong of the hits are wrong. The threshold is the lowest one that is enough for
// curves with a share of Confidence of all weight. Cosines below .5 are never enough.
//
// The idea of one logistic curve for each entry, and of asking the model to learn it, is
// that of vCache (Schroeder et al., "vCache: verified semantic prompt caching", 2025).
// vCache reuses an answer at random, and with a bound on the errors of each entry; here
// the threshold is fixed between two observations, and entries learn from one another.
type Learn struct {
	// Same reports whether the stored answer of a Comparison says the same as the fresh
	// one: equal text, a program that compares them, or another model. It runs after the
	// fresh answer was streamed, and before it is returned. After an error nothing is
	// learned. Required by [New].
	Same func(context.Context, Comparison) (bool, error)

	// MaxWrong is the share of hits that may be wrong, above 0 and below 1. It is a goal and
	// no promise: it holds as far as the curves fit, and the first hits may do worse.
	// Default: 0.05.
	MaxWrong float64

	// Confidence is the share of the weight of all curves for which the threshold is
	// high enough, above 0 and below 1. Default: 0.9.
	Confidence float64

	// CheckEvery makes every so many-th hit ask the model all the same, so that luck in
	// the first observations, or an answer that went out of date, is noticed; negative
	// means never. Default: 10.
	CheckEvery int
}

// enoughOwn is how many observations of its own an entry needs to learn from no others.
// Until then those of all entries count as as many as are missing.
const enoughOwn = 20

// An observation is a stored answer's fitness for a question at a cosine.
type observation struct {
	Score float64 `json:"score"`
	Right bool    `json:"right"`
}

// maxObservations bounds what an entry remembers: the latest.
const maxObservations = 64

// maxShared is how many observations of all entries count; beyond it earlier ones fade.
const maxShared = 1000

// The curves: middles in steps from the lowest to the highest, with each steepness.
const (
	middles      = 49
	lowestMiddle = .5
	middleStep   = .0125
)

var steepness = [...]float64{15, 30, 60, 120}

const curves = middles * len(steepness)

// logWeights are the logarithms of the likelihoods of all curves.
type logWeights [curves]float64

func curve(i int) (middle, steep float64) {
	return lowestMiddle + middleStep*float64(i/len(steepness)), steepness[i%len(steepness)]
}

// observe multiplies each curve's likelihood with that of an observation.
func (w *logWeights) observe(o observation) {
	for i := range w {
		middle, steep := curve(i)
		x := steep * (o.Score - middle)
		if !o.Right {
			x = -x
		}
		w[i] -= math.Log1p(math.Exp(-x)) // x is at least -120 × 2.1, far from an overflow
	}
}

// A learner computes thresholds. It is not safe for concurrent use.
type learner struct {
	o      Learn
	needs  [curves]float64 // the cosine from which few enough hits are wrong
	order  [curves]int     // of the curves, the lowest need first
	shared logWeights
	seen   int
	hits   int
}

func newLearner(o Learn) (*learner, error) {
	o.MaxWrong, o.Confidence, o.CheckEvery = cmp.Or(o.MaxWrong, .05), cmp.Or(o.Confidence, .9), cmp.Or(o.CheckEvery, 10)
	if !(o.MaxWrong > 0 && o.MaxWrong < 1) || !(o.Confidence > 0 && o.Confidence < 1) {
		return nil, fmt.Errorf("%w: learn a wrong share of %v with confidence %v: want both between 0 and 1", ErrOption, o.MaxWrong, o.Confidence)
	}
	l := &learner{o: o}
	for i := range curves {
		middle, steep := curve(i)
		l.needs[i], l.order[i] = middle+math.Log((1-o.MaxWrong)/o.MaxWrong)/steep, i
	}
	slices.SortFunc(l.order[:], func(a, b int) int { return cmp.Compare(l.needs[a], l.needs[b]) })
	return l, nil
}

// learned is what an entry knows of itself. The zero value is that of a new one.
type learned struct {
	observations []observation
	own          *logWeights // of the observations; nil without any
	version      int         // grows with each of them
}

// observe adds an observation of an entry.
func (l *learner) observe(of *learned, o observation) {
	if l.seen++; l.seen > maxShared {
		for i := range l.shared {
			l.shared[i] /= 2
		}
		l.seen /= 2
	}
	l.shared.observe(o)
	of.add(o)
}

func (of *learned) add(added ...observation) {
	of.version++
	of.observations = append(of.observations, added...)
	if len(of.observations) > maxObservations {
		of.observations = slices.Clone(of.observations[len(of.observations)-maxObservations/2:])
		of.own, added = nil, of.observations
	}
	if of.own == nil {
		of.own = &logWeights{}
	}
	for _, o := range added {
		of.own.observe(o)
	}
}

// check counts a hit, and reports whether it should ask the model all the same.
func (l *learner) check() bool {
	l.hits++
	return l.o.CheckEvery > 0 && l.hits%l.o.CheckEvery == 0
}

// threshold returns the least cosine at which an entry may be used. It can be above 1.
func (l *learner) threshold(of *learned) float64 {
	worth := 0.0
	if missing := enoughOwn - len(of.observations); missing > 0 && l.seen > 0 {
		worth = min(1, float64(missing)/float64(l.seen))
	}
	weights := l.shared
	most := math.Inf(-1)
	for i := range weights {
		weights[i] *= worth
		if of.own != nil {
			weights[i] += of.own[i]
		}
		most = max(most, weights[i])
	}
	sum := 0.0
	for i := range weights {
		weights[i] = math.Exp(weights[i] - most)
		sum += weights[i]
	}
	enough := 0.0
	for _, i := range l.order {
		if enough += weights[i]; enough >= l.o.Confidence*sum {
			return l.needs[i]
		}
	}
	return l.needs[l.order[curves-1]] // only rounding gets here
}

// needed returns the least cosine at which an entry is used.
func (m *Model) needed(e *entry) float64 {
	if m.learner == nil {
		return m.threshold - 1e-6 // as lookup does
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.learner.threshold(&e.learned)
}

// due counts a hit, and reports whether it should ask the model all the same.
func (m *Model) due() bool {
	if m.learner == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.learner.check()
}

// learn compares the answer of a similar question with the fresh one.
func (m *Model) learn(c *call, fresh *llms.ContentResponse) {
	if m.learner == nil || c.near == nil || m.o.Policy.MayStore(fresh) != "" {
		return
	}
	same, err := m.learner.o.Same(c.ctx, c.compare(c.near, fresh))
	if err != nil {
		return
	}
	m.observe(c, c.near, same)
}

// observe lets an entry learn whether its answer is right for the call.
func (m *Model) observe(c *call, e *entry, right bool) {
	if m.learner == nil {
		return
	}
	c.near = nil // once is enough
	m.stats[compared].Add(1)
	if !right {
		m.stats[unfit].Add(1)
	}
	m.mu.Lock()
	m.learner.observe(&e.learned, observation{min(c.score, 1), right}) // an Index of another's may be wrong
	m.mu.Unlock()
	m.save(c.ctx, e)
}
