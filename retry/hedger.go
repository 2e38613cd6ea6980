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
	// Quantile of the recent latencies is how long an answer may take before a
	// hedge starts, at most 0.998. Default: 0.95 or, with a Delay, none.
	Quantile float64
	// Delay is a fixed one. With a Quantile it applies until enough latencies
	// are known: 20 for the 0.95 quantile. Default: none.
	Delay time.Duration
	// Share is the part of the calls that may be hedged, of those of the last
	// minute. It limits the hedges when the target turns slow and every answer is
	// later than the quantile used to be: then hedges would double the load.
	// Default: 0.05.
	Share float64
	// Budget is asked in place of Share. It may be the policy's own, so that one
	// budget pays for retries and hedges. Default: a [WindowBudget] by Share.
	Budget Budget
}

// A Hedger starts a second attempt, a hedge, beside a first one that takes
// longer than most, and takes the answer that comes first: Dean and Barroso,
// "The Tail at Scale", 2013. Where one answer in fifty of a second's takes a
// hundred more, the 99th percentile falls from 101 s to 2.1 s for 1.05 attempts
// a call (go test -run TestHedgingCutsTheTail -v). It helps where slowness is
// the luck of one request (a busy replica, a lost packet), and only makes it
// worse where the target as a whole is slow, which is what the budget is for. A
// model is paid twice for a hedged call.
//
// Put one into [Options].Hedger; it belongs to one target, since it learns that
// target's latencies, and may be shared by its policies. The rules:
//
//   - The delay runs from the moment the first attempt was admitted. Waiting in
//     a limiter is not a reason for a hedge: the hedge would wait there too.
//   - A stream is hedged until one of the two sends something. The first
//     non-empty chunk wins; the other attempt is canceled unheard. So what is
//     learned of a stream is the time to its first token.
//   - A hedge asks the limiter, bulkhead, adaptive limit, shedder and breaker as
//     every attempt does, and it doesn't happen if one of them refuses or there
//     is no room in the budget. The attempt that lost counts neither for the
//     target's health nor against it.
//   - A hedge never makes a call fail. Its own failure is forgotten while the
//     first attempt is in progress; if the first fails in a way that may be
//     retried, a hedge in progress is waited for; if in another way, the hedge is
//     canceled, as in gRPC.
//   - gRPC (proposal A6) has a method either retried or hedged. Here only the
//     call's first attempt is hedged, and there is one hedge. A failure before
//     the delay is retried after its backoff, as without a Hedger, and isn't
//     hedged again; if both attempts failed, a retry follows. A hedge counts in
//     Options.MaxAttempts, so nothing is hedged if that is 1, nor below another
//     Model, which may hedge itself.
//   - Both attempts carry the same idempotency key.
//   - The call returns when both attempts have: a client that ignores its
//     context makes the loser slow, and the call with it. No callback of the
//     caller's runs after that, and its messages are its own again.
//   - The usage is the winner's. The loser's is unknown, since no client
//     reports that of a canceled call, and is invented nowhere; the bill has it.
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
	if !(s.Quantile >= 0 && s.Quantile <= 0.998) { // of 512 latencies one must be above
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

// Delay returns how long the first attempt of a call that doesn't stream is
// waited for now, and whether that is known yet.
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
// hedge overtook it. Without the second kind, which is a lower bound above the
// quantile, the slow ones would go unseen, the quantile fall, more attempts be
// overtaken, and so on down.
func (h *Hedger) observe(stream bool, d time.Duration) {
	if h.o.Quantile == 0 {
		return
	}
	h.mu.Lock()
	h.of(stream).add(d)
	h.mu.Unlock()
}

// ownBudget returns the budget that the policy must report requests and successes
// to: nil if it is the policy's own, which knows them.
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
// exceed. It needs so many that one of them may be expected above.
func (l *latencies) quantile(q float64) (time.Duration, bool) {
	n := float64(len(l.sorted))
	if n == 0 || n*(1-q) < 1-1e-9 {
		return 0, false
	}
	return l.sorted[max(0, int(math.Ceil(q*n-1e-9))-1)], true
}
