package celery

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
)

// Get implements [queue.Store] with the task's result. Celery knows nothing of a task
// that has no result yet, so an unknown id is a pending job without a kind.
func (s *Store) Get(ctx context.Context, id string) (*queue.Job, error) {
	raw, err := s.client.Get(ctx, resultKey(id)).Bytes()
	if errors.Is(err, redis.Nil) {
		return &queue.Job{ID: id, State: queue.StatePending}, nil
	}
	if err != nil {
		return nil, err
	}
	var r struct {
		Status   string
		Result   json.RawMessage
		DateDone string `json:"date_done"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, malformed("the result of %s: %w", id, err)
	}
	j := &queue.Job{ID: id, State: queue.StatePending}
	j.Finished, _ = readTime(r.DateDone)
	switch r.Status {
	case "SUCCESS":
		j.State, j.Result = queue.StateDone, r.Result
	case "FAILURE", "REVOKED":
		j.State, j.Reason, j.Error = queue.StateDead, queue.ReasonPermanent, words(r.Result)
	case "STARTED", "PROGRESS":
		j.State, j.Progress = queue.StateRunning, r.Result
	case "RETRY":
		j.Error = words(r.Result)
	}
	return j, nil
}

// meta is the text that AsyncResult reads.
func (s *Store) meta(m *Message, status string, result json.RawMessage, now time.Time) string {
	row := map[string]any{
		"status": status, "result": orNull(result), "traceback": nil, "children": []any{}, "date_done": nil, "task_id": m.ID,
	}
	if status == "SUCCESS" || status == "FAILURE" || status == "REVOKED" {
		row["date_done"] = timeOrNull(now.UTC())
	}
	if m.Group != "" {
		row["group_id"] = m.Group
	}
	if m.ParentID != "" {
		row["parent_id"] = m.ParentID
	}
	return string(marshal(row))
}

// List implements [queue.Store] for the dead letters of one queue, and for pending
// tasks of one queue. Others are [errors.ErrUnsupported].
func (s *Store) List(ctx context.Context, q queue.Listing) ([]*queue.Job, error) {
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	var out []*queue.Job
	switch {
	case q.Queue == "" || q.State != queue.StateDead && q.State != queue.StatePending:
		return nil, unsupported("a list of " + q.State.String() + " tasks, or of all queues")
	case q.State == queue.StateDead:
		rows, err := s.client.HGetAll(ctx, deadKey(q.Queue)).Result()
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(rows)) {
			var l deadLetter
			if json.Unmarshal([]byte(rows[id]), &l) != nil {
				continue
			}
			j := &queue.Job{ID: id, Queue: q.Queue}
			if m, err := Decode(l.Message); err == nil {
				j = s.job(&delivery{queue: q.Queue, m: m})
			}
			j.State, j.Error, j.Class, j.Reason, j.Failures, j.Finished = queue.StateDead, l.Error, l.Class, l.Reason, l.Failures, l.Finished
			out = append(out, j)
		}
		slices.SortStableFunc(out, func(a, b *queue.Job) int { return a.Finished.Compare(b.Finished) })
	default:
		for _, step := range steps {
			rows, err := s.client.LRange(ctx, queueKey(q.Queue, step), int64(-limit-q.Skip), -1).Result()
			if err != nil {
				return nil, err
			}
			for _, raw := range slices.Backward(rows) {
				if m, err := Decode([]byte(raw)); err == nil {
					j := s.job(&delivery{queue: q.Queue, m: m})
					j.State = queue.StatePending
					out = append(out, j)
				}
			}
		}
	}
	out = out[min(q.Skip, len(out)):]
	return out[:min(limit, len(out))], nil
}

// Parked returns the messages of a queue that could not be read, newest first.
func (s *Store) Parked(ctx context.Context, queue string) ([]string, error) {
	return s.client.LRange(ctx, parkedKey(queue), 0, -1).Result()
}

// Stats implements [queue.Store]: a row for each queue that kombu knows.
func (s *Store) Stats(ctx context.Context, _ time.Time) (out []queue.Stats, err error) {
	const prefix = "_kombu.binding."
	var names []string
	for keys := s.client.Scan(ctx, 0, prefix+"*", 1000).Iterator(); keys.Next(ctx); {
		names = append(names, keys.Val()[len(prefix):])
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		row := queue.Stats{Queue: name}
		p := s.client.Pipeline()
		var lengths []*redis.IntCmd
		for _, step := range steps {
			lengths = append(lengths, p.LLen(ctx, queueKey(name, step)))
		}
		delayed, dead := p.ZCard(ctx, delayedKey(name)), p.HLen(ctx, deadKey(name))
		if _, err := p.Exec(ctx); err != nil {
			return nil, err
		}
		for _, l := range lengths {
			row.Ready += int(l.Val())
		}
		row.Scheduled, row.Dead = int(delayed.Val()), int(dead.Val())
		out = append(out, row)
	}
	return out, nil
}

// Redrive implements [queue.Store]: it sends a dead letter again, with its counts at 0.
func (s *Store) Redrive(ctx context.Context, _ time.Time, id string) error {
	q, l, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	m, err := Decode(l.Message)
	if err != nil {
		return err
	}
	m.Retries, m.ETA, m.DeliveryTag, m.Queue = 0, time.Time{}, NewID(), q
	delete(m.Headers, lossesHeader)
	raw, err := Encode(m)
	if err != nil {
		return err
	}
	n, err := redriveScript.Run(ctx, s.client, nil, deadKey(q), id, queueKey(q, m.Priority), raw, resultKey(id)).Int()
	if err == nil && n == 0 {
		err = queue.ErrNotFound
	}
	return err
}

var redriveScript = redis.NewScript(`
if redis.call('HDEL', ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('LPUSH', ARGV[3], ARGV[4])
redis.call('DEL', ARGV[5])
return 1
`)

// find looks for a dead letter.
func (s *Store) find(ctx context.Context, id string) (q string, l deadLetter, err error) {
	prefix := deadKey("")
	for keys := s.client.Scan(ctx, 0, prefix+"*", 1000).Iterator(); keys.Next(ctx); {
		raw, err := s.client.HGet(ctx, keys.Val(), id).Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return "", l, err
		}
		return keys.Val()[len(prefix):], l, json.Unmarshal(raw, &l)
	}
	return "", l, queue.ErrNotFound
}

// Delete implements [queue.Store] for dead letters.
func (s *Store) Delete(ctx context.Context, id string) error {
	q, _, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	return s.client.HDel(ctx, deadKey(q), id).Err()
}

// LastSlot implements [queue.Store].
func (s *Store) LastSlot(ctx context.Context, schedule string) (time.Time, error) {
	ns, err := s.client.HGet(ctx, slotsKey, schedule).Int64()
	if errors.Is(err, redis.Nil) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, ns), nil
}

const slotsKey = "prodai.celery.slots"

var slotScript = redis.NewScript(`
local last = redis.call('HGET', KEYS[1], ARGV[1])
if last and (#ARGV[2] < #last or (#ARGV[2] == #last and ARGV[2] <= last)) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 3, #ARGV, 2 do redis.call('LPUSH', ARGV[i], ARGV[i+1]) end
return 1
`)

// AddSlot implements [queue.Store]: of several machines, one sends the periodic task.
func (s *Store) AddSlot(ctx context.Context, now time.Time, schedule string, slot time.Time, b queue.Batch) (bool, error) {
	if len(b.Groups) > 0 {
		return false, unsupported("groups")
	}
	args := []any{schedule, strconv.FormatInt(slot.UnixNano(), 10)}
	for _, j := range b.Jobs {
		m, err := s.message(j, now)
		if err != nil {
			return false, err
		}
		raw, err := Encode(m)
		if err != nil {
			return false, err
		}
		args = append(args, queueKey(m.Queue, m.Priority), raw)
	}
	n, err := slotScript.Run(ctx, s.client, []string{slotsKey}, args...).Int()
	return n == 1, err
}
