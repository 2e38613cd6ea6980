package celery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
