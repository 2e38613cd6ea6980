package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/route"
)

// The parameters, with their sources in the output.
const (
	parameters = 8.03e9
	weights    = 2 * parameters // bytes
	cacheToken = 131_072.0      // bytes
	bandwidth  = 3.35e12        // bytes a second
	arithmetic = 0.4 * 989e12   // operations a second
	overhead   = 2 * time.Millisecond
	promptLen  = 512
	answerMean = 200.0
	lasts      = 120 * time.Second
)

// batching is how an engine puts requests together.
type batching uint8

const (
	static     batching = iota // it waits for a full batch, and then for all of its answers
	dynamic                    // it waits for a time at most, and then for all answers
	continuous                 // after each step, ended answers leave and new requests join
)

// A request is one of the load.
type request struct {
	came, first, done time.Duration
	length, made      int // tokens of the answer
	pick              route.Pick
}

// A result is what the users of one setup see.
type result struct {
	first50, first99, whole50, whole99 time.Duration
	tokens                             float64 // a second, until the last answer
}

// An engine is one simulated replica.
type engine struct {
	setup
	now     time.Duration
	queue   []*request
	running []*request
}

// prefill is how long an engine computes on the prompts of n requests: two operations
// for each parameter and token.
func prefill(n int) time.Duration {
	return time.Duration(2 * parameters * promptLen * float64(n) / arithmetic * float64(time.Second))
}

// step is how long one token for each of some requests takes: the weights and their
// caches are read once.
func step(running []*request) time.Duration {
	bytes := weights
	for _, r := range running {
		bytes += cacheToken * float64(promptLen+r.made)
	}
	return overhead + time.Duration(bytes/bandwidth*float64(time.Second))
}

// advance runs the engine until a time, and calls ended for each answer.
func (e *engine) advance(until time.Duration, last bool, ended func(*request)) {
	for e.now < until {
		if !e.admit(until, last) {
			return
		}
		e.now += step(e.running)
		left := e.running[:0:0]
		for _, r := range e.running {
			switch {
			case r.made < r.length:
				if r.made++; r.made == 1 {
					r.first = e.now
				}
				if r.made == r.length {
					r.done = e.now
					ended(r)
				}
			}
			// A whole batch stays until its last answer has ended.
			if r.made < r.length || e.kind != continuous {
				left = append(left, r)
			}
		}
		e.running = left
		if !slices.ContainsFunc(e.running, func(r *request) bool { return r.made < r.length }) {
			e.running = nil
		}
	}
}

// admit lets requests join, and reports whether there is something to do before until.
func (e *engine) admit(until time.Duration, last bool) bool {
	if e.kind != continuous && len(e.running) > 0 {
		return true
	}
	n := min(e.batch-len(e.running), len(e.queue))
	if len(e.running) == 0 {
		if len(e.queue) == 0 {
			e.now = until
			return false
		}
		ready := max(e.now, e.queue[0].came)
		full := len(e.queue) >= e.batch
		if full {
			ready = max(ready, e.queue[e.batch-1].came)
		}
		switch {
		case e.kind == static && !full && !last:
			e.now = until
			return false
		case e.kind == dynamic && !full:
			ready = max(ready, e.queue[0].came+e.delay)
		}
		if ready >= until && !last {
			e.now = until
			return false
		}
		e.now = max(e.now, ready)
	}
	if n > 0 {
		e.running = append(e.running, e.queue[:n]...)
		e.queue = e.queue[n:]
		e.now += prefill(n)
	}
	return true
}

// simulate puts the load on a setup. A router chooses the replica.
func simulate(s setup, rate float64) (result, error) {
	r := rand.New(rand.NewPCG(11, 12))
	var engines []*engine
	var targets []route.Target
	for i := range s.replicas {
		engines = append(engines, &engine{setup: s})
		targets = append(targets, route.Target{Name: string(rune('a' + i)), Model: nothing{}})
	}
	p, err := route.NewPool(targets, &route.Options{Balance: route.BalanceLeast, Rand: rand.New(rand.NewPCG(1, 1))})
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	var all []*request
	ended := func(q *request) { q.pick.Done(start.Add(q.done), admission.OutcomeHealthy) }
	for now := time.Duration(0); now < lasts; now += time.Duration(r.ExpFloat64() / rate * float64(time.Second)) {
		for _, e := range engines {
			e.advance(now, false, ended)
		}
		k, err := p.TryAcquire(start.Add(now), route.Request{Tokens: promptLen})
		if err != nil {
			return result{}, err
		}
		length := 1 + int(math.Log(1-r.Float64())/math.Log(1-1/answerMean))
		q := &request{came: now, length: length, pick: k}
		all = append(all, q)
		e := engines[k.Target()]
		e.queue = append(e.queue, q)
	}
	end := time.Duration(0)
	tokens := 0
	for _, e := range engines {
		for len(e.queue) > 0 || len(e.running) > 0 {
			e.advance(e.now+time.Second, true, ended)
		}
	}
	var first, whole []time.Duration
	for _, q := range all {
		first, whole = append(first, q.first-q.came), append(whole, q.done-q.came)
		end, tokens = max(end, q.done), tokens+q.length
	}
	slices.Sort(first)
	slices.Sort(whole)
	n := len(all)
	return result{first[n/2], first[n*99/100], whole[n/2], whole[n*99/100], float64(tokens) / end.Seconds()}, nil
}

// nothing is the model of a target that only the pool uses.
type nothing struct{ llms.Model }
