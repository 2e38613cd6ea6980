package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
)

// Options are the settings of [New].
type Options struct {
	// Prefix begins all keys. In a cluster it must have a hash tag. Default:
	// "{prodai.queue}:".
	Prefix string
}

// A Store is a queue.Store in Redis. It is safe for concurrent use.
type Store struct {
	client redis.UniversalClient
	prefix string
}

var _ queue.Store = (*Store)(nil)

// ErrOption is wrapped by the error of [New] for options that can't work.
var ErrOption = errors.New("queue/redis: invalid option")

// New returns a store on a client. It fails with [ErrOption].
func New(client redis.UniversalClient, o *Options) (*Store, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: the client of New is nil", ErrOption)
	}
	s := &Store{client: client, prefix: "{prodai.queue}:"}
	if o != nil {
		s.prefix = cmp.Or(o.Prefix, s.prefix)
	}
	return s, nil
}

// run runs a script. A script answers nothing, or why it did nothing.
func (s *Store) run(ctx context.Context, script *redis.Script, args ...any) ([]string, error) {
	got, err := script.Run(ctx, s.client, []string{s.prefix}, args...).StringSlice()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return got, err
}

// refusal is the error of a script's answer: one word, or the key and the id of another
// job.
func refusal(got []string) error {
	switch {
	case len(got) == 2:
		return &queue.DuplicateError{Key: got[0], ID: got[1]}
	case len(got) == 1 && got[0] == "lost":
		return queue.ErrLeaseLost
	case len(got) == 1 && got[0] == "none":
		return queue.ErrNotFound
	}
	return nil
}

func nanos(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return strconv.FormatInt(t.UnixNano(), 10)
}

