package overload

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/limit"
)

// Seconds is how long arrivals last.
const Seconds = 150

// A Result is what came of one run.
type Result struct {
	Scenario      string  `json:"scenario"`
	Strategy      string  `json:"strategy"`
	Seed          uint64  `json:"seed"`
	Requests      int     `json:"requests"`
	Calls         int     `json:"calls"`
	Amplification float64 `json:"amplification"` // calls a request
	OK            int     `json:"ok"`            // requests answered in time
	Wasted        int     `json:"wasted"`        // calls that served nobody
	P50           float64 `json:"p50_s"`         // latency of those answered, seconds
	P99           float64 `json:"p99_s"`
	SpikeGoodput  float64 `json:"goodput_spike"` // answers a second in the spike
	// LateGoodput is the requests a second that arrived at 120-150 s and were
	// answered: whether the clients' state has outlived the spike.
	LateGoodput float64 `json:"goodput_of_arrivals_120_150"`

	// Arrived, Goodput and Waste are requests, answers and wasted calls in each
	// second.
	Arrived [Seconds]float64 `json:"-"`
	Goodput [Seconds]float64 `json:"-"`
	Waste   [Seconds]float64 `json:"-"`
}

type request struct {
	arrived, deadline time.Time
	tries             int // attempts begun
	waits             int
	prev              time.Duration
}

type call struct {
	r      *request
	ticket retry.Ticket
	sent   time.Time
	over   bool
}

// An event happens at an instant; those at the same one in the order in which
// they were planned.
type event struct {
	at  time.Duration
	seq int
	do  func()
}

// events is a binary heap; container/heap would allocate for each event.
type events []event

func (q events) less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}

func (q *events) push(e event) {
	h := append(*q, e)
	for i := len(h) - 1; i > 0 && h.less(i, (i-1)/2); i = (i - 1) / 2 {
		h[i], h[(i-1)/2] = h[(i-1)/2], h[i]
	}
	*q = h
}

