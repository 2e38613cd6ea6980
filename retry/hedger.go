package retry

import (
	"math"
	"reflect"
	"slices"
	"sync"
	"time"
)

// HedgerOptions are the settings of a [Hedger].
type HedgerOptions struct {
	// Quantile sets when a hedge starts: when an answer takes longer than this
	// quantile of the recent latencies. At most 0.998. Default: 0.95 or, with a Delay,
	// none.
	Quantile float64
	// Delay is a fixed time after which a hedge starts. With a Quantile it applies
	// until enough latencies are known: 20 for the 0.95 quantile. Default: none.
	Delay time.Duration
	// Share is the part of the last minute's calls that may be hedged. It limits the
	// hedges when the whole target turns slow: then every answer is later than the old
	// quantile, and hedges would double the load. Default: 0.05.
	Share float64
	// Budget is asked in place of Share. It may be the policy's own, so that one
	// budget covers retries and hedges. Default: a [WindowBudget] by Share.
	Budget Budget
}

// A Hedger starts a second attempt, a hedge, beside a first one that takes longer
// than most, and takes the answer that comes first: Dean and Barroso, "The Tail at
// Scale", 2013. In a test, most answers take a second and one in fifty takes a
// hundred seconds more. There the 99th percentile falls from 101 s to 2.1 s for
// 1.05 attempts a call (go test -run TestHedgingCutsTheTail -v).
//
// Hedging helps where slowness is the bad luck of one request, such as a busy
// replica or a lost packet. It makes things worse where the target as a whole is
// slow, so a budget limits the hedges. Both attempts of a hedged call may be paid.
//
// A Hedger belongs into [Options].Hedger. It is for one target, since it learns
// that target's latencies, and the policies of the target may share it. Its rules
// are:
//
//   - The delay runs from the moment the first attempt was admitted. A wait in a
//     limiter is not a reason for a hedge, because the hedge would wait there too.
//   - A stream is hedged until one of the two sends something. The attempt with the
//     first non-empty chunk wins, and the other is canceled. So what is learned of
//     a stream is the time to its first token.
//   - A hedge asks the limiter, bulkhead, adaptive limit, shedder and breaker as
//     every attempt does. It isn't made if one of them refuses or the budget has no
//     room. The attempt that lost counts neither for the target's health nor
//     against it.
//   - A hedge never makes a call fail. Its own failure is ignored while the first
//     attempt is in progress. If the first attempt fails with a retryable error,
//     the call waits for the hedge. If it fails in another way, the hedge is
//     canceled, as in gRPC.
//   - In gRPC (proposal A6) a method is either retried or hedged. Here only the
//     call's first attempt is hedged, once. A failure before the delay is retried
//     after its backoff, as without a Hedger, and the retry isn't hedged. If both
//     attempts failed, a retry follows. A hedge counts in Options.MaxAttempts, so
//     nothing is hedged if that is 1. Nothing is hedged below another Model either,
//     which may hedge itself.
//   - Both attempts carry the same idempotency key.
//   - The call returns when both attempts have returned. A client that ignores its
//     context makes the loser slow, and so the call. After the return no callback
//     of the caller runs, and its messages are not read.
//   - The usage is the winner's. The loser's usage is unknown, since no client
//     reports that of a canceled call. It isn't estimated, but it is on the bill.
//
// It is safe for concurrent use.
type Hedger struct {
	o     HedgerOptions
	mu    sync.Mutex
	whole latencies // of calls that don't stream
	first latencies // first tokens
}

// NewHedger returns a hedger; nil options mean the defaults. It fails with
// [ErrOption].
func NewHedger(o *HedgerOptions) (*Hedger, error) {
	h := &Hedger{}
	if o != nil {
		h.o = *o
	}
	s := &h.o
	if s.Delay < 0 {
		return nil, optionError("HedgerOptions.Delay is %v: want 0 (Quantile decides) or more", s.Delay)
	}
	if !(s.Quantile >= 0 && s.Quantile <= 0.998) { // one of 512 latencies must be above
		return nil, optionError("HedgerOptions.Quantile is %v: want 0 (the default) to 0.998", s.Quantile)
	}
	if !(s.Share >= 0 && s.Share <= 1) {
		return nil, optionError("HedgerOptions.Share is %v: want 0 (the default, 0.05) to 1", s.Share)
	}
	if s.Quantile == 0 && s.Delay == 0 {
		s.Quantile = 0.95
	}
	if s.Share == 0 {
		s.Share = 0.05
	}
	if s.Budget == nil {
		b, err := NewWindowBudget(&WindowBudgetOptions{Window: time.Minute, Share: s.Share, PerSecond: -1})
		if err != nil {
			return nil, err
		}
		s.Budget = b
	}
	return h, nil
}

// Delay returns how long a call that doesn't stream waits for its first attempt
// before it starts a hedge, and whether that is known yet.
func (h *Hedger) Delay() (time.Duration, bool) { return h.delay(false) }

// FirstTokenDelay is Delay for the first token of a stream.
func (h *Hedger) FirstTokenDelay() (time.Duration, bool) { return h.delay(true) }

func (h *Hedger) delay(stream bool) (time.Duration, bool) {
	if h.o.Quantile > 0 {
		h.mu.Lock()
		d, ok := h.of(stream).quantile(h.o.Quantile)
		h.mu.Unlock()
		if ok {
			return d, true
		}
	}
	return h.o.Delay, h.o.Delay > 0
}

func (h *Hedger) of(stream bool) *latencies {
	if stream {
		return &h.first
	}
	return &h.whole
}

// observe records how long a first attempt took to answer, or had taken when a
// hedge overtook it. The second kind is a lower bound, above the quantile. Without
// it the slow attempts would be missing, the quantile would fall, more attempts
// would be overtaken, and so on.
func (h *Hedger) observe(stream bool, d time.Duration) {
	if h.o.Quantile == 0 {
		return
	}
	h.mu.Lock()
	h.of(stream).add(d)
	h.mu.Unlock()
}

// ownBudget returns the budget to which the policy must report requests and
// successes, or nil if it is the policy's own, which knows them.
func (h *Hedger) ownBudget(policys Budget) Budget {
	if reflect.ValueOf(policys).Comparable() && h.o.Budget == policys {
		return nil
	}
	return h.o.Budget
}

// latencies holds the last 512 and answers with exact quantiles.
type latencies struct {
	recent [512]time.Duration // a ring
	n      int                // how many were ever seen
	sorted []time.Duration
}

func (l *latencies) add(d time.Duration) {
	slot := &l.recent[l.n%len(l.recent)]
	if l.n >= len(l.recent) {
		i, _ := slices.BinarySearch(l.sorted, *slot)
		l.sorted = slices.Delete(l.sorted, i, i+1)
	}
	*slot = d
	l.n++
	i, _ := slices.BinarySearch(l.sorted, d)
	l.sorted = slices.Insert(l.sorted, i, d)
}

// quantile returns the smallest latency that at least a part q of them don't
// exceed. It needs enough of them that one can be expected above.
func (l *latencies) quantile(q float64) (time.Duration, bool) {
	n := float64(len(l.sorted))
	if n == 0 || n*(1-q) < 1-1e-9 {
		return 0, false
	}
	return l.sorted[max(0, int(math.Ceil(q*n-1e-9))-1)], true
}
