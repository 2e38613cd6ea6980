package celery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
)

// Options are the settings of [New].
type Options struct {
	// KeepResults is how long results are kept. Default: 24 h, as Celery's.
	KeepResults time.Duration

	// DefaultQueue is where the next task of a chain goes if it names no queue, as
	// Celery's task_default_queue. Default: "celery".
	DefaultQueue string

	// Poll is how often an idle worker looks for tasks. Default: 100 ms.
	Poll time.Duration

	// Origin is the sender's name, for people. Default: "gen@go".
	Origin string

	// MaxAttempts and MaxLosses are those of tasks from Celery, whose messages don't
	// have any. Default: 4, which is Celery's three retries, and 3.
	MaxAttempts, MaxLosses int
}

// A Store is a queue.Store over Celery's queues in Redis. It is safe for concurrent
// use.
type Store struct {
	client redis.UniversalClient
	o      Options

	mu   sync.Mutex
	held map[queue.Lease]*delivery
	next uint64
}

var _ queue.Store = (*Store)(nil)

// A delivery is a message that this program has taken and not acknowledged.
type delivery struct {
	tag, queue, raw string
	m               *Message
}

// ErrOption is wrapped by the error of [New] for options that can't work.
var ErrOption = errors.New("queue/celery: invalid option")

// New returns a store on a client of Celery's broker, which is the result backend too.
func New(client redis.UniversalClient, o *Options) (*Store, error) {
	if client == nil {
		return nil, fmt.Errorf("%w: the client of New is nil", ErrOption)
	}
	s := &Store{client: client, held: map[queue.Lease]*delivery{}}
	if o != nil {
		s.o = *o
	}
	if s.o.KeepResults < 0 || s.o.Poll < 0 || s.o.MaxAttempts < 0 || s.o.MaxLosses < 0 {
		return nil, fmt.Errorf("%w: a negative number in %+v", ErrOption, s.o)
	}
	if s.o.KeepResults == 0 {
		s.o.KeepResults = 24 * time.Hour
	}
	if s.o.Poll == 0 {
		s.o.Poll = 100 * time.Millisecond
	}
	if s.o.DefaultQueue == "" {
		s.o.DefaultQueue = "celery"
	}
	if s.o.Origin == "" {
		s.o.Origin = "gen@go"
	}
	if s.o.MaxAttempts == 0 {
		s.o.MaxAttempts = 4
	}
	if s.o.MaxLosses == 0 {
		s.o.MaxLosses = 3
	}
	return s, nil
}

// The store's own keys, beside Celery's.
const (
	leasesKey  = "prodai.celery.leases" // delivery tag -> end of the lease, in ms
	unackedKey = "unacked"
	indexKey   = "unacked_index" // delivery tag -> s, for the visibility timeout of Celery's workers
)

func delayedKey(q string) string { return "prodai.celery.delayed." + q } // message -> when, in ms
func deadKey(q string) string    { return "prodai.celery.dead." + q }    // id -> deadLetter
func parkedKey(q string) string  { return "prodai.celery.parked." + q }  // messages that can't be read

// A header with the number of lost workers, and one with the limits of a job from Go.
const (
	lossesHeader = "prodai_losses"
	limitsHeader = "prodai_limits"
)

type limits struct {
	Attempts int           `json:"attempts"`
	Losses   int           `json:"losses"`
	Timeout  time.Duration `json:"timeout"`
}

// unsupported is the error of what Celery's messages have no place for.
func unsupported(what string) error {
	return fmt.Errorf("celery: %s: %w", what, errors.ErrUnsupported)
}

// Add implements [queue.Store]: it sends tasks. A job's payload is a [Call]; its queue
// is Celery's queue. Job.Then becomes Celery's chain. Unique keys and groups are
// [errors.ErrUnsupported]; and a job whose id was sent before is sent again.
func (s *Store) Add(ctx context.Context, now time.Time, b queue.Batch) error {
	if len(b.Groups) > 0 {
		return unsupported("groups")
	}
	var messages []*Message
	for _, j := range b.Jobs {
		m, err := s.message(j, now)
		if err != nil {
			return err
		}
		messages = append(messages, m)
	}
	return s.send(ctx, messages)
}

