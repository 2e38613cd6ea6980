package retry

import (
	"math"
	"sync"
	"time"
)

// A Budget bounds the retries of all callers that share it, whatever their own
// settings are. Three attempts are harmless while one call in a thousand fails, and
// triple the load when all calls fail. A Budget is safe for concurrent use. The
// caller passes the time, so that a simulation can have its own clock.
type Budget interface {
	// Request records a call's first attempt.
	Request(now time.Time)
	// Success records an attempt that succeeded.
	Success(now time.Time)
	// Retry records a retryable failure and reports whether the budget has room for a
	// retry. If it has, the room is taken.
	Retry(now time.Time) bool
}

// NoBudget is a [Budget] that allows every retry.
var NoBudget Budget = noBudget{}

type noBudget struct{}

func (noBudget) Request(time.Time)    {}
func (noBudget) Success(time.Time)    {}
func (noBudget) Retry(time.Time) bool { return true }

// A TokenBudget is gRPC's retry throttling (proposal A6): a failure takes a token,
// a success returns a part of one, and there are retries only while more than half
// of the tokens are left. In a lasting overload that allows about Ratio retries for
// each success. It needs O(1) space.
type TokenBudget struct {
	mu     sync.Mutex
	milli  int64 // thousandths of a token
	max    int64
	refill int64
}

// TokenBudgetOptions are the settings of a [TokenBudget]. The defaults are gRPC's
// usual values.
type TokenBudgetOptions struct {
	// MaxTokens is how many tokens a full budget has, at most 1000. Default: 10.
	MaxTokens float64
	// Ratio is how much of a token a success returns, at most MaxTokens. Three
	// decimals are kept, as in A6. Default: 0.1.
	Ratio float64
}

// NewTokenBudget returns a full budget; nil options mean the defaults. It fails
// with [ErrOption].
func NewTokenBudget(o *TokenBudgetOptions) (*TokenBudget, error) {
	s := TokenBudgetOptions{}
	if o != nil {
		s = *o
	}
	if s.MaxTokens == 0 {
		s.MaxTokens = 10
	}
	if s.Ratio == 0 {
		s.Ratio = min(0.1, s.MaxTokens)
	}
	if !(s.MaxTokens > 0 && s.MaxTokens <= 1000) {
		return nil, optionError("TokenBudgetOptions.MaxTokens is %v: want 0 (the default, 10) to 1000", s.MaxTokens)
	}
	if !(s.Ratio > 0 && s.Ratio <= s.MaxTokens) {
		return nil, optionError("TokenBudgetOptions.Ratio is %v: want 0 (the default, 0.1) to MaxTokens, %v", s.Ratio, s.MaxTokens)
	}
	b := &TokenBudget{max: int64(s.MaxTokens*1000 + 1e-6), refill: int64(s.Ratio*1000 + 1e-6)}
	if b.max == 0 || b.refill == 0 {
		return nil, optionError("TokenBudgetOptions.MaxTokens is %v and Ratio %v: want 0.001 or more, for three decimals are kept", s.MaxTokens, s.Ratio)
	}
	b.milli = b.max
	return b, nil
}

// Request does nothing: A6 counts outcomes only.
func (b *TokenBudget) Request(time.Time) {}

// Success returns a part of a token.
func (b *TokenBudget) Success(time.Time) {
	b.mu.Lock()
	b.milli = min(b.max, b.milli+b.refill)
	b.mu.Unlock()
}

// Retry takes a token and reports whether more than half are left.
func (b *TokenBudget) Retry(time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.milli = max(0, b.milli-1000)
	return 2*b.milli > b.max
}

// Tokens returns how many tokens are left.
func (b *TokenBudget) Tokens() float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return float64(b.milli) / 1000
}

// A WindowBudget allows retries up to a share of the requests of a sliding window,
// plus a constant rate, so that a client with few requests may retry too. It is
// Finagle's RetryBudget, over an exact window instead of ten slices. It needs eight
// bytes for each request and retry in the window.
type WindowBudget struct {
	mu       sync.Mutex
	window   time.Duration
	share    float64
	constant float64
	requests times
	retries  times
}

// WindowBudgetOptions are the settings of a [WindowBudget]: in any Window there
// are at most Share·requests + PerSecond·Window retries. (Finagle's are 10 s, 0.2
// and 10.)
type WindowBudgetOptions struct {
	// Window is the time over which requests and retries are compared. Default:
	// 10 s.
	Window time.Duration
	// Share is how many retries each request allows, at most 1000. Negative: none.
	// Default: 0.1.
	Share float64
	// PerSecond is how many more retries a second are allowed, for a client that asks
	// twice an hour. Negative: none. Default: 1.
	PerSecond float64
}

// NewWindowBudget returns a budget; nil options mean the defaults. It fails with
// [ErrOption].
func NewWindowBudget(o *WindowBudgetOptions) (*WindowBudget, error) {
	s := WindowBudgetOptions{}
	if o != nil {
		s = *o
	}
	if s.Window == 0 {
		s.Window = 10 * time.Second
	}
	if s.Share == 0 {
		s.Share = 0.1
	}
	if s.PerSecond == 0 {
		s.PerSecond = 1
	}
	if s.Window < 0 {
		return nil, optionError("WindowBudgetOptions.Window is %v: want 0 (the default, 10 s) or more", s.Window)
	}
	if !(s.Share <= 1000) {
		return nil, optionError("WindowBudgetOptions.Share is %v: want at most 1000", s.Share)
	}
	if !(s.PerSecond <= 1e9) {
		return nil, optionError("WindowBudgetOptions.PerSecond is %v: want at most 1e9", s.PerSecond)
	}
	return &WindowBudget{window: s.Window, share: max(s.Share, 0), constant: max(s.PerSecond, 0) * s.Window.Seconds()}, nil
}

// Request deposits a share of a retry.
func (b *WindowBudget) Request(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests.push(now.UnixNano(), b.window)
}

// Success does nothing: requests count when they begin.
func (b *WindowBudget) Success(time.Time) {}

// Retry reports whether the balance is at least one, and takes it.
func (b *WindowBudget) Retry(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.balance(now) < 1-1e-9 { // 0.1 ten times is not 1 in floating point
		return false
	}
	b.retries.push(now.UnixNano(), b.window)
	return true
}

// Balance returns how many retries the window has room for.
func (b *WindowBudget) Balance(now time.Time) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.balance(now)
}

func (b *WindowBudget) balance(now time.Time) float64 {
	ns := now.UnixNano()
	return b.share*float64(b.requests.count(ns, b.window)) + b.constant - float64(b.retries.count(ns, b.window))
}

// times is a queue of instants, in a ring that grows by doubling.
type times struct {
	ring  []int64
	first int
	n     int
}

func (q *times) push(now int64, window time.Duration) {
	q.count(now, window)
	if q.n == len(q.ring) {
		ring := make([]int64, max(16, 2*len(q.ring)))
		for i := range q.n {
			ring[i] = q.ring[(q.first+i)%len(q.ring)]
		}
		q.ring, q.first = ring, 0
	}
	q.ring[(q.first+q.n)%len(q.ring)] = now
	q.n++
}

// count drops what is not in (now-window, now] and returns how many are left.
func (q *times) count(now int64, window time.Duration) int {
	after := int64(math.MinInt64)
	if now > math.MinInt64+int64(window) {
		after = now - int64(window)
	}
	for q.n > 0 && q.ring[q.first] <= after {
		q.first = (q.first + 1) % len(q.ring)
		q.n--
	}
	return q.n
}
