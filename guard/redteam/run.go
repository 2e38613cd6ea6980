package redteam

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/guard/content"
)

// Options configure a [Tester].
type Options struct {
	// Mutators rewrite each attack; the plain form always runs. Default: none.
	Mutators []Mutator

	// Tries is how often each form is tried, with other random words. Default: 1.
	Tries int

	// Workers is how many attacks run at the same time. Default: 4.
	Workers int

	// Timeout bounds one try with all its turns. A target that does not return when
	// its context is done counts as failed, and its goroutine ends when it does.
	// Default: 1 minute.
	Timeout time.Duration

	// Secrets are what is planted in the target, such as a word in its system prompt.
	// Each has at least 6 characters. Default: none, and attacks on secrets are
	// unscored.
	Secrets []string

	// Refusals are the target's own block messages. Default: none besides the usual
	// wordings, see content.Refusals.
	Refusals []string

	// Judge decides attacks without a sign of success. Default: none, and they are
	// unscored.
	Judge llms.Model

	// Seed makes the random words. Default: 0, which is a seed as any other.
	Seed uint64

	// Progress is called after each try, one call at a time. Default: none.
	Progress func(done, all int)
}

// A Tester attacks a target. It is safe for concurrent use.
type Tester struct {
	target   Target
	o        Options
	refusals *content.Refusals
}

// New makes a tester. A nil target and an option that cannot work are errors that wrap
// [ErrOption].
func New(target Target, o *Options) (*Tester, error) {
	if target == nil {
		return nil, fmt.Errorf("%w: the target is nil", ErrOption)
	}
	if o == nil {
		o = &Options{}
	}
	t := &Tester{target: target, o: *o}
	if o.Tries < 0 || o.Workers < 0 || o.Timeout < 0 {
		return nil, fmt.Errorf("%w: Tries is %d, Workers %d and Timeout %v: want 0 (the default) or more", ErrOption, o.Tries, o.Workers, o.Timeout)
	}
	t.o.Tries, t.o.Workers = max(1, o.Tries), o.Workers
	if t.o.Workers == 0 {
		t.o.Workers = 4
	}
	if t.o.Timeout == 0 {
		t.o.Timeout = time.Minute
	}
	for _, s := range o.Secrets {
		if len(strings.TrimSpace(s)) < 6 {
			return nil, fmt.Errorf("%w: a secret has %d characters: want 6 or more, or ordinary answers contain it", ErrOption, len(s))
		}
	}
	for _, m := range o.Mutators {
		if m.Name == "" || m.Name == adaptive || m.Mutate == nil {
			return nil, fmt.Errorf("%w: the mutator %q has no function, or a name that is taken", ErrOption, m.Name)
		}
	}
	t.o.Mutators, t.o.Secrets = slices.Clone(o.Mutators), slices.Clone(o.Secrets)
	var err error
	t.refusals, err = newRefusals(o.Refusals)
	return t, err
}

// A job is one try to make.
type job struct {
	attack   Attack
	mutator  Mutator
	try      int
	ordinary *Ordinary
}

// Run sends every attack of a suite in every form, and every ordinary request. The
// report has the results in the order of the suite, whatever the workers' order was.
// The error is ctx's; what went wrong in single tries is in the report. A suite
// without an attack is an error that wraps [ErrSuite].
func (t *Tester) Run(ctx context.Context, s Suite) (*Report, error) {
	if len(s.Attacks) == 0 {
		return nil, fmt.Errorf("%w: it has no attack", ErrSuite)
	}
	var jobs []job
	for _, a := range s.Attacks {
		if len(a.Turns) == 0 {
			return nil, fmt.Errorf("%w: the attack %q says nothing", ErrSuite, a.ID)
		}
		for _, m := range append([]Mutator{{}}, t.o.Mutators...) {
			for try := range t.o.Tries {
				jobs = append(jobs, job{attack: a, mutator: m, try: try})
			}
		}
	}
	for i := range s.Ordinary {
		jobs = append(jobs, job{ordinary: &s.Ordinary[i]})
	}
	return t.all(ctx, jobs, t.one)
}

// all runs jobs with the workers.
func (t *Tester) all(ctx context.Context, jobs []job, one func(context.Context, job) *Result) (*Report, error) {
	results := make([]*Result, len(jobs))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range min(t.o.Workers, len(jobs)) {
		wg.Go(func() {
			for i := range next {
				results[i] = one(ctx, jobs[i])
				mu.Lock()
				if done++; t.o.Progress != nil {
					t.o.Progress(done, len(jobs))
				}
				mu.Unlock()
			}
		})
	}
	for i := range jobs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	report := &Report{Version: 1}
	for _, r := range results {
		if r != nil {
			report.Results = append(report.Results, *r)
		}
	}
	return report, nil
}