// send puts messages into their queues in one transaction.
func (s *Store) send(ctx context.Context, messages []*Message) error {
	_, err := s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for _, m := range messages {
			raw, err := Encode(m)
			if err != nil {
				return err
			}
			p.SAdd(ctx, "_kombu.binding."+m.Queue, m.Queue+separator+separator+m.Queue)
			p.LPush(ctx, queueKey(m.Queue, m.Priority), raw)
		}
		return nil
	})
	return err
}

// message makes a job's message.
func (s *Store) message(j *queue.Job, now time.Time) (*Message, error) {
	if j == nil || j.ID == "" || j.Kind == "" || j.Queue == "" {
		return nil, fmt.Errorf("%w: a job has no ID, Kind or Queue", ErrOption)
	}
	if j.Unique != "" || j.Group != "" {
		return nil, unsupported("a unique key or a group")
	}
	var call Call
	if err := json.Unmarshal(j.Payload, &call); err != nil {
		return nil, fmt.Errorf("celery: the payload of %s is not a Call: %w", j.Kind, err)
	}
	m := &Message{
		Task: j.Kind, ID: j.ID, Args: call.Args, Kwargs: call.Kwargs, GroupIndex: -1, Origin: s.o.Origin,
		Queue: j.Queue, DeliveryTag: NewID(), ReplyTo: NewID(), TimeLimit: j.Timeout,
		Headers: map[string]json.RawMessage{},
	}
	if j.RunAt.After(now) {
		m.ETA = j.RunAt.UTC()
	}
	for name, value := range j.Headers {
		if name == "priority" {
			p, err := strconv.Atoi(value)
			if err != nil || p < 0 || p > 9 {
				return nil, fmt.Errorf("%w: the header priority is %q: want 0 (most urgent) to 9", ErrOption, value)
			}
			m.Priority = p
			continue
		}
		m.Headers[name] = marshal(value)
	}
	m.Headers[limitsHeader] = marshal(limits{j.MaxAttempts, j.MaxLosses, j.Timeout})
	var chain []Signature
	for _, step := range slices.Backward(j.Then) {
		sig := Signature{Task: step.Kind, Kwargs: map[string]json.RawMessage{}, Args: []json.RawMessage{}, Options: map[string]json.RawMessage{"task_id": marshal(NewID())}}
		if step.Queue != "" {
			sig.Options["queue"] = marshal(step.Queue)
		}
		if len(step.Payload) > 0 {
			var call Call
			if err := json.Unmarshal(step.Payload, &call); err != nil {
				return nil, fmt.Errorf("celery: the payload of the step %s is not a Call: %w", step.Kind, err)
			}
			sig.Args, sig.Kwargs, sig.Immutable = call.Args, call.Kwargs, true
		}
		chain = append(chain, sig)
	}
	if chain != nil {
		m.Embed.Chain = marshal(chain)
	}
	return m, nil
}

// job makes the job of a message that was taken.
func (s *Store) job(d *delivery) *queue.Job {
	m := d.m
	l := limits{Attempts: s.o.MaxAttempts, Losses: s.o.MaxLosses, Timeout: m.TimeLimit}
	if raw, ok := m.Headers[limitsHeader]; ok {
		var own limits
		if json.Unmarshal(raw, &own) == nil && own.Attempts > 0 && own.Losses > 0 {
			l = own
		}
	}
	if m.SoftLimit > 0 {
		l.Timeout = m.SoftLimit
	}
	j := &queue.Job{
		ID: m.ID, Kind: m.Task, Queue: d.queue, Payload: marshal(Call{Args: m.Args, Kwargs: m.Kwargs}), State: queue.StateRunning,
		MaxAttempts: l.Attempts, MaxLosses: l.Losses, Timeout: l.Timeout, Keep: s.o.KeepResults,
		Failures: m.Retries, Losses: lossesOf(m), RunAt: m.ETA, Headers: map[string]string{},
	}
	for name, raw := range m.Headers {
		var text string
		if json.Unmarshal(raw, &text) == nil && name != "lang" {
			j.Headers[name] = text
		}
	}
	return j
}

