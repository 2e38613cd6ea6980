package overload

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// ArrivalSeconds is how long arrivals last.
const ArrivalSeconds = 150

// A Result is the result of one run.
type Result struct {
	Scenario      string  `json:"scenario"`
	Strategy      string  `json:"strategy"`
	Seed          uint64  `json:"seed"`
	Requests      int     `json:"requests"`
	Calls         int     `json:"calls"`
	Amplification float64 `json:"amplification"` // calls a request
	OK            int     `json:"ok"`            // requests answered in time
	Wasted        int     `json:"wasted"`        // calls that served no caller
	P50           float64 `json:"p50_s"`         // latency of those answered, of streams to the first token, seconds
	P99           float64 `json:"p99_s"`
	SpikeGoodput  float64 `json:"goodput_spike"` // answers a second in the spike
	// LateGoodput is the requests a second that arrived at 120-150 s and were
	// answered. It shows whether the outage has outlived the spike.
	LateGoodput float64 `json:"goodput_of_arrivals_120_150"`

	// Asked and Answered are the requests, and those answered in time, of
	// PriorityHigh, PriorityNormal and PriorityLow.
	Asked    [3]int `json:"-"`
	Answered [3]int `json:"-"`

	// Arrived, Goodput and Waste are requests, answers and wasted calls in each
	// second.
	Arrived [ArrivalSeconds]float64 `json:"-"`
	Goodput [ArrivalSeconds]float64 `json:"-"`
	Waste   [ArrivalSeconds]float64 `json:"-"`
}

// events are the planned events, in the order of their instants and, at the same
// instant, of their planning. They are a binary heap of keys without pointers,
// because container/heap would allocate for each event, and the garbage collector
// would scan them all.
type events struct {
	keys []key
	do   []func() // by key.slot
	free []int32
	seq  int32
}

type key struct {
	at        time.Duration
	seq, slot int32
}

