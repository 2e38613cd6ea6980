// Package event is the table of structured log events that the library's
// packages emit.
//
// A package has an Options.Logger and logs each decision as one slog record. The
// record's message is the event's name, and its attributes are those that the table
// lists. trace.Handler turns these records into span events, and a dashboard reads
// them. Neither needs to know the package. Events contain numbers, names and
// reasons, and never prompts, answers or documents.
package event

import (
	"context"
	"log/slog"
)

// The event names, by the package that emits them.
const (
	CacheHit   = "cache.hit"
	CacheMiss  = "cache.miss"
	CacheStore = "cache.store"

	RetryAttempt = "retry.attempt"
	RetryGiveUp  = "retry.giveup"
	RetryHedge   = "retry.hedge"
	RetryNested  = "retry.nested"
	RetryGuess   = "retry.guess"
	RetryResume  = "retry.resume"
	RetryBreaker = "retry.breaker"

	LimitWait  = "limit.wait"
	LimitDeny  = "limit.deny"
	LimitStore = "limit.store"

	RoutePick   = "route.pick"
	RouteTarget = "route.target"
	RouteCanary = "route.canary"
	RouteShadow = "route.shadow"

	QueueDead    = "queue.dead"
	QueueLost    = "queue.lost"
	QueueRecover = "queue.recover"
	QueueHang    = "queue.hang"
	QueueStore   = "queue.store"
	QueueRedrive = "queue.redrive"

	GuardVerdict = "guard.verdict"

	RetrieveQuery     = "retrieve.query"
	RetrieveTruncated = "retrieve.truncated"
	RetrieveFallback  = "retrieve.fallback"
	RetrieveRebuilt   = "retrieve.rebuilt"

	TokensDropped = "tokens.dropped"

	TraceRejected = "trace.rejected"

	UsageInvalid = "usage.invalid"
)

// The attribute keys. Durations are time.Duration, money is pico-USD.
const (
	Attempt   = "attempt"   // int: the attempt's number, 1 first
	Bytes     = "bytes"     // int64: how many bytes
	Kind      = "kind"      // string: which cache answered: exact, semantic, shared
	Check     = "check"     // string: the guard check's name
	Class     = "class"     // string: the error's class; of guard.verdict, the finding's kind
	Count     = "count"     // int: how many
	Delay     = "delay"     // time.Duration: the wait that follows
	Dimension = "dimension" // string: requests, tokens, money, concurrency, spend, switch, store
	Elapsed   = "elapsed"   // time.Duration: since the start of what the event is about
	ID        = "id"        // string: a content id, never content
	Key       = "key"       // string: a hash, never content
	Model     = "model"     // string: the model asked for
	Policy    = "policy"    // string: what the guard does: block, redact, flag, shadow
	Reason    = "reason"    // string: why, in words without content
	Scores    = "scores"    // []float64: best first
	Stage     = "stage"     // string: input, document, tool_result, tool_call, output; of retrieve.fallback, the stage's name; of retrieve.rebuilt, index or words
	State     = "state"     // string: the state entered
	Status    = "status"    // int: the HTTP status, 0 if there was none
	Target    = "target"    // string: the route's target; of queue events, the job's kind
	Tenant    = "tenant"    // string
	Threats   = "threats"   // []string: OWASP LLM and MITRE ATLAS ids
	Tokens    = "tokens"    // int
)

// A Def is a row of the table: an event, the keys that its records may have, and
// what it means.
type Def struct {
	Name    string
	Attrs   []string
	Meaning string
}

