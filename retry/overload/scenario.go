package overload

import (
	"errors"
	"time"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/limit"
)

// A Scenario is an overload. Arrivals are a Poisson process. In the four of
// [Scenarios] answers take 1 s in the mean, exponentially distributed, and come
// whole; [ScenarioStreams] is the fifth. The zero Scenario is none.
type Scenario uint8

// The scenarios. The quotas are token buckets of 40 a second and burst 40, and
// arrivals 20/s for 30 s, 80/s for 60 s, 20/s for 60 s, with a deadline of 20 s.
// The queues are before 40 workers, arrivals 28/s for 30 s, 120/s for 10 s, 28/s
// for 110 s; an attempt times out after 4 s, but its work is done nevertheless, and
// the deadline is 30 s.
const (
	ScenarioQuotaFree       Scenario = iota + 1 // a refusal takes 20 ms and costs nothing
	ScenarioQuotaCostly                         // a refusal takes half a token, down to a debt of 40
	ScenarioQueueMetastable                     // the queue has no bound
	ScenarioQueueBounded                        // beyond 80 waiting calls, a 503
)

// ScenarioStreams has streams of 10 to 60 s, whose first token comes after 0.3 s in
// the mean, before a server that can serve [StreamPlaces] at once; the others wait in
// a queue without a bound. Arrivals are 8/s for 30 s, 24/s for 15 s, 8/s for 105 s. A
// caller waits 30 s for the first token of an attempt and 120 s for the end, and the
// server notices one that has gone. Latency is the time to the first token. Before
// the spike 280 streams are in progress: a limit that is made for short answers
// starves them, though the server has room.
const ScenarioStreams = ScenarioQueueBounded + 1

// StreamPlaces is how many streams the server of [ScenarioStreams] serves at once.
const StreamPlaces = 400

// String returns the scenario's name: "quota_free_rejections" and so on.
func (s Scenario) String() string {
	if s > ScenarioStreams {
		s = 0
	}
	return [...]string{"none", "quota_free_rejections", "quota_costly_rejections", "queue_metastable", "queue_bounded", "streams"}[s]
}

// Scenarios returns the four of short answers.
func Scenarios() []Scenario {
	return []Scenario{ScenarioQuotaFree, ScenarioQuotaCostly, ScenarioQueueMetastable, ScenarioQueueBounded}
}

// Capacity is what the server can answer, a second.
const Capacity = 40

// A phase is a time of constant arrivals.
type phase struct {
	rate  float64
	until time.Duration
}

func (s Scenario) quota() bool { return s <= ScenarioQuotaCostly }

func (s Scenario) phases() [3]phase {
	if s.quota() {
		return [3]phase{{20, 30 * time.Second}, {80, 90 * time.Second}, {20, 150 * time.Second}}
	}
	if s == ScenarioStreams {
		return [3]phase{{8, 30 * time.Second}, {24, 45 * time.Second}, {8, 150 * time.Second}}
	}
	return [3]phase{{28, 30 * time.Second}, {120, 40 * time.Second}, {28, 150 * time.Second}}
}

func (s Scenario) deadline() time.Duration {
	switch {
	case s.quota():
		return 20 * time.Second
	case s == ScenarioStreams:
		return 120 * time.Second
	}
	return 30 * time.Second
}

// patience is how long a client waits for an attempt's answer, or its first token.
func (s Scenario) patience() time.Duration {
	switch {
	case s.quota():
		return s.deadline()
	case s == ScenarioStreams:
		return 30 * time.Second
	}
	return 4 * time.Second
}

// Offered is the arrivals a second long after the spike.
func (s Scenario) Offered() float64 { return s.phases()[2].rate }