func instant(s string) time.Time {
	ns, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// args are a job's arguments of the scripts' function add.
func args(j *queue.Job, now time.Time) ([]any, error) {
	if j == nil || j.ID == "" || j.Kind == "" || j.Queue == "" {
		return nil, fmt.Errorf("%w: a job has no ID, Kind or Queue", ErrOption)
	}
	fixed := *j
	if fixed.RunAt.IsZero() {
		fixed.RunAt = now
	}
	if fixed.Enqueued.IsZero() {
		fixed.Enqueued = now
	}
	runAt := fixed.RunAt
	payload := string(fixed.Payload)
	fixed.Payload, fixed.State = nil, queue.StatePending
	data, err := json.Marshal(fixed)
	if err != nil {
		return nil, fmt.Errorf("queue/redis: job %s: %w", j.ID, err)
	}
	return []any{j.ID, j.Queue, j.Unique, data, payload, runAt.UnixMilli(), nanos(runAt), j.MaxLosses, j.Keep.Milliseconds(), j.Group, j.GroupIndex}, nil
}

func batchArgs(b queue.Batch, now time.Time) ([]any, error) {
	out := []any{len(b.Jobs), len(b.Groups)}
	for _, j := range b.Jobs {
		a, err := args(j, now)
		if err != nil {
			return nil, err
		}
		out = append(out, a...)
	}
	for _, g := range b.Groups {
		if g.ID == "" || g.Total < 1 || g.Then.Kind == "" {
			return nil, fmt.Errorf("%w: a group has no ID, no jobs, or no last step", ErrOption)
		}
		lane := g.Then.Queue
		if lane == "" && len(b.Jobs) > 0 {
			lane = b.Jobs[0].Queue
		}
		last := queue.Job{
			ID: g.ID, Kind: g.Then.Kind, Queue: lane, State: queue.StatePending, MaxAttempts: g.Then.MaxAttempts, MaxLosses: g.Then.MaxLosses,
			Timeout: g.Then.Timeout, Keep: g.Then.Keep, Enqueued: now,
		}
		data, err := json.Marshal(last)
		if err != nil {
			return nil, err
		}
		out = append(out, g.ID, g.Total, lane, data, string(g.Then.Payload), g.Then.MaxLosses, g.Then.Keep.Milliseconds())
	}
	return out, nil
}

// Add implements [queue.Store].
func (s *Store) Add(ctx context.Context, now time.Time, b queue.Batch) error {
	a, err := batchArgs(b, now)
	if err != nil {
		return err
	}
	got, err := s.run(ctx, addScript, a...)
	if err != nil {
		return err
	}
	return refusal(got)
}

// AddSlot implements [queue.Store].
func (s *Store) AddSlot(ctx context.Context, now time.Time, schedule string, slot time.Time, b queue.Batch) (bool, error) {
	a, err := batchArgs(b, now)
	if err != nil {
		return false, err
	}
	got, err := s.run(ctx, slotScript, append([]any{schedule, nanos(slot)}, a...)...)
	if err != nil {
		return false, err
	}
	return len(got) == 0, refusal(got)
}

// LastSlot implements [queue.Store].
func (s *Store) LastSlot(ctx context.Context, schedule string) (time.Time, error) {
	ns, err := s.client.HGet(ctx, s.prefix+"slots", schedule).Result()
	if errors.Is(err, redis.Nil) {
		return time.Time{}, nil
	}
	return instant(ns), err
}

// Claim implements [queue.Store].
func (s *Store) Claim(ctx context.Context, _ time.Time, c queue.Claim) (jobs []*queue.Job, err error) {
	a := []any{c.Worker, c.Lease.Milliseconds(), max(c.Most, 1)}
	for _, q := range c.Queues {
		a = append(a, q)
	}
	rows, err := claimScript.Run(ctx, s.client, []string{s.prefix}, a...).Slice()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		fields, _ := r.([]any)
		row := map[string]string{}
		for i := 0; i+1 < len(fields); i += 2 {
			name, _ := fields[i].(string)
			row[name], _ = fields[i+1].(string)
		}
		j, err := job(row)
		if err != nil { // its lease ends, and its lost workers are counted
			continue
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// job makes a job of a row of Redis.
func job(row map[string]string) (*queue.Job, error) {
	j := &queue.Job{}
	if err := json.Unmarshal([]byte(row["j"]), j); err != nil {
		return nil, fmt.Errorf("queue/redis: job %s: %w", row["id"], err)
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(row[name], 10, 64) // a field that isn't there is 0
		return n
	}
	text := func(name string) json.RawMessage {
		if row[name] == "" {
			return nil
		}
		return json.RawMessage(row[name])
	}
	ms := func(name string) time.Time {
		if n := number(name); n != 0 {
			return time.UnixMilli(n)
		}
		return time.Time{}
	}
	j.Payload, j.Progress, j.Result = text("p"), text("progress"), text("result")
	j.State, j.Reason, j.RunAt = queue.State(number("state")), queue.Reason(number("reason")), instant(row["runat"])
	j.Failures, j.Losses, j.Lease = int(number("fails")), int(number("losses")), uint64(number("lease"))
	j.Error, j.Class, j.Worker = row["err"], row["class"], row["worker"]
	j.LeaseEnd, j.Finished = ms("lend"), ms("fin")
	return j, nil
}

// Renew implements [queue.Store].
func (s *Store) Renew(ctx context.Context, _ time.Time, lease time.Duration, held []queue.Lease) (lost []queue.Lease, err error) {
	a := []any{lease.Milliseconds()}
	for _, l := range held {
		a = append(a, l.Job, l.Number)
	}
	got, err := renewScript.Run(ctx, s.client, []string{s.prefix}, a...).Int64Slice()
	if err != nil {
		return nil, err
	}
	for _, i := range got {
		lost = append(lost, held[i])
	}
	return lost, nil
}

// Finish implements [queue.Store].
func (s *Store) Finish(ctx context.Context, now time.Time, l queue.Lease, f queue.Finish) error {
	failed := 0
	if f.Failed {
		failed = 1
	}
	if f.RunAt.IsZero() {
		f.RunAt = now
	}
	a := []any{l.Job, l.Number, int(f.State), f.RunAt.UnixMilli(), nanos(f.RunAt), failed, f.Error, f.Class, int(f.Reason), string(f.Result)}
	if f.Then != nil {
		next, err := args(f.Then, now)
		if err != nil {
			return err
		}
		a = append(a, next...)
	}
	got, err := s.run(ctx, finishScript, a...)
	if err != nil {
		return err
	}
	return refusal(got)
}

// Report implements [queue.Store].
func (s *Store) Report(ctx context.Context, _ time.Time, l queue.Lease, progress json.RawMessage) error {
	got, err := s.run(ctx, reportScript, l.Job, l.Number, string(progress))
	if err != nil {
		return err
	}
	return refusal(got)
}

// Recover implements [queue.Store].
func (s *Store) Recover(ctx context.Context, _ time.Time) (int, error) {
	return recoverScript.Run(ctx, s.client, []string{s.prefix}, int(queue.ReasonLosses)).Int()
}

// Wait implements [queue.Store]: it waits for a token that a new job brings.
func (s *Store) Wait(ctx context.Context, now, until time.Time, queues []string) error {
	p := s.client.Pipeline()
	for _, q := range queues {
		p.ZCard(ctx, s.prefix+"ready:"+q)
	}
	var later []*redis.ZSliceCmd
	var wake []string
	for _, q := range queues {
		later = append(later, p.ZRangeWithScores(ctx, s.prefix+"later:"+q, 0, 0))
		wake = append(wake, s.prefix+"wake:"+q)
	}
	rows, err := p.Exec(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if c, ok := r.(*redis.IntCmd); ok && c.Val() > 0 {
			return nil
		}
	}
	d := until.Sub(now)
	for _, l := range later {
		if z := l.Val(); len(z) > 0 {
			d = min(d, time.Until(time.UnixMilli(int64(z[0].Score))))
		}
	}
	if d < time.Second { // the command counts in seconds
		timer := time.NewTimer(max(d, 5*time.Millisecond))
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		}
	}
	err = s.client.BLPop(ctx, d.Truncate(time.Second), wake...).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// Get implements [queue.Store].
func (s *Store) Get(ctx context.Context, id string) (*queue.Job, error) {
	row, err := s.client.HGetAll(ctx, s.prefix+"job:"+id).Result()
	if err != nil {
		return nil, err
	}
	if len(row) == 0 {
		return nil, queue.ErrNotFound
	}
	return job(row)
}

// List implements [queue.Store].
func (s *Store) List(ctx context.Context, q queue.Listing) ([]*queue.Job, error) {
	names := []string{q.Queue}
	if q.Queue == "" {
		rows, err := s.client.SMembers(ctx, s.prefix+"queues").Result()
		if err != nil {
			return nil, err
		}
		names = rows
	}
	lists := map[queue.State][]string{
		queue.StatePending: {"ready:", "later:"}, queue.StateRunning: {"running:"}, queue.StateDone: {"done:"}, queue.StateDead: {"dead:"},
	}[q.State]
	limit, skip := q.Limit, q.Skip
	if limit <= 0 {
		limit = 100
	}
	var ids []string
	for _, name := range names {
		for _, list := range lists {
			some, err := s.client.ZRange(ctx, s.prefix+list+name, 0, int64(skip+limit)-1).Result()
			if err != nil {
				return nil, err
			}
			ids = append(ids, some...)
		}
	}
	ids = ids[min(skip, len(ids)):]
	ids = ids[:min(limit, len(ids))]
	p := s.client.Pipeline()
	var rows []*redis.MapStringStringCmd
	for _, id := range ids {
		rows = append(rows, p.HGetAll(ctx, s.prefix+"job:"+id))
	}
	if _, err := p.Exec(ctx); err != nil {
		return nil, err
	}
	var out []*queue.Job
	for _, r := range rows {
		if len(r.Val()) == 0 { // gone meanwhile
			continue
		}
		j, err := job(r.Val())
		if err != nil {
			return nil, err
		}
		out = append(out, j)
	}
	return out, nil
}

// Stats implements [queue.Store]. The counters are those since the first job.
func (s *Store) Stats(ctx context.Context, _ time.Time) (out []queue.Stats, err error) {
	rows, err := statsScript.Run(ctx, s.client, []string{s.prefix}).Slice()
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		list, ok := r.([]any)
		if !ok || len(list) != 11 {
			return nil, errors.New("queue/redis: the answer of Stats has another form")
		}
		var n [11]int64
		name, _ := list[0].(string)
		for i := 1; i < len(list); i++ {
			text, _ := list[i].(string)
			n[i], _ = strconv.ParseInt(text, 10, 64)
		}
		row := queue.Stats{
			Queue: name, Ready: int(n[1]), Scheduled: int(n[2]), Running: int(n[3]), Done: int(n[4]), Dead: int(n[5]),
			Added: uint64(n[7]), Finished: uint64(n[8]), Failed: uint64(n[9]),
		}
		if n[6] > 0 {
			row.Oldest = max(0, time.Duration(n[10]*int64(time.Millisecond)-n[6]))
		}
		out = append(out, row)
	}
	return out, nil
}

// Redrive implements [queue.Store].
func (s *Store) Redrive(ctx context.Context, now time.Time, id string) error {
	got, err := s.run(ctx, redriveScript, id, nanos(now))
	if err != nil {
		return err
	}
	return refusal(got)
}

// Delete implements [queue.Store].
func (s *Store) Delete(ctx context.Context, id string) error {
	got, err := s.run(ctx, deleteScript, id)
	if err != nil {
		return err
	}
	return refusal(got)
}
