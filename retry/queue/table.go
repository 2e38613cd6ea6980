package queue

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A table is the state of an embedded store and the rules by which it changes. It
// does no I/O and takes the time as an argument; a lock above it makes each method
// one step. Each change is appended to out in the journal's form.
type table struct {
	jobs    map[string]*record
	unique  map[string]string // unique key -> id of the live job
	lines   map[string]*line
	running map[string]*record
	groups  map[string]*group
	slots   map[string]int64
	expiry  heap // of done jobs, by when their results are deleted
	seq     uint64
	live    int64 // bytes that a snapshot has, about

	out []byte // the current transaction

	// Of a replay.
	ended  bool      // the end of the snapshot was there
	expect int       // jobs, about
	order  []*record // in the order of arrival, with those that are gone
}

// A line is one queue. Its lists may contain records that have changed since: an
// entry counts only while the table has that very record.
type line struct {
	ready    fifo
	later    heap
	promoted int64 // pending records with a later runAt are in later, the others in ready
	dead     fifo
	done     fifo
	count    [StateDead + 1]int
	waiting  int // of the pending: those in later

	added, finished, failed uint64
}

type group struct {
	ID      string
	Queue   string
	Total   int
	Then    Step
	Results map[int]json.RawMessage
}

func newTable() *table {
	return &table{
		jobs: map[string]*record{}, unique: map[string]string{}, lines: map[string]*line{}, running: map[string]*record{},
		groups: map[string]*group{}, slots: map[string]int64{},
	}
}

func (t *table) line(name string) *line {
	l := t.lines[name]
	if l == nil {
		l = &line{}
		t.lines[name] = l
	}
	return l
}

// current reports whether the table still has this very record.
func (t *table) current(r *record) bool { return t.jobs[r.id] == r }

// index puts a record into the lists that its state needs.
func (t *table) index(r *record) {
	l := t.line(r.queue)
	l.count[r.state]++
	if r.unique != "" && (r.state == StatePending || r.state == StateRunning) {
		t.unique[r.unique] = r.id
	}
	switch r.state {
	case StatePending:
		if r.runAt > l.promoted {
			l.later.push(entry{r.runAt, r})
			l.waiting++
		} else {
			l.ready.push(r)
		}
	case StateRunning:
		t.running[r.id] = r
	case StateDone:
		l.done.push(r)
		t.expiry.push(entry{r.finished + r.keep, r})
	case StateDead:
		l.dead.push(r)
	}
	t.live += size(r)
}

// remove takes a record out of what index has put it into.
func (t *table) remove(r *record) {
	l := t.line(r.queue)
	l.count[r.state]--
	if t.unique[r.unique] == r.id {
		delete(t.unique, r.unique)
	}
	if r.state == StatePending && r.runAt > l.promoted {
		l.waiting--
	}
	delete(t.running, r.id)
	delete(t.jobs, r.id)
	t.live -= size(r)
	l.dead.shrink(l.count[StateDead], t.current)
	l.done.shrink(l.count[StateDone], t.current)
}

func size(r *record) int64 {
	return int64(64 + len(r.id)*2 + len(r.kind) + len(r.queue) + len(r.payload) + len(r.result) + len(r.progress) + len(r.error))
}

// replace puts a record in the place of an older one of the same job.
func (t *table) replace(old, r *record) {
	t.remove(old)
	t.jobs[r.id] = r
	t.index(r)
	t.out = appendMeta(t.out, r)
}

func (t *table) delete(r *record) {
	t.remove(r)
	t.out = appendString(append(t.out, opDelete), r.id)
}

// check reports whether a batch can be added.
func (t *table) check(b Batch) error {
	ids, keys := map[string]bool{}, map[string]string{}
	for _, j := range b.Jobs {
		if j == nil || j.ID == "" || j.Kind == "" || j.Queue == "" {
			return optionError("a job has no ID, Kind or Queue")
		}
		if t.jobs[j.ID] != nil || ids[j.ID] {
			return &DuplicateError{ID: j.ID}
		}
		if j.Unique != "" {
			id, taken := t.unique[j.Unique]
			if other, again := keys[j.Unique]; again {
				id, taken = other, true
			}
			if taken {
				return &DuplicateError{Key: j.Unique, ID: id}
			}
			keys[j.Unique] = j.ID
		}
		ids[j.ID] = true
		for _, s := range j.Then {
			if len(s.Payload) > 0 && !json.Valid(s.Payload) {
				return optionError("the payload of a step %q is not JSON", s.Kind)
			}
		}
	}
	for _, g := range b.Groups {
		if g.ID == "" || g.Total < 1 || g.Then.Kind == "" || len(g.Then.Payload) > 0 && !json.Valid(g.Then.Payload) {
			return optionError("a group has no ID, no jobs, or no last step")
		}
		if t.jobs[g.ID] != nil || t.groups[g.ID] != nil {
			return &DuplicateError{ID: g.ID}
		}
	}
	return nil
}