// A Strategy is how the clients deal with failures. Functions make the parts
// that have a state, once a run.
type Strategy struct {
	Name       string
	Retries    int           // at most, a request
	Backoff    retry.Backoff // nil: at once
	RetryAfter bool          // wait as long as the server asks for,
	Spread     bool          // and the backoff on top
	Budget     func() (retry.Budget, error)
	Breaker    func() (*retry.Breaker, error)
	Adaptive   func() (*retry.Adaptive, error)
	// Limit is the known limit, given the server: calls a second and burst.
	Limit func(Scenario) (*limit.Bucket, error)
	// Shed makes the clients refuse requests that can't be answered in time.
	Shed func() (*retry.Shedder, error)
	// Learn makes the clients find the rate with a limit.Account: by refusals and,
	// with Headers, by the limits that the server reports.
	Learn, Headers bool
	// Defaults takes all policies from package defaults, and of the fields above only
	// Headers counts.
	Defaults bool
	// ByEnds hides first tokens from the policies, which then learn only from the ends
	// of streams.
	ByEnds bool
	// Mixed makes a third of the requests PriorityHigh, and a third PriorityLow.
	Mixed bool
	// Processes is how many processes share the requests, each with policies of its
	// own. Default: 1.
	Processes int
}

// ErrOption is wrapped by the error of [Run] for a scenario or a strategy that
// can't work.
var ErrOption = errors.New("overload: invalid option")

// Strategies returns the strategies side by side, the simplest first; the last
// are the library's own.
func Strategies() []Strategy {
	full := retry.Exponential{}
	tenth := func() (retry.Budget, error) { return retry.NewWindowBudget(nil) }
	adaptive := func() (*retry.Adaptive, error) { return retry.NewAdaptive(nil) }
	shed := func() (*retry.Shedder, error) { return retry.NewShedder(&retry.ShedderOptions{Service: time.Second}) }
	known := func(s Scenario) (*limit.Bucket, error) {
		if s.quota() {
			return limit.NewBucket(Capacity, Capacity)
		}
		if s == ScenarioStreams { // of 35 s in the mean
			return limit.NewBucket(0.9*StreamPlaces/35, 20)
		}
		return limit.NewBucket(0.9*Capacity, 0.9*Capacity)
	}
	return []Strategy{
		{Name: "no_retry"},
		{Name: "immediate_x5", Retries: 5},
		{Name: "fixed_1s_x5", Retries: 5, Backoff: retry.Exponential{Base: time.Second, Cap: time.Second, Jitter: retry.JitterNone}},
		{Name: "exp_nojitter_x5", Retries: 5, Backoff: retry.Exponential{Jitter: retry.JitterNone}},
		{Name: "full_jitter_x5", Retries: 5, Backoff: full},
		{Name: "decorrelated_x5", Retries: 5, Backoff: retry.Exponential{Jitter: retry.JitterDecorrelated}},
		{Name: "full_jitter+retry_after", Retries: 5, Backoff: full, RetryAfter: true},
		{Name: "full_jitter+retry_after_spread", Retries: 5, Backoff: full, RetryAfter: true, Spread: true},
		{Name: "full_jitter+budget10%", Retries: 5, Backoff: full, Budget: tenth},
		{Name: "full_jitter+breaker", Retries: 5, Backoff: full, Breaker: func() (*retry.Breaker, error) {
			return retry.NewBreaker(&retry.BreakerOptions{Failures: 10, OpenFor: 5 * time.Second})
		}},
		{Name: "aimd_concurrency+full_jitter+budget10%", Retries: 5, Backoff: full, Budget: tenth, Adaptive: adaptive},
		{Name: "aimd_concurrency+deadline_shed+budget10%", Retries: 5, Backoff: full, Budget: tenth, Adaptive: adaptive, Shed: shed},
		{Name: "client_rate_limit(known)+full_jitter", Retries: 5, Backoff: full, Limit: known, Shed: shed},
		{Name: "adaptive_rate+deadline_shed+budget10%", Retries: 5, Backoff: full, Budget: tenth, Learn: true, Shed: shed},
		{Name: ZeroOptions, Retries: 2, Backoff: full, RetryAfter: true, Spread: true, Budget: tenth},
		{Name: DefaultsBlind, Defaults: true},
		{Name: Defaults, Defaults: true, Headers: true},
	}
}

// Names of strategies that belong to the library.
const (
	ZeroOptions   = "retry.Options{}"
	DefaultsBlind = "defaults, no headers" // package defaults, of which the server's limits are hidden
	Defaults      = "defaults"
)
