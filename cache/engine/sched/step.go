package sched

import (
	"slices"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
)

// A Plan is what an engine computes in one step.
type Plan struct {
	Prefill   []Chunk
	Decode    []*Job    // each computes its last generated token
	Copies    []kv.Copy // to do before the step
	Preempted []*Job
}

// A Chunk is a part of a prompt: the tokens From to To of the job's sequence, To not
// included. Last says that the step also gives the next token.
type Chunk struct {
	Job      *Job
	From, To int
	Last     bool
}

// Tokens is how many tokens the plan computes.
func (p *Plan) Tokens() (n int) {
	for _, c := range p.Prefill {
		n += c.To - c.From
	}
	return n + len(p.Decode)
}

// Outputs returns the jobs that get a token from the step, in the order in which
// [Scheduler.Complete] expects them: the last chunks of prompts, then Decode.
func (p *Plan) Outputs() []*Job {
	out := make([]*Job, 0, len(p.Decode)+len(p.Prefill))
	for _, c := range p.Prefill {
		if c.Last {
			out = append(out, c.Job)
		}
	}
	return append(out, p.Decode...)
}

// Step decides what to compute next. The plan is empty if there is nothing to do now.
// After a plan that is not empty comes [Scheduler.Complete].
func (s *Scheduler) Step(now time.Duration) *Plan {
	p := &Plan{}
	s.admit(now, p)
	prefill := slices.ContainsFunc(s.running, (*Job).prefilling)
	decode := slices.ContainsFunc(s.running, func(j *Job) bool { return !j.prefilling() })
	switch {
	case s.o.Policy != PolicyContinuous:
		if prefill {
			s.prefill(p, 0)
		} else {
			s.decode(p)
		}
	case !s.o.NoChunks:
		s.decode(p)
		s.prefill(p, s.o.StepTokens-len(p.Decode))
	case prefill && (!decode || s.prefills < s.o.PrefillSteps):
		s.prefill(p, s.o.StepTokens)
	default:
		s.decode(p)
	}
	if len(p.Decode) > 0 {
		s.prefills = 0
	} else if len(p.Prefill) > 0 {
		s.prefills++
	}
	if p.Tokens() > 0 {
		s.stats.Steps++
	}
	return p
}

// decode plans a token for each job whose prompt is computed.
func (s *Scheduler) decode(p *Plan) {
	for _, j := range slices.Clone(s.running) {
		if j.Seq == nil || j.prefilling() { // preempted for one before it
			continue
		}
		if s.grow(j, p) {
			p.Decode = append(p.Decode, j)
		}
	}
	// A later job can have preempted an earlier one that was planned already.
	p.Decode = slices.DeleteFunc(p.Decode, func(j *Job) bool { return j.Seq == nil })
}

// prefill plans prompts, in the order of admission, of up to budget tokens. A budget of 0
// has no limit. Without chunks a prompt that is longer than the budget has a step of its
// own.
func (s *Scheduler) prefill(p *Plan, budget int) {
	limit := budget > 0 || s.o.Policy == PolicyContinuous
	for _, j := range s.running {
		n := j.target - j.Computed
		if n <= 0 {
			continue
		}
		if limit {
			if s.o.NoChunks && n > budget && len(p.Prefill) > 0 {
				return
			}
			if !s.o.NoChunks {
				n = min(n, budget)
			}
			if n <= 0 {
				return
			}
			budget -= n
		}
		p.Prefill = append(p.Prefill, Chunk{Job: j, From: j.Computed, To: j.Computed + n, Last: j.Computed+n == j.target})
		if limit && budget <= 0 {
			return
		}
	}
}

// A Token is what the engine generated for a job.
type Token struct {
	ID   int
	Stop bool // the answer ends with it, before Request.Output
}

// Complete notes that a plan was computed, at what time, and which tokens
// came out, one for each of [Plan.Outputs]. It returns the jobs that ended. Jobs that were
// canceled meanwhile are passed over.
func (s *Scheduler) Complete(p *Plan, now time.Duration, tokens []Token) (ended []*Job) {
	for _, c := range p.Prefill {
		if c.Job.Seq != nil {
			c.Job.Computed = c.To
			c.Job.Seq.Computed(c.To)
		}
	}
	for _, j := range p.Decode {
		if j.Seq != nil {
			j.Computed++
			j.target = j.Computed
			j.Seq.Computed(j.Computed)
		}
	}
	outputs := p.Outputs()
	if len(outputs) > 0 {
		s.stats.Slots += s.o.Slots
		s.stats.Useful += len(outputs)
	}
	for i, j := range outputs {
		if j.Seq == nil || i >= len(tokens) {
			continue
		}
		if j.First < 0 {
			j.First = now
		} else {
			j.MaxGap = max(j.MaxGap, now-j.last)
		}
		j.last = now
		j.Generated = append(j.Generated, tokens[i].ID)
		if len(j.Generated) >= j.Output || tokens[i].Stop {
			s.end(j, now)
			ended = append(ended, j)
		}
	}
	return ended
}