func (t *table) add(now int64, b Batch) error {
	if err := t.check(b); err != nil {
		return err
	}
	for _, g := range b.Groups {
		own := &group{ID: g.ID, Total: g.Total, Then: g.Then, Queue: g.Then.Queue, Results: map[int]json.RawMessage{}}
		if own.Queue == "" && len(b.Jobs) > 0 {
			own.Queue = b.Jobs[0].Queue
		}
		var err error
		if t.out, err = appendGroup(t.out, own); err != nil {
			return err
		}
		t.groups[g.ID] = own
	}
	for _, j := range b.Jobs {
		t.seq++
		r := recordOf(j, t.seq)
		if r.enqueued == 0 {
			r.enqueued = now
		}
		if r.runAt == 0 {
			r.runAt = now
		}
		l := t.line(r.queue)
		t.promote(l, now)
		l.added++
		t.jobs[r.id] = r
		t.index(r)
		t.out = appendPut(t.out, r)
	}
	return nil
}

// promote moves the records that are due from later to ready.
func (t *table) promote(l *line, now int64) {
	for len(l.later) > 0 && l.later[0].at <= now {
		r := l.later.pop().r
		if t.current(r) {
			l.ready.push(r)
			l.waiting--
		}
	}
	l.promoted = max(l.promoted, now)
}

// ready reports whether one of the queues has a job that is due, and when the next
// one is due: 0 means never.
func (t *table) next(now int64, queues []string) (ready bool, at int64) {
	for _, name := range queues {
		l := t.lines[name]
		if l == nil {
			continue
		}
		t.promote(l, now)
		if l.count[StatePending] > l.waiting {
			return true, now
		}
		if len(l.later) > 0 && (at == 0 || l.later[0].at < at) {
			at = l.later[0].at
		}
	}
	return false, at
}

func (t *table) claim(now int64, c Claim) *record {
	for _, name := range c.Queues {
		l := t.lines[name]
		if l == nil {
			continue
		}
		t.promote(l, now)
		r := l.ready.pop(t.current)
		if r == nil {
			continue
		}
		next := *r
		next.state, next.worker = StateRunning, strings.Clone(c.Worker)
		next.lease++
		next.leaseEnd = now + int64(c.Lease)
		t.replace(r, &next)
		return &next
	}
	return nil
}

// held returns the record of a lease that is still its job's.
func (t *table) held(l Lease) (*record, error) {
	r := t.running[l.Job]
	if r == nil || r.lease != l.Number {
		return nil, ErrLeaseLost
	}
	return r, nil
}

// renew is not written down: when a process ends, its leases end with it.
func (t *table) renew(now int64, lease time.Duration, held []Lease) (lost []Lease) {
	for _, l := range held {
		r, err := t.held(l)
		if err != nil {
			lost = append(lost, l)
			continue
		}
		next := *r
		next.leaseEnd = now + int64(lease)
		t.running[r.id], t.jobs[r.id] = &next, &next
	}
	return lost
}

func (t *table) finish(now int64, l Lease, f Finish) error {
	r, err := t.held(l)
	if err != nil {
		return err
	}
	if f.Then != nil {
		if err := t.check(Batch{Jobs: []*Job{f.Then}}); err != nil {
			return err
		}
	}
	next := *r
	next.state, next.error, next.class, next.reason = f.State, f.Error, f.Class, f.Reason
	next.worker, next.leaseEnd = "", 0
	if f.Failed {
		next.failures++
		t.line(r.queue).failed++
	}
	switch f.State {
	case StateDone:
		next.result, next.finished = string(f.Result), now
		t.line(r.queue).finished++
		if next.keep > 0 {
			t.replace(r, &next)
		} else {
			t.delete(r)
		}
		if f.Then != nil {
			return t.add(now, Batch{Jobs: []*Job{f.Then}})
		}
		t.member(now, &next)
	case StateDead:
		next.finished = now
		t.replace(r, &next)
	case StatePending:
		next.runAt = max(nanos(f.RunAt), now)
		t.promote(t.line(r.queue), now)
		t.replace(r, &next)
	default:
		return optionError("a run ends in the state %v: want done, dead or pending", f.State)
	}
	return nil
}