// random returns the random numbers of a try. They follow from its name, so a run with
// more attacks or workers has the same words.
func (t *Tester) random(j job) *rand.Rand {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%s\x00%s\x00%d", j.attack.ID, j.mutator.Name, j.try)
	return rand.New(rand.NewPCG(t.o.Seed, h.Sum64())) //nolint:gosec // words, not keys
}

// one makes one try. It returns nil if the mutator can't rewrite the attack.
func (t *Tester) one(ctx context.Context, j job) *Result {
	ctx, cancel := context.WithTimeout(ctx, t.o.Timeout)
	defer cancel()
	if j.ordinary != nil {
		return t.ordinary(ctx, *j.ordinary)
	}
	a, order := t.filled(j)
	r := &Result{Attack: a.ID, Mutator: j.mutator.Name, Kind: KindAttack, Try: j.try, Threats: a.Threats}
	if j.mutator.Mutate != nil {
		var ok bool
		if a, ok = j.mutator.Mutate(a, order, t.random(j)); !ok {
			return nil
		}
		r.Threats = merged(a.Threats, j.mutator.Threats)
	}
	var talk []Exchange
	for _, turn := range a.Turns {
		answer, err := t.ask(ctx, Conversation{Earlier: talk, User: turn, Document: a.Document})
		if err != nil {
			r.fail(err)
			r.keep(a.Document, talk)
			return r
		}
		talk = append(talk, Exchange{turn, answer})
		if answer.Blocked {
			break
		}
	}
	s := t.score(ctx, a, talk)
	r.Outcome, r.By, r.Reason = s.outcome, s.by, s.reason
	r.keep(a.Document, talk)
	return r
}

func (t *Tester) filled(j job) (Attack, string) {
	random := t.random(j)
	order := orders[j.attack.Order].english
	filled := j.attack
	// The order is filled together with the attack, so that both have the same words.
	filled.Turns = append(slices.Clone(filled.Turns), order)
	filled = filled.fill(random, order)
	last := len(filled.Turns) - 1
	order = filled.Turns[last]
	filled.Turns = filled.Turns[:last]
	return filled, order
}

func merged(a, b []string) []string {
	out := slices.Clone(a)
	for _, id := range b {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// ask asks the target, and leaves it if its time is over. A panic of the target is an
// error, since a red team must not be ended by what it attacks.
func (t *Tester) ask(ctx context.Context, c Conversation) (Answer, error) {
	type result struct {
		answer Answer
		err    error
	}
	c.Earlier = slices.Clone(c.Earlier)
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("redteam: the target panicked: %v", p)}
			}
			done <- r
		}()
		r.answer, r.err = t.target.Answer(ctx, c)
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

func (t *Tester) ordinary(ctx context.Context, o Ordinary) *Result {
	r := &Result{Attack: o.ID, Kind: KindOrdinary, Threats: o.Threats}
	answer, err := t.ask(ctx, Conversation{User: o.Text, Document: o.Document})
	if err != nil {
		r.fail(err)
		return r
	}
	r.keep(o.Document, []Exchange{{o.Text, answer}})
	switch {
	case answer.Blocked:
		r.Outcome, r.By = OutcomeResisted, answer.By
	case answer.Refusal != "" || t.refusals.Is(answer.Text):
		r.Outcome, r.By = OutcomeResisted, "refusal"
	case strings.TrimSpace(answer.Text) == "" && len(answer.Calls) == 0:
		r.Outcome, r.Reason = OutcomeUnscored, "the answer is empty"
	default:
		r.Outcome = OutcomeSucceeded // it was answered
	}
	return r
}

func (r *Result) fail(err error) {
	r.Outcome, r.Reason = OutcomeFailed, err.Error()
	if errors.Is(err, context.DeadlineExceeded) {
		r.Reason = "the target did not answer in time"
	}
	r.Reason = clip(r.Reason)
}

// maxExcerpt bounds what a report keeps of a text.
const maxExcerpt = 2 << 10

func clip(s string) string {
	if len(s) <= maxExcerpt {
		return strings.ToValidUTF8(s, "\ufffd")
	}
	return strings.ToValidUTF8(s[:maxExcerpt], "") + "…"
}

// keep puts excerpts of a conversation into the result.
func (r *Result) keep(document string, talk []Exchange) {
	r.Document = clip(document)
	for _, e := range talk {
		turn := Turn{User: clip(e.User), Answer: clip(strings.TrimSpace(e.Answer.Text + " " + e.Answer.Refusal))}
		for _, c := range e.Answer.Calls {
			turn.Calls = append(turn.Calls, clip(c.Tool+" "+c.Arguments))
		}
		r.Talk = append(r.Talk, turn)
	}
}

var _ io.WriterTo = (*Report)(nil)
