package queue

import (
	"maps"
	"slices"
	"time"
)

func (t *table) list(q Listing) []*Job {
	names := slices.Sorted(maps.Keys(t.lines))
	if q.Queue != "" {
		names = []string{q.Queue}
	}
	limit, skip := q.Limit, q.Skip
	if limit <= 0 {
		limit = 100
	}
	var out []*Job
	visit := func(r *record) bool {
		if !t.current(r) || r.state != q.State {
			return true
		}
		if skip--; skip < 0 {
			out = append(out, r.job())
		}
		return len(out) < limit
	}
	for _, name := range names {
		if t.lines[name] != nil && len(out) < limit {
			t.eachOf(name, q.State, visit)
		}
	}
	return out
}

// eachOf calls visit with the jobs of a queue in a state, in order, until it returns
// false.
func (t *table) eachOf(name string, state State, visit func(*record) bool) {
	l := t.lines[name]
	switch state {
	case StatePending:
		if !l.ready.each(visit) {
			return
		}
		later := slices.Clone(l.later)
		slices.SortFunc(later, func(a, b entry) int { return compareEntries(a, b) })
		for _, e := range later {
			if !visit(e.r) {
				return
			}
		}
	case StateRunning:
		rows := slices.SortedFunc(maps.Values(t.running), func(a, b *record) int { return int(int64(a.seq) - int64(b.seq)) })
		for _, r := range rows {
			if r.queue == name && !visit(r) {
				return
			}
		}
	case StateDone:
		l.done.each(visit)
	case StateDead:
		l.dead.each(visit)
	}
}

func (t *table) stats(now int64) []Stats {
	var out []Stats
	for _, name := range slices.Sorted(maps.Keys(t.lines)) {
		l := t.lines[name]
		t.promote(l, now)
		s := Stats{
			Queue: name, Ready: l.count[StatePending] - l.waiting, Scheduled: l.waiting, Running: l.count[StateRunning],
			Done: l.count[StateDone], Dead: l.count[StateDead], Added: l.added, Finished: l.finished, Failed: l.failed,
		}
		l.ready.each(func(r *record) bool {
			if !t.current(r) {
				return true
			}
			s.Oldest = time.Duration(max(0, now-r.runAt))
			return false
		})
		out = append(out, s)
	}
	return out
}
