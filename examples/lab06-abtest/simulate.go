package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/prodailabs/prodai/eval/stats"
)

// A policy is a way of reading an experiment while it runs: after which pairs it
// looks, and the p-value that decides.
type policy struct {
	name  string
	looks func(pair, pairs int) bool
	p     func(*reading) float64
}

var policies = []policy{
	{"fixed test, one look at the end", func(n, pairs int) bool { return n == pairs }, (*reading).fixed},
	{"fixed test, a look every 200 pairs", func(n, pairs int) bool { return n%200 == 0 }, (*reading).fixed},
	{"fixed test, a look at every pair", func(n, _ int) bool { return n >= 30 }, (*reading).fixed},
	{"mixture SPRT, every pair", func(int, int) bool { return true }, func(r *reading) float64 { return r.mixture.P }},
	{"exact e-value, every pair", func(int, int) bool { return true }, func(r *reading) float64 { return r.sign.P }},
}

// A reading has all that is known after some pairs.
type reading struct {
	n, old, new int // pairs, and thumbs up of each prompt
	mixture     stats.SequentialState
	sign        stats.SequentialState
}

// fixed is the p-value of the textbook test of two proportions.
func (r *reading) fixed() float64 {
	res, err := stats.TwoProportionZ(r.new, r.n, r.old, r.n, stats.AlternativeTwoSided)
	if err != nil {
		return 1 // no thumbs up or only thumbs up so far: nothing to compare
	}
	return res.P
}

func (r *reading) lift() float64 { return float64(r.new-r.old) / float64(r.n) }

// An outcome says where each policy stopped, 0 for never, and the lift that it saw.
type outcome struct {
	at   [5]int
	lift [5]float64
}

type lab struct {
	experiments, pairs int
	base, lift, alpha  float64

	same, better []outcome
	path         []reading // one A/A experiment that many looks would have announced
	betterPath   []reading // one experiment with the lift
	halfway      bool      // the mixture SPRT of betterPath stopped in the middle third
}

func (l *lab) simulate(seed uint64) error {
	r := rand.New(stats.NewGenerator(seed))
	path := make([]reading, l.pairs)
	for range l.experiments {
		o, err := l.experiment(r, l.base, path)
		if err != nil {
			return err
		}
		l.same = append(l.same, o)
		// To draw: the experiment in which many looks were wrong and the end showed
		// it most clearly.
		end := len(path) - 1
		if o.at[2] > 0 && o.at[0] == 0 && (l.path == nil || path[end].fixed() > l.path[end].fixed()) {
			l.path = slices.Clone(path)
		}
	}
	for range l.experiments {
		o, err := l.experiment(r, l.base+l.lift, path)
		if err != nil {
			return err
		}
		l.better = append(l.better, o)
		// To draw: the first one in which the mixture SPRT stops halfway.
		if at := o.at[3]; l.betterPath == nil || !l.halfway && at > l.pairs/3 && at < 2*l.pairs/3 {
			l.betterPath = slices.Clone(path)
			l.halfway = at > l.pairs/3 && at < 2*l.pairs/3
		}
	}
	return nil
}

// experiment runs all policies on the same users and fills path with what was known
// after each pair.
func (l *lab) experiment(r *rand.Rand, share float64, path []reading) (outcome, error) {
	// The variance of a pair's difference is known from the old prompt's history,
	// and effects of about the lift are expected.
	mixture, err := stats.NewMixtureSPRT(2*l.base*(1-l.base), &stats.MixtureSPRTOptions{EffectVariance: l.lift * l.lift, Alpha: l.alpha})
	if err != nil {
		return outcome{}, err
	}
	// Of the pairs that differ, half favor each prompt if nothing differs.
	sign, err := stats.NewBernoulliSequence(0.5, &stats.SequenceOptions{Alpha: l.alpha})
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	now := reading{sign: sign.State()}
	for now.n < l.pairs {
		oldUp, newUp := r.Float64() < l.base, r.Float64() < share
		now.n++
		difference := 0.0
		if oldUp {
			now.old++
			difference--
		}
		if newUp {
			now.new++
			difference++
		}
		if now.mixture, err = mixture.Add(difference); err != nil {
			return outcome{}, err
		}
		if oldUp != newUp {
			now.sign = sign.Add(newUp)
		}
		path[now.n-1] = now
		for i, p := range policies {
			if o.at[i] == 0 && p.looks(now.n, l.pairs) && p.p(&now) <= l.alpha {
				o.at[i], o.lift[i] = now.n, now.lift()
			}
		}
	}
	return o, nil
}

// count is how many experiments policy i had stopped by a number of pairs.
func count(outcomes []outcome, i, pairs int) int {
	n := 0
	for _, o := range outcomes {
		if o.at[i] > 0 && o.at[i] <= pairs {
			n++
		}
	}
	return n
}

// findings returns how often a policy found the lift, how many pairs it used on
// average (all of them if it found nothing), and the lift that it announced.
func (l *lab) findings(i int) (found, used, announced float64) {
	stopped := 0
	for _, o := range l.better {
		if o.at[i] == 0 {
			used += float64(l.pairs)
			continue
		}
		stopped++
		used += float64(o.at[i])
		announced += o.lift[i]
	}
	n := float64(len(l.better))
	if stopped == 0 {
		return 0, used / n, math.NaN()
	}
	return float64(stopped) / n, used / n, announced / float64(stopped)
}
