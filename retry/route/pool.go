package route

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
)

// A Pool chooses targets, and knows how loaded, how fast and how well each is. It
// sends nothing: [Model] does, and a program with another kind of call may use a
// Pool alone. It is safe for concurrent use. The caller passes the time.
//
// A choice looks at each target and allocates nothing.
type Pool struct {
	o       Options
	log     *slog.Logger
	start   time.Time
	members []*member

	randMu sync.Mutex
	turnMu sync.Mutex
	turns  *WeightedRoundRobin
	moved  moved
}

// A member is a target, and what is known of it. Load and health are apart: a health
// check that fails forgets no call in progress.
type member struct {
	// What every choice reads comes first, and so is together in memory.
	notBefore atomic.Int64 // after Pool.start: when the target is available
	inFlight  atomic.Int64
	work      atomic.Int64 // of the calls in progress: CallTokens each, and their prompt tokens
	limits

	t       Target
	seed    uint64
	breaker *retry.Breaker
	first   peak // the latency of first tokens, of streams
	whole   peak // the latency of whole answers, of other calls
	report  atomic.Pointer[report]

	mu          sync.Mutex // guards what notBefore follows from
	openUntil   time.Duration
	pausedUntil time.Duration
	drained     bool
	down        bool

	picks, healthy, unhealthy, throttled atomic.Int64
}

// limits are what a target's options say about a choice.
type limits struct {
	tier, window       int
	maxInFlight, spill int64
	canary             bool
}

// never is the instant at which a target that is down or drained comes back.
const never = math.MaxInt64

// set changes what makes a target available or not.
func (m *member) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	at := int64(max(m.openUntil, m.pausedUntil))
	if m.drained || m.down {
		at = never
	}
	m.notBefore.Store(at)
}

// A report is a Load that was read.
type report struct {
	Load
	at       time.Duration // after Pool.start
	inFlight int64         // of this process, then
}

// NewPool returns a pool of targets; nil options mean the defaults. It fails with
// [ErrOption].
func NewPool(targets []Target, o *Options) (*Pool, error) {
	p := &Pool{start: time.Now()}
	if o != nil {
		p.o = *o
	}
	if err := p.o.check(); err != nil {
		return nil, err
	}
	if err := checkTargets(targets, &p.o); err != nil {
		return nil, err
	}
	p.o.complete()
	p.log = event.Logger(p.o.Logger)
	weights := make([]int, len(targets))
	for i, t := range targets {
		m := &member{t: t, seed: Hash(t.Name), limits: limits{t.Tier, t.WindowTokens, int64(t.MaxInFlight), int64(t.SpillAt), t.Canary}}
		var err error
		if m.breaker, err = retry.NewBreaker(p.o.Breaker); err != nil {
			return nil, optionError("Options.Breaker: %v", err)
		}
		p.members = append(p.members, m)
		if weights[i] = t.Weight; weights[i] == 0 {
			weights[i] = 1
		}
	}
	var err error
	p.turns, err = NewWeightedRoundRobin(weights)
	return p, err
}

// since is the time after the pool's beginning, a number that an atomic can have.
func (p *Pool) since(now time.Time) time.Duration { return max(now.Sub(p.start), 1) }

func (p *Pool) openFor() time.Duration {
	if p.o.Breaker.OpenFor > 0 {
		return p.o.Breaker.OpenFor
	}
	return 30 * time.Second // retry's default
}

// intn returns a random number below n.
func (p *Pool) intn(n int) int {
	if p.o.Rand == nil {
		return rand.IntN(n)
	}
	p.randMu.Lock()
	defer p.randMu.Unlock()
	return p.o.Rand.IntN(n)
}

// pair returns two different random numbers below n.
func (p *Pool) pair(n int) (i, j int) {
	var r uint64
	if p.o.Rand == nil {
		r = rand.Uint64()
	} else {
		p.randMu.Lock()
		r = p.o.Rand.Uint64()
		p.randMu.Unlock()
	}
	// For n up to 256 the error of the multiplication is below 2^-24.
	i, j = int(uint64(uint32(r))*uint64(n)>>32), int((r>>32)*uint64(n-1)>>32)
	if j >= i {
		j++
	}
	return i, j
}