func (q *events) pop() event {
	h := *q
	first, n := h[0], len(h)-1
	h[0], h[n] = h[n], event{}
	h = h[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c+1 < n && h.less(c+1, c) {
			c++
		}
		if c >= n || !h.less(c, i) {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	*q = h
	return first
}

// A sim is one run: the clients first, then the server.
type sim struct {
	scenario Scenario
	s        Strategy
	clock    time.Duration
	seq      int
	events   events
	rand     *rand.Rand
	out      Result
	latency  []float64

	budget   retry.Budget
	breaker  *retry.Breaker
	adaptive *retry.Adaptive
	bucket   *limit.Bucket
	shedder  *retry.Shedder
	waiting  []*request // for room in adaptive

	tokens   float64 // of the quota
	refilled time.Duration
	busy     int // workers
	queue    []*call
}

var epoch = time.Unix(0, 0)

func (m *sim) now() time.Time { return epoch.Add(m.clock) }

func (m *sim) after(d time.Duration, do func()) {
	m.seq++
	m.events.push(event{m.clock + d, m.seq, do})
}

func (m *sim) exponential(mean float64) time.Duration {
	return time.Duration(m.rand.ExpFloat64() * mean * float64(time.Second))
}

// Run simulates a scenario under a strategy.
func Run(scenario Scenario, s Strategy, seed uint64) (*Result, error) {
	if scenario > QueueBounded || s.Retries < 0 {
		return nil, fmt.Errorf("%w: scenario %d, %d retries", ErrConfig, scenario, s.Retries)
	}
	m := &sim{scenario: scenario, s: s, rand: rand.New(rand.NewPCG(seed, 1)), budget: retry.NoBudget, tokens: Capacity}
	m.out = Result{Scenario: scenario.String(), Strategy: s.Name, Seed: seed}
	if err := m.policies(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, s.Name, err)
	}
	// Arrivals have their own randomness: they are the same for every strategy.
	arrivals, at := rand.New(rand.NewPCG(seed, 0)), time.Duration(0)
	for _, p := range scenario.phases() {
		for start := at; ; {
			start += time.Duration(arrivals.ExpFloat64() / p.rate * float64(time.Second))
			if start >= p.until {
				break
			}
			m.after(start, m.arrive)
		}
		at = p.until
	}
	for len(m.events) > 0 {
		e := m.events.pop()
		m.clock = e.at
		e.do()
	}
	o := &m.out
	o.Wasted, o.OK = o.Calls-len(m.latency), len(m.latency)
	o.Amplification = float64(o.Calls) / float64(o.Requests)
	slices.Sort(m.latency)
	if n := len(m.latency); n > 0 {
		o.P50, o.P99 = m.latency[n/2], m.latency[n*99/100]
	}
	p := scenario.phases()
	from, to := int(p[0].until.Seconds()), int(p[1].until.Seconds())
	for _, n := range o.Goodput[from:to] {
		o.SpikeGoodput += n / float64(to-from)
	}
	o.LateGoodput /= 30
	return o, nil
}

func (m *sim) policies() (err error) {
	if m.s.Budget != nil {
		if m.budget, err = m.s.Budget(); err != nil {
			return err
		}
	}
	if m.s.Breaker != nil {
		if m.breaker, err = m.s.Breaker(); err != nil {
			return err
		}
	}
	if m.s.Adaptive != nil {
		if m.adaptive, err = m.s.Adaptive(); err != nil {
			return err
		}
	}
	if m.s.Limit != nil {
		if m.bucket, err = m.s.Limit(m.scenario); err != nil {
			return err
		}
	}
	if m.s.Shed != nil {
		m.shedder, err = m.s.Shed()
	}
	return err
}

// tally counts in the second that is now.
func (m *sim) tally(series *[Seconds]float64) {
	if i := int(m.clock / time.Second); i < Seconds {
		series[i]++
	}
}

func (m *sim) arrive() {
	m.out.Requests++
	m.tally(&m.out.Arrived)
	m.budget.Request(m.now())
	m.attempt(&request{arrived: m.now(), deadline: m.now().Add(m.scenario.deadline())})
}

// attempt asks the client's limiter, then its shedder: what can't be answered
// in time ends here.
func (m *sim) attempt(r *request) {
	r.tries++
	if m.bucket == nil {
		m.enter(r)
		return
	}
	place := m.bucket.ReserveAt(m.now(), 1)
	if !place.OK || !m.inTime(r, place.Delay, retry.Normal) {
		place.CancelAt(m.now())
		return
	}
	m.after(place.Delay, func() { m.enter(r) })
}

func (m *sim) inTime(r *request, wait time.Duration, p retry.Priority) bool {
	if m.shedder != nil {
		return m.shedder.Admit(m.now(), r.deadline, wait, p) == nil
	}
	return m.now().Add(wait).Before(r.deadline)
}

// enter waits for room under the adaptive limit.
func (m *sim) enter(r *request) {
	if m.adaptive == nil {
		m.send(r)
		return
	}
	m.waiting = append(m.waiting, r)
	m.admit()
}

func (m *sim) admit() {
	for len(m.waiting) > 0 {
		r := m.waiting[0]
		in := m.inTime(r, 0, retry.High) // it has paid for its place in the known limit
		if in && m.adaptive.Acquire(m.now()) != nil {
			return
		}
		m.waiting = m.waiting[1:]
		if in {
			m.send(r)
		}
	}
}

// send makes a call, unless the breaker is open.
func (m *sim) send(r *request) {
	c := &call{r: r, sent: m.now()}
	if m.breaker != nil {
		var err error
		if c.ticket, err = m.breaker.Allow(m.now()); err != nil {
			if m.adaptive != nil {
				m.adaptive.Release(m.now(), retry.Neither)
			}
			m.again(r, 0)
			return
		}
	}
	m.out.Calls++
	patience := r.deadline.Sub(m.now())
	if !m.scenario.quota() {
		patience = min(patience, 4*time.Second)
	}
	m.after(patience, func() { m.end(c, false, 0) })
	m.serve(c)
}

// end is the end of a call for its client; asked is the server's Retry-After.
func (m *sim) end(c *call, ok bool, asked time.Duration) {
	if c.over {
		return
	}
	c.over = true
	outcome := retry.Sick
	if ok {
		outcome = retry.Healthy
	}
	if m.breaker != nil {
		m.breaker.Done(m.now(), c.ticket, outcome)
	}
	if m.adaptive != nil {
		if !m.now().Before(c.r.deadline) {
			outcome = retry.Neither // our own deadline says nothing about the server
		}
		m.adaptive.Release(m.now(), outcome)
	}
	if ok {
		m.budget.Success(m.now())
		if m.shedder != nil {
			m.shedder.Observe(0, m.now().Sub(c.sent))
		}
		m.latency = append(m.latency, m.now().Sub(c.r.arrived).Seconds())
		m.tally(&m.out.Goodput)
		if a := c.r.arrived.Sub(epoch); a >= 120*time.Second {
			m.out.LateGoodput++
		}
	} else {
		m.tally(&m.out.Waste)
		m.again(c.r, asked)
	}
	m.admit()
}

// again plans a retry, if there may be one.
func (m *sim) again(r *request, asked time.Duration) {
	if r.tries > m.s.Retries {
		return
	}
	wait := time.Duration(0)
	if m.s.Backoff != nil {
		wait = m.s.Backoff.Delay(r.waits, r.prev, m.rand.Float64())
	}
	r.waits++
	r.prev = wait
	switch {
	case asked == 0 || !m.s.RetryAfter:
	case m.s.Spread:
		wait = asked + min(wait, max(asked/4, time.Second)) // as retry.Policy does
	default:
		wait = max(wait, asked)
	}
	if !m.now().Add(wait).Before(r.deadline) || !m.budget.Retry(m.now()) {
		return
	}
	m.after(wait, func() { m.attempt(r) })
}

// serve is the server's side of a call.
func (m *sim) serve(c *call) {
	if m.scenario.quota() {
		m.tokens = min(Capacity, m.tokens+Capacity*(m.clock-m.refilled).Seconds())
		m.refilled = m.clock
		if m.tokens >= 1 {
			m.tokens--
			m.after(m.exponential(1), func() { m.end(c, true, 0) })
			return
		}
		if m.scenario == QuotaCostly {
			m.tokens = max(-Capacity, m.tokens-0.5)
		}
		asked := time.Duration((1 - m.tokens) / Capacity * float64(time.Second))
		m.after(20*time.Millisecond, func() { m.end(c, false, asked) })
		return
	}
	if m.scenario == QueueBounded && len(m.queue) >= 80 {
		m.after(0, func() { m.end(c, false, 0) })
		return
	}
	m.queue = append(m.queue, c)
	m.work()
}

// work gives calls to free workers; they can't know who has gone.
func (m *sim) work() {
	for m.busy < Capacity && len(m.queue) > 0 {
		c := m.queue[0]
		m.queue = m.queue[1:]
		m.busy++
		m.after(m.exponential(1), func() {
			m.busy--
			m.end(c, true, 0)
			m.work()
		})
	}
}