func lossesOf(m *Message) (n int) {
	_ = json.Unmarshal(m.Headers[lossesHeader], &n) // 0 where there is none
	return max(n, 0)
}

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
        return {name, raw}
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
		if errors.Is(err, redis.Nil) || err == nil && len(got) != 2 {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		d := &delivery{tag: tag, queue: got[0], raw: got[1]}
		j, err := s.accept(ctx, now, d)
		if err != nil {
			return nil, err
		}
		if j != nil {
			return []*queue.Job{j}, nil
		}
	}
}

// accept returns the job of a delivery, or nil if it is not to be run now.
func (s *Store) accept(ctx context.Context, now time.Time, d *delivery) (*queue.Job, error) {
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
	case m.ETA.After(now):
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

func (s *Store) delivery(l queue.Lease) (*delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.held[l]; d != nil {
		return d, nil
	}
	return nil, queue.ErrLeaseLost
}

var renew = redis.NewScript(`
local now = redis.call('TIME')
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local lost = {}
for i = 2, #ARGV do
  if redis.call('ZSCORE', 'prodai.celery.leases', ARGV[i]) then
    redis.call('ZADD', 'prodai.celery.leases', ms + tonumber(ARGV[1]), ARGV[i])
    redis.call('ZADD', 'unacked_index', now[1], ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
`)

// Renew implements [queue.Store]. It also renews the time that a Celery worker looks
// at, so that a task longer than the visibility timeout is not started twice.
func (s *Store) Renew(ctx context.Context, _ time.Time, lease time.Duration, held []queue.Lease) (lost []queue.Lease, err error) {
	args := []any{lease.Milliseconds()}
	byTag := map[string]queue.Lease{}
	for _, l := range held {
		d, err := s.delivery(l)
		if err != nil {
			lost = append(lost, l)
			continue
		}
		byTag[d.tag] = l
		args = append(args, d.tag)
	}
	if len(args) == 1 {
		return lost, nil
	}
	gone, err := renew.Run(ctx, s.client, nil, args...).StringSlice()
	if err != nil {
		return nil, err
	}
	for _, tag := range gone {
		lost = append(lost, byTag[tag])
	}
	return lost, nil
}

// Finish implements [queue.Store]: it acknowledges the task, writes the state that
// AsyncResult reads, and sends the next task of a chain, in one step.
func (s *Store) Finish(ctx context.Context, now time.Time, l queue.Lease, f queue.Finish) error {
	d, err := s.delivery(l)
	if err != nil {
		return err
	}
	e, err := s.ending(d, f, now)
	if err != nil {
		return err
	}
	err = s.give(ctx, d, e)
	if err == nil || errors.Is(err, queue.ErrLeaseLost) {
		s.mu.Lock()
		delete(s.held, l)
		s.mu.Unlock()
	}
	return err
}

func (s *Store) ending(d *delivery, f queue.Finish, now time.Time) (e ending, err error) {
	m := *d.m
	switch f.State {
	case queue.StateDone:
		if !m.IgnoreResult {
			e.result = s.meta(&m, "SUCCESS", orNull(f.Result), now)
		}
		next, err := s.chained(d, f.Result)
		if err != nil {
			return e, err
		}
		if next != nil {
			raw, err := Encode(next)
			if err != nil {
				return e, err
			}
			e.nextKey, e.next = queueKey(next.Queue, next.Priority), string(raw)
		}
	case queue.StateDead:
		return s.dead(d, f, now), nil
	default:
		if f.Failed {
			m.Retries++
			if !m.IgnoreResult {
				e.result = s.meta(&m, "RETRY", exception("Exception", f.Error, "builtins"), now)
			}
		}
		e.to, e.key = "list", queueKey(d.queue, m.Priority)
		if f.RunAt.After(now) {
			m.ETA = f.RunAt.UTC()
			e.to, e.key, e.score = "delayed", delayedKey(d.queue), strconv.FormatInt(f.RunAt.UnixMilli(), 10)
		}
		m.DeliveryTag = NewID()
		raw, err := Encode(&m)
		if err != nil {
			return e, err
		}
		e.message = string(raw)
	}
	return e, nil
}

// A deadLetter is a task that failed for good, with its message for a redrive.
type deadLetter struct {
	Message  json.RawMessage `json:"message"`
	Error    string          `json:"error"`
	Class    string          `json:"class"`
	Reason   queue.Reason    `json:"reason"`
	Failures int             `json:"failures"`
	Finished time.Time       `json:"finished"`
}

func (s *Store) dead(d *delivery, f queue.Finish, now time.Time) ending {
	failures := d.m.Retries
	if f.Failed {
		failures++
	}
	e := ending{to: "dead", key: deadKey(d.queue), score: d.m.ID, message: string(marshal(deadLetter{
		Message: json.RawMessage(d.raw), Error: f.Error, Class: f.Class, Reason: f.Reason, Failures: failures, Finished: now,
	}))}
	if !d.m.IgnoreResult {
		e.result = s.meta(d.m, "FAILURE", exception("Exception", f.Error, "builtins"), now)
	}
	return e
}

// chained makes the next task of the message's chain, or nil.
func (s *Store) chained(d *delivery, result json.RawMessage) (*Message, error) {
	if len(d.m.Embed.Chain) == 0 {
		return nil, nil
	}
	var chain []Signature
	if err := json.Unmarshal(d.m.Embed.Chain, &chain); err != nil {
		return nil, queue.Permanent(malformed("the chain: %w", err))
	}
	if len(chain) == 0 {
		return nil, nil
	}
	sig := chain[len(chain)-1]
	next := &Message{
		Task: sig.Task, ID: NewID(), Args: sig.Args, Kwargs: sig.Kwargs, GroupIndex: -1, Origin: s.o.Origin, Queue: s.o.DefaultQueue, DeliveryTag: NewID(),
		ReplyTo: d.m.ReplyTo, RootID: d.m.RootID, ParentID: d.m.ID, Priority: d.m.Priority,
	}
	if !sig.Immutable {
		next.Args = append([]json.RawMessage{orNull(result)}, sig.Args...)
	}
	for name, into := range map[string]*string{"task_id": &next.ID, "queue": &next.Queue, "reply_to": &next.ReplyTo, "routing_key": &next.Queue} {
		var text string
		if json.Unmarshal(sig.Options[name], &text) == nil && text != "" {
			*into = text
		}
	}
	if rest := chain[:len(chain)-1]; len(rest) > 0 {
		next.Embed.Chain = marshal(rest)
	}
	if chord, ok := sig.Options["chord"]; ok && string(chord) != "null" {
		next.Embed.Chord = chord
	}
	return next, nil
}

func orNull(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("null")
	}
	return m
}

