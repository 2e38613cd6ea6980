package celery

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
)

// take pops the oldest message of the first queue that has one and notes it as
// delivered, in one step: kombu needs two, and loses the message between them. What is
// not even an envelope is parked here, since a Celery worker that restores it would end.
var take = redis.NewScript(`
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local steps = {'', '3', '6', '9'}
for i = 5, #ARGV do
  local name = ARGV[i]
  local due = redis.call('ZRANGEBYSCORE', 'prodai.celery.delayed.' .. name, '-inf', ms, 'LIMIT', 0, 100)
  for _, raw in ipairs(due) do
    redis.call('ZREM', 'prodai.celery.delayed.' .. name, raw)
    redis.call('LPUSH', name, raw)
  end
  for _, step in ipairs(steps) do
    local key = name
    if step ~= '' then key = name .. ARGV[4] .. step end
    while true do
      local raw = redis.call('RPOP', key)
      if not raw then break end
      local ok, v = pcall(cjson.decode, raw)
      if ok and type(v) == 'table' and type(v.headers) == 'table' and type(v.properties) == 'table' then
        redis.call('HSET', 'unacked', ARGV[1], '[' .. raw .. ',"",' .. cjson.encode(name) .. ']')
        redis.call('ZADD', 'unacked_index', now[1], ARGV[1])
        redis.call('ZADD', ARGV[3], ms + tonumber(ARGV[2]), ARGV[1])
        return {name, raw, string.format('%.0f', ms)}
      end
      redis.call('LPUSH', 'prodai.celery.parked.' .. name, raw)
    end
  end
end
return false
`)

// give ends a delivery: it does nothing and returns 0 if the lease is lost. Then it
// does what the arguments ask for: where the message goes, and the task's new state.
// ARGV: tag, to (list, delayed, dead, parked, ""), queue key, message, score or field,
// result key, result, its seconds, next queue key, next message.
var give = redis.NewScript(`
if redis.call('ZREM', 'prodai.celery.leases', ARGV[1]) == 0 then return 0 end
redis.call('HDEL', 'unacked', ARGV[1])
redis.call('ZREM', 'unacked_index', ARGV[1])
if ARGV[2] == 'list' then redis.call('RPUSH', ARGV[3], ARGV[4])
elseif ARGV[2] == 'delayed' then redis.call('ZADD', ARGV[3], ARGV[5], ARGV[4])
elseif ARGV[2] == 'dead' then redis.call('HSET', ARGV[3], ARGV[5], ARGV[4])
elseif ARGV[2] == 'parked' then redis.call('LPUSH', ARGV[3], ARGV[4]) end
if ARGV[6] ~= '' then
  redis.call('SET', ARGV[6], ARGV[7], 'EX', ARGV[8])
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
if ARGV[9] ~= '' then redis.call('LPUSH', ARGV[9], ARGV[10]) end
return 1
`)

// An ending is what give does.
type ending struct {
	to, key, message, score string
	result                  string
	nextKey, next           string
}

func (s *Store) give(ctx context.Context, d *delivery, e ending) error {
	key := ""
	if e.result != "" {
		key = resultKey(d.m.ID)
	}
	n, err := give.Run(ctx, s.client, nil, d.tag, e.to, e.key, e.message, e.score, key, e.result, int(s.o.KeepResults.Seconds())+1, e.nextKey, e.next).Int()
	if err == nil && n == 0 {
		err = queue.ErrLeaseLost
	}
	return err
}

// Claim implements [queue.Store]: it takes one task.
func (s *Store) Claim(ctx context.Context, now time.Time, c queue.Claim) ([]*queue.Job, error) {
	for {
		tag := NewID()
		args := []any{tag, c.Lease.Milliseconds(), leasesKey, separator}
		for _, q := range c.Queues {
			args = append(args, q)
		}
		got, err := take.Run(ctx, s.client, nil, args...).StringSlice()
		if errors.Is(err, redis.Nil) || err == nil && len(got) != 3 {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		// What is due is decided by one clock: by another one that is late, a message
		// would be delayed that the next take finds due again, and so on forever.
		due, err := strconv.ParseInt(got[2], 10, 64)
		if err != nil {
			return nil, err
		}
		d := &delivery{tag: tag, queue: got[0], raw: got[1]}
		j, err := s.accept(ctx, now, due, d)
		if err != nil {
			return nil, err
		}
		if j != nil {
			return []*queue.Job{j}, nil
		}
	}
}

// accept returns the job of a delivery, or nil if it is not to be run now. due is the
// time of Redis, in Unix milliseconds.
func (s *Store) accept(ctx context.Context, now time.Time, due int64, d *delivery) (*queue.Job, error) {
	m, err := Decode([]byte(d.raw))
	if err != nil {
		d.m = &Message{}
		return nil, s.give(ctx, d, ending{to: "parked", key: parkedKey(d.queue), message: d.raw})
	}
	d.m = m
	if m.DeliveryTag == "" {
		m.DeliveryTag = d.tag
	}
	switch {
	case m.ETA.UnixMilli() > due:
		return nil, s.give(ctx, d, ending{to: "delayed", key: delayedKey(d.queue), message: d.raw, score: strconv.FormatInt(m.ETA.UnixMilli(), 10)})
	case !m.Expires.IsZero() && now.After(m.Expires):
		return nil, s.give(ctx, d, ending{result: s.meta(m, "REVOKED", exception("TaskRevokedError", "expired", "celery.exceptions"), now)})
	case len(m.Embed.Chord) > 0:
		return nil, s.refuseChord(ctx, now, d)
	}
	s.mu.Lock()
	s.next++
	lease := queue.Lease{Job: m.ID, Number: s.next}
	s.held[lease] = d
	s.mu.Unlock()
	j := s.job(d)
	j.Lease = lease.Number
	return j, nil
}

// refuseChord ends a task that is in a chord. Its callback would wait forever for the
// count of this task, so the callback fails too, and AsyncResult.get returns.
func (s *Store) refuseChord(ctx context.Context, now time.Time, d *delivery) error {
	words := "the Go worker takes no part in a chord: route its tasks to a Celery worker"
	if err := s.give(ctx, d, s.dead(d, queue.Finish{Error: words, Reason: queue.ReasonPermanent}, now)); err != nil {
		return err
	}
	id := callbackOf(d.m)
	if id == "" {
		return nil
	}
	text := s.meta(&Message{ID: id}, "FAILURE", exception("ChordError", words, "celery.exceptions"), now)
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, resultKey(id), text, s.o.KeepResults)
		p.Publish(ctx, resultKey(id), text)
		return nil
	})
	return err
}

// callbackOf returns the id of the task that a chord ends with, or "".
func callbackOf(m *Message) (id string) {
	var callback Signature
	if json.Unmarshal(m.Embed.Chord, &callback) == nil && json.Unmarshal(callback.Options["task_id"], &id) == nil {
		return id
	}
	return ""
}