// Table lists every event.
var Table = []Def{
	{CacheHit, []string{Kind, Key, Model, Elapsed, Tokens}, "an answer came from the cache"},
	{CacheMiss, []string{Key, Model, Reason}, "the cache had no answer, or the call may not be cached"},
	{CacheStore, []string{Key, Model, Tokens, Reason}, "an answer was stored, or the reason why not"},
	{RetryAttempt, []string{Attempt, Class, Status, Delay, Model, Target, Reason}, "an attempt failed and another follows after the delay"},
	{RetryGiveUp, []string{Attempt, Class, Status, Delay, Model, Target, Reason, Elapsed}, "the call failed for good"},
	{RetryHedge, []string{Attempt, Delay, Model, Target}, "a second attempt was started beside a slow one"},
	{RetryNested, []string{Attempt, Count, Model, Target}, "a client below repeated its request by itself: set its own retries to zero"},
	{RetryGuess, []string{Attempt, Class, Model, Target}, "an error had lost its status and code, and its class is a guess: give the client below a fault.Transport"},
	{RetryResume, []string{Attempt, Class, Status, Delay, Model, Target}, "a stream was cut, and after the delay its answer is asked to be continued"},
	{RetryBreaker, []string{State, Target, Count, Reason}, "a circuit breaker changed its state"},
	{LimitWait, []string{Dimension, Tenant, Delay, Tokens, Model}, "the call waits for room under a limit"},
	{LimitDeny, []string{Dimension, Tenant, Delay, Tokens, Model, Reason}, "a limit refused the call"},
	{LimitStore, []string{State, Count, Reason}, "the store of the limits failed: calls go by the rates of this process, or are refused"},
	{RoutePick, []string{Target, Model, Reason, Attempt}, "a target was chosen for an attempt, and why"},
	{RouteTarget, []string{Target, State, Reason}, "a target came up, went down, was drained, or its load can't be read"},
	{RouteCanary, []string{State, Count, Reason}, "a rollout changed its phase or its weight in percent, or its store failed"},
	{RouteShadow, []string{State, Reason}, "the budget of the shadow traffic is spent"},
	{QueueDead, []string{ID, Target, Class, Attempt, Reason}, "a job became a dead letter"},
	{QueueLost, []string{ID, Target, Reason}, "the end of a run could not be stored: the job runs again"},
	{QueueRecover, []string{Count}, "jobs of lost workers were given back"},
	{QueueHang, []string{ID, Target}, "a handler ignored the end of its context, and its slot was given away"},
	{QueueStore, []string{Reason}, "the store of the jobs failed, and is asked again"},
	{QueueRedrive, []string{ID}, "a dead letter was made pending again"},
	{GuardVerdict, []string{Stage, Check, Policy, Class, Reason, Scores, Threats, Count, Elapsed, Tenant}, "a check found something"},
	{RetrieveQuery, []string{Count, ID, Scores, Elapsed, Tenant}, "passages were retrieved"},
	{RetrieveTruncated, []string{Bytes, Reason}, "the end of a collection's file was lost in a crash, and cut off"},
	{RetrieveFallback, []string{Stage, Count, Reason, Elapsed}, "a stage after the search failed or was too slow, and what came before it was used"},
	{RetrieveRebuilt, []string{Stage, Reason}, "an index stored beside a collection's file could not be used, and is built again"},
	{TokensDropped, []string{Count, Tokens, Reason, Model}, "parts of a prompt were dropped to fit the window"},
	{TraceRejected, []string{Target, Count, Reason}, "a receiver of traces refused a part of what it was sent"},
	{UsageInvalid, []string{Model, Reason}, "a provider reported token counts that can't be right"},
}

// Logger returns l, or a logger that discards everything if l is nil.
func Logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// A Checker is a slog.Handler for tests. It compares every record with [Table] and
// calls Report for a difference. Then it passes the record to Next, if there is
// one.
type Checker struct {
	Report func(format string, args ...any)
	Next   slog.Handler
}

// Enabled reports true, so that a test sees every event.
func (c *Checker) Enabled(context.Context, slog.Level) bool { return true }

// Handle checks r's name and keys.
func (c *Checker) Handle(ctx context.Context, r slog.Record) error {
	c.check(r)
	if c.Next == nil {
		return nil
	}
	return c.Next.Handle(ctx, r)
}

func (c *Checker) check(r slog.Record) {
	for _, def := range Table {
		if def.Name != r.Message {
			continue
		}
		known := make(map[string]bool, len(def.Attrs))
		for _, k := range def.Attrs {
			known[k] = true
		}
		r.Attrs(func(a slog.Attr) bool {
			if !known[a.Key] {
				c.Report("event %s has the key %q, which the table doesn't list", r.Message, a.Key)
			}
			return true
		})
		return
	}
	c.Report("%q is not an event of the table", r.Message)
}

// WithAttrs and WithGroup return the handler itself: the table is about records,
// and not about what a caller's logger adds.
func (c *Checker) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup returns the handler itself, as WithAttrs does.
func (c *Checker) WithGroup(string) slog.Handler { return c }