// A Pick is a target that was chosen for one call, which counts as in progress until
// Done or Cancel. After that its methods do nothing.
type Pick struct {
	p      *Pool
	m      *member
	i      int
	began  time.Duration
	work   int64
	stream bool
	heard  bool
	reason string
	permit admission.Permit
}

// Target returns the chosen target's index among those of NewPool.
func (k *Pick) Target() int { return k.i }

// Reason is why the target was chosen: balance, affinity, moved, spill, version.
func (k *Pick) Reason() string { return k.reason }

// FirstToken reports the first token of a stream.
func (k *Pick) FirstToken(now time.Time) {
	if k.m == nil || !k.stream || k.heard {
		return
	}
	k.heard = true
	at := k.p.since(now)
	k.m.first.add(at, at-k.began, k.p.o.Decay)
	k.permit.FirstToken(now)
}

// Done ends the call with what it has shown of the target.
func (k *Pick) Done(now time.Time, o admission.Outcome) {
	m := k.m
	if m == nil {
		return
	}
	at := k.p.since(now)
	took := at - k.began
	latency := &m.whole
	if k.stream {
		latency = &m.first
	}
	switch o {
	case admission.OutcomeHealthy:
		m.healthy.Add(1)
		if !k.heard {
			latency.add(at, took, k.p.o.Decay)
		}
	case admission.OutcomeUnhealthy:
		// A target that fails fast must not look fast: a failure counts as twice
		// the mean, and at most a minute.
		m.unhealthy.Add(1)
		mean := time.Duration(latency.seconds(at, k.p.o.Decay) * float64(time.Second))
		latency.add(at, min(2*max(took, mean), time.Minute), k.p.o.Decay)
	case admission.OutcomeThrottled:
		m.throttled.Add(1)
	}
	k.permit.Done(now, o)
	if o == admission.OutcomeUnhealthy && m.breaker.State(now) == retry.StateOpen {
		m.set(func() { m.openUntil = at + k.p.openFor() })
	}
	k.end()
}

// Cancel ends a call that was not made.
func (k *Pick) Cancel(now time.Time) {
	if k.m == nil {
		return
	}
	k.permit.Cancel(now)
	k.m.picks.Add(-1)
	k.end()
}

func (k *Pick) end() {
	k.m.inFlight.Add(-1)
	k.m.work.Add(-k.work)
	k.m = nil
}

// pause leaves a target out for a time.
func (p *Pool) pause(m *member, now time.Time, d time.Duration) {
	until := p.since(now) + min(d, longestPause)
	m.set(func() { m.pausedUntil = max(m.pausedUntil, until) })
}

// longestPause bounds what a server can ask for: a wrong header must not remove a
// target forever.
const longestPause = time.Hour

// queue returns the length of a target's queue: what it reported as waiting and what
// was sent since. Without a recent report it is the calls in progress.
func (m *member) queue(at, maxAge time.Duration) int64 {
	inFlight := m.inFlight.Load()
	r := m.report.Load()
	if r == nil || at-r.at > maxAge {
		return inFlight
	}
	n := int64(r.Waiting) + max(inFlight-r.inFlight, 0)
	if r.CacheUsage >= fullCache {
		n = max(n, m.spill)
	}
	return n
}

// fullCache is the share of the KV cache from which on an engine has no room.
const fullCache = 0.95

// moved remembers the keys whose first target was not available, so that they stay
// where they went: going back would lose a cache a second time.
type moved struct {
	n  atomic.Int64
	mu sync.Mutex
	at map[uint64]uint8
}

// mostMoved bounds the memory; of more keys, any is forgotten.
const mostMoved = 1 << 16

func (m *moved) get(key uint64) (int, bool) {
	if m.n.Load() == 0 {
		return 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.at[key]
	return int(i), ok
}

func (m *moved) put(key uint64, i int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		m.at = map[uint64]uint8{}
	}
	for old := range m.at {
		if len(m.at) < mostMoved {
			break
		}
		delete(m.at, old)
	}
	m.at[key] = uint8(i)
	m.n.Store(int64(len(m.at)))
}
