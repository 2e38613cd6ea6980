package celery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/retry/queue"
)

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
