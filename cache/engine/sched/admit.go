package sched

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
)

// scan is how many waiting requests one step looks at.
const scan = 256

// admit lets waiting requests run, as many as fit.
func (s *Scheduler) admit(now time.Duration, p *Plan) {
	if s.o.Policy != PolicyContinuous && (len(s.running) > 0 || !s.batchReady(now)) {
		return
	}
	s.fill(now, p)
	if len(s.running) == 0 && len(s.waiting) > 0 { // preempted for one that still did not fit
		if s.start(s.waiting[0], now) {
			s.waiting = slices.Delete(s.waiting, 0, 1)
		}
	}
}

func (s *Scheduler) fill(now time.Duration, p *Plan) {
	var blocked []*Job
	for i := 0; i < len(s.waiting) && i < scan; {
		if slices.ContainsFunc(blocked, func(b *Job) bool { return b.passed >= s.o.SkipAhead }) {
			return
		}
		j := s.waiting[i]
		ok := len(s.running) < s.o.Slots && s.start(j, now)
		if !ok && s.makeRoom(j, p) {
			ok = s.start(j, now)
		}
		switch {
		case ok:
			s.waiting = slices.Delete(s.waiting, i, i+1)
			for _, b := range blocked {
				b.passed++
			}
		case len(s.running) >= s.o.Slots:
			return
		default:
			blocked = append(blocked, j)
			i++
		}
	}
}

// batchReady reports whether a batch can start.
func (s *Scheduler) batchReady(now time.Duration) bool {
	if len(s.waiting) >= s.o.Slots || s.flush && len(s.waiting) > 0 {
		return true
	}
	at, ok := s.Next()
	return ok && now >= at
}

// makeRoom preempts less important jobs for one that is more important, if that can give
// it a slot and the blocks it needs. It tries once between two ends of jobs, because
// blocks that are shared with others don't become free.
func (s *Scheduler) makeRoom(j *Job, p *Plan) bool {
	if s.o.Policy != PolicyContinuous || j.tried == s.ends+1 {
		return false
	}
	less := slices.DeleteFunc(slices.Clone(s.running), func(v *Job) bool { return v.Priority >= j.Priority })
	slices.SortFunc(less, func(a, b *Job) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(b.order, a.order))
	})
	free, slots := s.pool.Free()-s.reserved, s.o.Slots-len(s.running)
	for _, v := range less {
		free += len(v.Seq.Table()) + v.reserved
		slots++
	}
	if slots <= 0 || s.need(j) > free {
		return false
	}
	j.tried = s.ends + 1
	for _, v := range less {
		s.preempt(v, p)
		if len(s.running) < s.o.Slots && s.need(j) <= s.pool.Free()-s.reserved {
			return true
		}
	}
	return false
}

// need is how many blocks must be free for a job to start. With ReserveNeeded one more for
// each job that runs, so that the next step does not preempt it again.
func (s *Scheduler) need(j *Job) int {
	if s.o.Reserve == ReserveAll {
		return s.pool.Need(j.prompt() + j.Output)
	}
	return s.pool.Need(j.target) + len(s.running)
}

// victim returns the job to preempt first: of those with the lowest priority the one that
// arrived last.
func (s *Scheduler) victim() (v *Job) {
	for _, j := range s.running {
		if v == nil || j.Priority < v.Priority || j.Priority == v.Priority && j.order > v.order {
			v = j
		}
	}
	return v
}

// preempt lets a job give up its blocks. It computes all its tokens again later.
func (s *Scheduler) preempt(j *Job, p *Plan) {
	s.leave(j)
	j.Preemptions++
	j.Computed = 0
	j.target = j.prompt() + len(j.Generated)
	s.stats.Preemptions++
	p.Preempted = append(p.Preempted, j)
	s.wait(j)
}

// start gives a job its blocks, all or none.
func (s *Scheduler) start(j *Job, now time.Duration) bool {
	if s.need(j) > s.pool.Free()-s.reserved {
		return false
	}
	seq, err := s.pool.Allocate(kv.Request{Tokens: j.all(), Extra: j.Extra, Resumed: j.Preemptions > 0})
	if err != nil { // never: need is the stricter rule
		return false
	}
	j.Seq, j.Computed = seq, seq.Cached()
	if j.Preemptions == 0 {
		j.Cached = seq.Cached()
	}
	if j.Admitted < 0 {
		j.Admitted = now
	}
	if s.o.Reserve == ReserveAll {
		j.reserved = s.pool.Need(j.prompt()+j.Output) - len(seq.Table())
		s.reserved += j.reserved
	}
	s.running = append(s.running, j)
	return true
}

// grow adds the last generated token to a job's sequence. If there is no block for it,
// others are preempted, one at a time; a job that is itself the one to preempt reports
// false.
func (s *Scheduler) grow(j *Job, p *Plan) bool {
	for {
		had := len(j.Seq.Table())
		c, copied, err := j.Seq.Append(j.Generated[len(j.Generated)-1])
		if err == nil {
			if grown := len(j.Seq.Table()) - had; grown > 0 && j.reserved > 0 {
				j.reserved -= grown
				s.reserved -= grown
			}
			if copied {
				p.Copies = append(p.Copies, c)
			}
			return true
		}
		if !errors.Is(err, kv.ErrFull) {
			return false
		}
		v := s.victim()
		s.preempt(v, p)
		if v == j {
			return false
		}
	}
}