// Report implements [queue.Store]: the state of the task is PROGRESS, and its info is
// what the handler reported.
func (s *Store) Report(ctx context.Context, now time.Time, l queue.Lease, progress json.RawMessage) error {
	d, err := s.delivery(l)
	if err != nil {
		return err
	}
	text := s.meta(d.m, "PROGRESS", progress, now)
	_, err = s.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, resultKey(d.m.ID), text, s.o.KeepResults)
		p.Publish(ctx, resultKey(d.m.ID), text)
		return nil
	})
	return err
}

// Recover implements [queue.Store]: it gives back the tasks of Go workers that were
// lost. The tasks of Celery's workers are theirs to restore.
func (s *Store) Recover(ctx context.Context, now time.Time) (n int, err error) {
	server, err := s.client.Time(ctx).Result()
	if err != nil {
		return 0, err
	}
	tags, err := s.client.ZRangeByScore(ctx, leasesKey, &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(server.UnixMilli(), 10), Count: 100}).Result()
	if err != nil {
		return 0, err
	}
	for _, tag := range tags {
		row, err := s.client.HGet(ctx, unackedKey, tag).Result()
		if errors.Is(err, redis.Nil) { // a Celery worker was faster
			err = s.client.ZRem(ctx, leasesKey, tag).Err()
			if err != nil {
				return n, err
			}
			continue
		}
		if err != nil {
			return n, err
		}
		if err := s.restore(ctx, now, tag, row); err != nil && !errors.Is(err, queue.ErrLeaseLost) {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *Store) restore(ctx context.Context, now time.Time, tag, row string) error {
	var parts []json.RawMessage
	d := &delivery{tag: tag, m: &Message{}}
	if err := json.Unmarshal([]byte(row), &parts); err != nil || len(parts) != 3 || json.Unmarshal(parts[2], &d.queue) != nil {
		return s.give(ctx, d, ending{to: "parked", key: parkedKey("unknown"), message: row})
	}
	d.raw = string(parts[0])
	m, err := Decode(parts[0])
	if err != nil {
		return s.give(ctx, d, ending{to: "parked", key: parkedKey(d.queue), message: d.raw})
	}
	d.m = m
	losses := lossesOf(m) + 1
	m.Headers[lossesHeader] = marshal(losses)
	m.DeliveryTag = NewID()
	if most := s.job(d).MaxLosses; losses >= most {
		return s.give(ctx, d, s.dead(d, queue.Finish{Error: fmt.Sprintf("the worker was lost %d times", losses), Reason: queue.ReasonLosses}, now))
	}
	raw, err := Encode(m)
	if err != nil {
		return s.give(ctx, d, ending{to: "parked", key: parkedKey(d.queue), message: d.raw})
	}
	return s.give(ctx, d, ending{to: "list", key: queueKey(d.queue, m.Priority), message: string(raw)})
}

// Wait implements [queue.Store]: it polls.
func (s *Store) Wait(ctx context.Context, now, until time.Time, queues []string) error {
	for end := time.Now().Add(until.Sub(now)); ; {
		n, err := s.ready(ctx, queues)
		if err != nil || n > 0 || !time.Now().Before(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(s.o.Poll, time.Until(end))):
		}
	}
}

func (s *Store) ready(ctx context.Context, queues []string) (n int64, err error) {
	p := s.client.Pipeline()
	for _, q := range queues {
		for _, step := range steps {
			p.LLen(ctx, queueKey(q, step))
		}
		p.ZCount(ctx, delayedKey(q), "-inf", strconv.FormatInt(time.Now().UnixMilli(), 10))
	}
	rows, err := p.Exec(ctx)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if c, ok := r.(*redis.IntCmd); ok {
			n += c.Val()
		}
	}
	return n, nil
}

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

// words makes one line of an exception.
func words(raw json.RawMessage) string {
	var x struct {
		Type    string          `json:"exc_type"`
		Message json.RawMessage `json:"exc_message"`
	}
	if json.Unmarshal(raw, &x) != nil || x.Type == "" {
		return string(raw)
	}
	var list []any
	if json.Unmarshal(x.Message, &list) == nil && len(list) == 1 {
		return fmt.Sprintf("%s: %v", x.Type, list[0])
	}
	return x.Type + ": " + string(x.Message)
}

// exception is the result of a failed task, as Celery's JSON has it.
func exception(typ, message, module string) json.RawMessage {
	return marshal(map[string]any{"exc_type": typ, "exc_message": []string{message}, "exc_module": module})
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
