package queue

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// Memory is a [Store] that forgets everything when the program ends. It is for tests
// and for trying things out. It is safe for concurrent use.
type Memory struct{ shared }

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{shared{t: newTable(), news: make(chan struct{})}} }

// shared is a table with a lock, and a signal for those that wait for jobs.
type shared struct {
	mu      sync.Mutex
	t       *table
	news    chan struct{} // closed when a job may have become ready
	waiters int

	// commit is called with the lock held after each step that has changed the table.
	// What it returns is called without the lock. nil: the steps are not written down.
	commit func(durable bool) func() error
	failed error        // why no step can be made
	heal   func() error // tries to end that; nil: it stays
}

// step makes one change. durable: it returns when the change is on disk.
func (s *shared) step(ctx context.Context, durable bool, change func(t *table) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.failed != nil {
		err := s.failed
		s.mu.Unlock()
		if s.heal == nil {
			return err
		}
		if err = s.heal(); err != nil {
			return err
		}
		return s.step(ctx, durable, change)
	}
	err := change(s.t)
	var wait func() error
	if s.commit != nil && len(s.t.out) > 0 {
		wait = s.commit(durable)
	}
	s.t.out = s.t.out[:0]
	s.mu.Unlock()
	if wait != nil {
		if werr := wait(); err == nil {
			err = werr
		}
	}
	return err
}

// tell wakes those that wait. The lock is held.
func (s *shared) tell() {
	if s.waiters > 0 {
		close(s.news)
		s.news = make(chan struct{})
	}
}

// Add implements [Store].
func (s *shared) Add(ctx context.Context, now time.Time, b Batch) error {
	return s.step(ctx, true, func(t *table) error {
		defer s.tell()
		return t.add(now.UnixNano(), b)
	})
}

// Claim implements [Store].
func (s *shared) Claim(ctx context.Context, now time.Time, c Claim) (jobs []*Job, err error) {
	err = s.step(ctx, false, func(t *table) error {
		for range max(c.Most, 1) {
			r := t.claim(now.UnixNano(), c)
			if r == nil {
				break
			}
			jobs = append(jobs, r.job())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return jobs, nil
}

// Renew implements [Store].
func (s *shared) Renew(ctx context.Context, now time.Time, lease time.Duration, held []Lease) (lost []Lease, err error) {
	err = s.step(ctx, false, func(t *table) error {
		lost = t.renew(now.UnixNano(), lease, held)
		return nil
	})
	return lost, err
}

// Finish implements [Store].
func (s *shared) Finish(ctx context.Context, now time.Time, l Lease, f Finish) error {
	return s.step(ctx, true, func(t *table) error {
		if f.State != StateDone || f.Then != nil || t.running[l.Job] != nil && t.running[l.Job].group != "" {
			defer s.tell()
		}
		return t.finish(now.UnixNano(), l, f)
	})
}

// Report implements [Store].
func (s *shared) Report(ctx context.Context, _ time.Time, l Lease, progress json.RawMessage) error {
	return s.step(ctx, false, func(t *table) error { return t.report(l, progress) })
}

// Recover implements [Store].
func (s *shared) Recover(ctx context.Context, now time.Time) (n int, err error) {
	err = s.step(ctx, false, func(t *table) error {
		if n = t.recover(now.UnixNano(), false); n > 0 {
			s.tell()
		}
		return nil
	})
	return n, err
}

// Wait implements [Store].
func (s *shared) Wait(ctx context.Context, now, until time.Time, queues []string) error {
	s.mu.Lock()
	if s.failed != nil {
		defer s.mu.Unlock()
		return s.failed
	}
	ready, at := s.t.next(now.UnixNano(), queues)
	news := s.news
	s.waiters++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.waiters--
		s.mu.Unlock()
	}()
	d := until.Sub(now)
	if at != 0 {
		d = min(d, time.Duration(at-now.UnixNano()))
	}
	if ready || d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	case <-news:
	}
	return nil
}

// Get implements [Store].
func (s *shared) Get(ctx context.Context, id string) (j *Job, err error) {
	err = s.step(ctx, false, func(t *table) error {
		r := t.jobs[id]
		if r == nil {
			return ErrNotFound
		}
		j = r.job()
		return nil
	})
	return j, err
}

// List implements [Store].
func (s *shared) List(ctx context.Context, q Listing) (out []*Job, err error) {
	err = s.step(ctx, false, func(t *table) error {
		out = t.list(q)
		return nil
	})
	return out, err
}

// Stats implements [Store].
func (s *shared) Stats(ctx context.Context, now time.Time) (out []Stats, err error) {
	err = s.step(ctx, false, func(t *table) error {
		out = t.stats(now.UnixNano())
		return nil
	})
	return out, err
}

// Redrive implements [Store].
func (s *shared) Redrive(ctx context.Context, now time.Time, id string) error {
	return s.step(ctx, true, func(t *table) error {
		defer s.tell()
		return t.redrive(now.UnixNano(), id)
	})
}

// Delete implements [Store].
func (s *shared) Delete(ctx context.Context, id string) error {
	return s.step(ctx, true, func(t *table) error { return t.remove1(id) })
}

// LastSlot implements [Store].
func (s *shared) LastSlot(ctx context.Context, schedule string) (slot time.Time, err error) {
	err = s.step(ctx, false, func(t *table) error {
		slot = instant(t.slots[schedule])
		return nil
	})
	return slot, err
}

// AddSlot implements [Store].
func (s *shared) AddSlot(ctx context.Context, now time.Time, schedule string, slot time.Time, b Batch) (ok bool, err error) {
	err = s.step(ctx, true, func(t *table) error {
		defer s.tell()
		ok, err = t.addSlot(now.UnixNano(), schedule, slot.UnixNano(), b)
		return err
	})
	if err != nil {
		return false, err
	}
	return ok, nil
}