func (q *events) less(i, j int) bool {
	a, b := &q.keys[i], &q.keys[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *events) push(at time.Duration, do func()) {
	k := key{at, q.seq, int32(len(q.do))}
	q.seq++
	if n := len(q.free); n > 0 {
		k.slot, q.free = q.free[n-1], q.free[:n-1]
		q.do[k.slot] = do
	} else {
		q.do = append(q.do, do)
	}
	q.keys = append(q.keys, k)
	for i := len(q.keys) - 1; i > 0 && q.less(i, (i-1)/2); i = (i - 1) / 2 {
		q.keys[i], q.keys[(i-1)/2] = q.keys[(i-1)/2], q.keys[i]
	}
}

func (q *events) pop() (at time.Duration, do func()) {
	first, n := q.keys[0], len(q.keys)-1
	q.keys[0] = q.keys[n]
	q.keys = q.keys[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c+1 < n && q.less(c+1, c) {
			c++
		}
		if c >= n || !q.less(c, i) {
			break
		}
		q.keys[i], q.keys[c] = q.keys[c], q.keys[i]
		i = c
	}
	do = q.do[first.slot]
	q.do[first.slot] = nil
	q.free = append(q.free, first.slot)
	return first.at, do
}

// A sim is one run: clients, and the server.
type sim struct {
	scenario Scenario
	s        Strategy
	clock    time.Duration
	events   events
	rand     *rand.Rand
	out      Result
	latency  []float64

	clients []*client

	tokens   float64 // of the quota
	refilled time.Duration
	busy     int // workers
	queue    []*call
}

var epoch = time.Unix(0, 0)

func (m *sim) now() time.Time { return epoch.Add(m.clock) }

func (m *sim) after(d time.Duration, do func()) {
	m.events.push(m.clock+d, do)
}

func (m *sim) exponential(mean float64) time.Duration {
	return time.Duration(m.rand.ExpFloat64() * mean * float64(time.Second))
}

// Run simulates a scenario under a strategy.
func Run(scenario Scenario, s Strategy, seed uint64) (*Result, error) {
	switch {
	case scenario == 0 || scenario > ScenarioStreams:
		return nil, fmt.Errorf("%w: the scenario of Run is %d: want one of Scenarios or ScenarioStreams", ErrOption, scenario)
	case s.Retries < 0:
		return nil, fmt.Errorf("%w: Strategy.Retries is %d: want 0 or more", ErrOption, s.Retries)
	case s.Processes < 0:
		return nil, fmt.Errorf("%w: Strategy.Processes is %d: want 0 (the default, 1) or more", ErrOption, s.Processes)
	}
	m := &sim{scenario: scenario, s: s, rand: rand.New(rand.NewPCG(seed, 1)), tokens: Capacity}
	m.out = Result{Scenario: scenario.String(), Strategy: s.Name, Seed: seed}
	for range max(1, s.Processes) {
		c, err := m.newClient()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrOption, s.Name, err)
		}
		m.clients = append(m.clients, c)
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
	for len(m.events.keys) > 0 {
		var do func()
		m.clock, do = m.events.pop()
		do()
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

// tally counts in the current second.
func (m *sim) tally(series *[ArrivalSeconds]float64) {
	if i := int(m.clock / time.Second); i < ArrivalSeconds {
		series[i]++
	}
}

func (m *sim) arrive() {
	r := &request{arrived: m.now(), deadline: m.now().Add(m.scenario.deadline())}
	c := m.clients[m.out.Requests%len(m.clients)]
	if m.s.Mixed {
		r.priority = retry.Priority(m.out.Requests/len(m.clients)%3 - 1)
	}
	m.out.Requests++
	m.out.Asked[retry.PriorityHigh-r.priority]++
	m.tally(&m.out.Arrived)
	c.budget.Request(m.now())
	c.attempt(r)
}

// served counts an answer in time.
func (m *sim) served(r *request) {
	answered := m.now()
	if !r.first.IsZero() {
		answered = r.first
	}
	m.latency = append(m.latency, answered.Sub(r.arrived).Seconds())
	m.tally(&m.out.Goodput)
	m.out.Answered[retry.PriorityHigh-r.priority]++
	if a := r.arrived.Sub(epoch); a >= 120*time.Second {
		m.out.LateGoodput++
	}
}

// serve is the server's side of a call.
func (m *sim) serve(call *call) {
	answer := func(o outcome) func() { return func() { call.c.end(call, o) } }
	if !m.scenario.quota() {
		if m.scenario == ScenarioQueueBounded && len(m.queue) >= 80 {
			m.after(0, answer(outcome{}))
			return
		}
		m.queue = append(m.queue, call)
		m.work()
		return
	}
	m.tokens = min(Capacity, m.tokens+Capacity*(m.clock-m.refilled).Seconds())
	m.refilled = m.clock
	if m.tokens >= 1 {
		m.tokens--
		m.after(m.exponential(1), answer(outcome{ok: true, limits: m.limits()}))
		return
	}
	if m.scenario == ScenarioQuotaCostly {
		m.tokens = max(-Capacity, m.tokens-0.5)
	}
	asked := time.Duration((1 - m.tokens) / Capacity * float64(time.Second))
	m.after(20*time.Millisecond, answer(outcome{refused: true, asked: asked, limits: m.limits()}))
}

// limits are the server's headers, as a client reads them.
func (m *sim) limits() []fault.Allowance {
	if !m.s.Headers {
		return nil
	}
	h := http.Header{}
	h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(Capacity))
	h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(int(max(0, m.tokens))))
	h.Set("X-Ratelimit-Reset-Requests", time.Duration((1-m.tokens/Capacity)*float64(time.Second)).Round(time.Millisecond).String())
	return fault.ParseAllowances(h, m.now())
}

// work gives calls to free workers, which can't know whether the callers have gone.
func (m *sim) work() {
	if m.scenario == ScenarioStreams {
		m.stream()
		return
	}
	for m.busy < Capacity && len(m.queue) > 0 {
		c := m.queue[0]
		m.queue = m.queue[1:]
		m.busy++
		m.after(m.exponential(1), func() {
			m.busy--
			c.c.end(c, outcome{ok: true})
			m.work()
		})
	}
}

// stream gives free places to the streams that wait.
func (m *sim) stream() {
	for m.busy < StreamPlaces && len(m.queue) > 0 {
		c := m.queue[0]
		m.queue = m.queue[1:]
		if c.over {
			continue
		}
		m.busy++
		c.serving = true
		first := m.exponential(0.3)
		m.after(first, func() { c.c.firstToken(c) })
		m.after(first+time.Duration((10+50*m.rand.Float64())*float64(time.Second)), func() { c.c.end(c, outcome{ok: true}) })
	}
}