// member notes the result of a group's job, and adds the last step with the last one.
func (t *table) member(now int64, r *record) {
	g := t.groups[r.group]
	if g == nil {
		return
	}
	g.Results[int(r.groupIndex)] = raw(r.result)
	t.out = appendString(append(t.out, opResult), g.ID)
	t.out = appendString(binary.AppendUvarint(t.out, uint64(r.groupIndex)), r.result)
	if len(g.Results) < g.Total {
		return
	}
	delete(t.groups, g.ID)
	t.out = appendString(append(t.out, opGroupGone), g.ID)
	list := make([]json.RawMessage, 0, g.Total)
	for _, i := range slices.Sorted(maps.Keys(g.Results)) {
		list = append(list, orNull(g.Results[i]))
	}
	results, err := json.Marshal(list)
	if err != nil {
		results = []byte("null") // not reached: Finish takes only valid JSON from a Worker
	}
	last := g.Then.job(g.ID, g.Queue, results)
	_ = t.add(now, Batch{Jobs: []*Job{last}}) // its id was kept free by the group
}

func orNull(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("null")
	}
	return m
}

// job makes a step's job.
func (s Step) job(id, queue string, result json.RawMessage) *Job {
	j := &Job{
		ID: id, Kind: s.Kind, Queue: s.Queue, Payload: s.Payload,
		MaxAttempts: s.MaxAttempts, MaxLosses: s.MaxLosses, Timeout: s.Timeout, Keep: s.Keep,
	}
	if j.Queue == "" {
		j.Queue = queue
	}
	if len(j.Payload) == 0 {
		j.Payload = orNull(result)
	}
	return j
}

func (t *table) report(l Lease, progress json.RawMessage) error {
	r, err := t.held(l)
	if err != nil {
		return err
	}
	next := *r
	next.progress = string(progress)
	t.replace(r, &next)
	return nil
}

// recover gives back what is running on a lease that has ended, or all of it.
func (t *table) recover(now int64, all bool) (n int) {
	var lost []*record
	for _, r := range t.running {
		if all || r.leaseEnd <= now {
			lost = append(lost, r)
		}
	}
	slices.SortFunc(lost, func(a, b *record) int { return int(int64(a.seq) - int64(b.seq)) })
	for _, r := range lost {
		next := *r
		next.losses++
		next.state, next.leaseEnd, next.runAt = StatePending, 0, now
		next.error = "the worker " + r.worker + " was lost"
		if next.losses >= next.maxLosses {
			next.state, next.reason, next.finished = StateDead, ReasonLosses, now
		}
		l := t.line(r.queue)
		l.failed++
		t.promote(l, now)
		t.replace(r, &next)
		n++
	}
	for len(t.expiry) > 0 && t.expiry[0].at <= now {
		if r := t.expiry.pop().r; t.current(r) {
			t.delete(r)
		}
	}
	return n
}

func (t *table) redrive(now int64, id string) error {
	r := t.jobs[id]
	if r == nil || r.state != StateDead {
		return ErrNotFound
	}
	if other, taken := t.unique[r.unique]; taken && r.unique != "" {
		return &DuplicateError{Key: r.unique, ID: other}
	}
	next := *r
	next.state, next.reason, next.runAt, next.finished, next.failures, next.losses = StatePending, 0, now, 0, 0, 0
	t.promote(t.line(r.queue), now)
	t.replace(r, &next)
	return nil
}

func (t *table) remove1(id string) error {
	r := t.jobs[id]
	if r == nil || r.state == StateRunning {
		return ErrNotFound
	}
	if g := t.groups[r.group]; g != nil && r.state != StateDone { // it can't be complete any more
		delete(t.groups, g.ID)
		t.out = appendString(append(t.out, opGroupGone), g.ID)
	}
	t.delete(r)
	return nil
}

func (t *table) addSlot(now int64, schedule string, slot int64, b Batch) (bool, error) {
	if last, ok := t.slots[schedule]; ok && slot <= last {
		return false, nil
	}
	if err := t.add(now, b); err != nil {
		return false, err
	}
	t.setSlot(schedule, slot)
	return true, nil
}

func (t *table) setSlot(schedule string, slot int64) {
	t.slots[schedule] = slot
	t.out = binary.AppendVarint(appendString(append(t.out, opSlot), schedule), slot)
}
