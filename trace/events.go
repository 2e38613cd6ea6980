package trace

import (
	"slices"

	"github.com/prodailabs/prodai/internal/event"
)

// The names of the events that the packages of this library log. The message of
// the [log/slog] record is the event's name. [LogHandler] turns each record into
// a span event of that name. [Events] lists them with their attributes.
const (
	EventCacheHit          = event.CacheHit          // cache.hit: an answer came from the cache
	EventCacheMiss         = event.CacheMiss         // cache.miss: the cache had no answer, or the call may not be cached
	EventCacheStore        = event.CacheStore        // cache.store: an answer was stored, or the reason why not
	EventRetryAttempt      = event.RetryAttempt      // retry.attempt: an attempt failed and another follows after the delay
	EventRetryGiveUp       = event.RetryGiveUp       // retry.giveup: the call failed for good
	EventRetryHedge        = event.RetryHedge        // retry.hedge: a second attempt was started beside a slow one
	EventRetryGuess        = event.RetryGuess        // retry.guess: an error had lost its status and code, and its class is a guess: give the client below a fault.Transport
	EventRetryNested       = event.RetryNested       // retry.nested: a client below repeated its request by itself: set its own retries to zero
	EventRetryResume       = event.RetryResume       // retry.resume: a stream was cut, and after the delay its answer is asked to be continued
	EventRetryBreaker      = event.RetryBreaker      // retry.breaker: a circuit breaker changed its state
	EventLimitWait         = event.LimitWait         // limit.wait: the call waits for room under a limit
	EventLimitDeny         = event.LimitDeny         // limit.deny: a limit refused the call
	EventLimitStore        = event.LimitStore        // limit.store: the store of the limits failed: calls go by the rates of this process, or are refused
	EventRoutePick         = event.RoutePick         // route.pick: a target was chosen for an attempt, and why
	EventRouteTarget       = event.RouteTarget       // route.target: a target came up, went down, was drained, or its load can't be read
	EventRouteCanary       = event.RouteCanary       // route.canary: a rollout changed its phase or its weight in percent, or its store failed
	EventRouteShadow       = event.RouteShadow       // route.shadow: the budget of the shadow traffic is spent
	EventQueueDead         = event.QueueDead         // queue.dead: a job became a dead letter
	EventQueueLost         = event.QueueLost         // queue.lost: the end of a run could not be stored: the job runs again
	EventQueueRecover      = event.QueueRecover      // queue.recover: jobs of lost workers were given back
	EventQueueHang         = event.QueueHang         // queue.hang: a handler ignored the end of its context, and its slot was given away
	EventQueueStore        = event.QueueStore        // queue.store: the store of the jobs failed, and is asked again
	EventQueueRedrive      = event.QueueRedrive      // queue.redrive: a dead letter was made pending again
	EventGuardVerdict      = event.GuardVerdict      // guard.verdict: a check found something
	EventRetrieveTruncated = event.RetrieveTruncated // retrieve.truncated: the end of a collection's file was lost in a crash, and cut off
	EventRetrieveFallback  = event.RetrieveFallback  // retrieve.fallback: a stage after the search failed or was too slow, and what came before it was used
	EventRetrieveRebuilt   = event.RetrieveRebuilt   // retrieve.rebuilt: an index stored beside a collection's file could not be used, and is built again
	EventRetrieveQuery     = event.RetrieveQuery     // retrieve.query: passages were retrieved
	EventTokensDropped     = event.TokensDropped     // tokens.dropped: parts of a prompt were dropped to fit the window
	EventTraceRejected     = event.TraceRejected     // trace.rejected: a receiver of traces refused a part of what it was sent
	EventUsageInvalid      = event.UsageInvalid      // usage.invalid: a provider reported token counts that can't be right
)

// The attribute keys of the events. A duration is a [time.Duration] in the log
// record and a number of seconds in the span event. Money is in pico-USD.
const (
	AttrAttempt   = event.Attempt   // attempt, int: the attempt's number, 1 first
	AttrBytes     = event.Bytes     // bytes, int64: how many bytes
	AttrKind      = event.Kind      // kind, string: which cache answered: exact, semantic, shared
	AttrCheck     = event.Check     // check, string: the guard check's name
	AttrClass     = event.Class     // class, string: the error's class; of guard.verdict, the finding's kind
	AttrCount     = event.Count     // count, int: how many
	AttrDelay     = event.Delay     // delay, time.Duration: the wait that follows
	AttrDimension = event.Dimension // dimension, string: requests, tokens, money, concurrency, spend, switch, store
	AttrElapsed   = event.Elapsed   // elapsed, time.Duration: since the start of what the event is about
	AttrID        = event.ID        // id, string: a content id, never content
	AttrKey       = event.Key       // key, string: a hash, never content
	AttrModel     = event.Model     // model, string: the model asked for
	AttrPolicy    = event.Policy    // policy, string: what the guard does: block, redact, flag, shadow
	AttrReason    = event.Reason    // reason, string: why, in words that hold no content
	AttrScores    = event.Scores    // scores, []float64: best first
	AttrStage     = event.Stage     // stage, string: input, document, tool_result, tool_call, output
	AttrState     = event.State     // state, string: the state entered
	AttrStatus    = event.Status    // status, int: the HTTP status, 0 if there was none
	AttrTarget    = event.Target    // target, string: the route's target; of queue events, the job's kind
	AttrTenant    = event.Tenant    // tenant, string
	AttrThreats   = event.Threats   // threats, []string: OWASP LLM and MITRE ATLAS ids
	AttrTokens    = event.Tokens    // tokens, int
)

// An EventInfo is a row of the table of events: the name, the attribute keys that
// its records may carry, and its meaning.
//
//	type EventInfo struct {
//		Name    string
//		Attrs   []string
//		Meaning string
//	}
type EventInfo = event.Def

// Events returns the table of all events. Events carry numbers, names and
// reasons, never prompts, answers or documents.
func Events() []EventInfo {
	all := slices.Clone(event.Table)
	for i := range all {
		all[i].Attrs = slices.Clone(all[i].Attrs)
	}
	return all
}
