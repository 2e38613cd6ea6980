package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is nil.
var ErrOption = errors.New("route: invalid option")

// ErrNoTarget is wrapped by the error of a call for which no target is left: each
// is paused, down, drained, full, too small for the prompt, or was tried.
var ErrNoTarget = errors.New("route: no target for the call")

func optionError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrOption, fmt.Sprintf(format, args...))
}

// Most targets of a pool; the choice looks at each of them.
const maxTargets = 256

// A Target is a place that can answer: a model of a provider, or one replica of an
// engine.
type Target struct {
	// Name is the target's name in events, errors and on the page. Required, and
	// different for each target.
	Name string
	// Model answers. Required. Put the provider's limit and tracing around the
	// client, not around the pool: they are about one target.
	Model llms.Model
	// As is the name of the model at this target, set as llms.WithModel. Default: "",
	// the caller's option as it is.
	As string
	// Tier orders the targets: those of a lower tier are asked first, and those of
	// the next if none of the lower has room. Default: 0, the first.
	Tier int
	// Weight is the target's share under [BalanceWeighted], relative to the others'.
	// Default: 0, which is 1; to give a target nothing, drain it.
	Weight int
	// WindowTokens is the model's context window, prompt and answer together.
	// Default: 0, not known; it is then taken to fit.
	WindowTokens int
	// InputPicoUSD and OutputPicoUSD are the prices of a token, for [BalanceCost].
	// Default: 0, not known, or not billed by token: set Free for that.
	InputPicoUSD, OutputPicoUSD int64
	// Free means that a token costs nothing more here, as on a machine that is paid
	// by the hour. Default: false.
	Free bool
	// MaxInFlight is the most calls in progress that this process sends to the
	// target. Default: 0, no limit.
	MaxInFlight int
	// SpillAt is the length of the target's queue from which on calls go to the next
	// tier. The queue is what Load reported as waiting and the calls sent since. Without
	// a recent report it is the calls in progress. Default: 0, calls spill over only at
	// MaxInFlight.
	SpillAt int
	// Check reports whether the target is ready. [Model.Run] calls it at each
	// Interval. Default: nil, no check.
	Check func(ctx context.Context) error
	// Load reads how full the target is. [Model.Run] calls it at each Interval.
	// Default: nil, only the calls of this process are known.
	Load func(ctx context.Context) (Load, error)
	// Canary marks a target of the new version; the others are the stable one. It
	// needs Options.Canary. Default: false.
	Canary bool
}

// A Load is what an engine reports of itself.
type Load struct {
	Waiting int // requests in its queue
	Running int // requests that it works on
	// CacheUsage is the used share of the KV cache, 0 to 1. From 0.95 on, the target
	// counts as having a queue: an engine then suspends requests to make room.
	CacheUsage float64
}

// A Balance is how a target is chosen among those that may answer.
type Balance uint8

// The ways to choose.
const (
	BalanceEWMA     Balance = iota // of two at random, the one with less expected wait: the default
	BalanceP2C                     // of two at random, the one with less load
	BalanceLeast                   // the one with the least load of all
	BalanceCost                    // the cheapest that is fast enough; see Options.LatencyGoal
	BalanceWeighted                // in turn, by Target.Weight
	BalanceRandom                  // any, for comparisons
)

// String returns the name of the balance in lower case; "unknown" for another value.
func (b Balance) String() string {
	return [...]string{"ewma", "p2c", "least", "cost", "weighted", "random", "unknown"}[min(b, BalanceRandom+1)]
}

// Options are the settings of a [Model] or a [Pool].
type Options struct {
	// Balance chooses among the targets of a tier. Default: BalanceEWMA.
	Balance Balance
	// LatencyGoal is the latency up to which BalanceCost takes a cheaper target.
	// If none is fast enough, it takes the fastest. Default: 0, any latency.
	LatencyGoal time.Duration
	// Decay is the time in which a measured latency loses most (63 %) of its weight.
	// Default: 10 s.
	Decay time.Duration
	// CallTokens is how many prompt tokens weigh as much as one more call, because a
	// long prompt keeps an engine busy for longer. Default: 2048.
	CallTokens int
	// Tokens counts a text. Default: nil, an estimate of one token for 4 bytes. A
	// prompt that is too long only by the estimate is sent to the largest window.
	Tokens func(text string) int
	// AnswerTokens is reserved in a window for the answer, if the call has no
	// llms.WithMaxTokens. Default: 512.
	AnswerTokens int
	// Key returns what calls should stay together on one target: a user, a
	// conversation ([ConversationKey]) or the beginning of a prompt ([PrefixKey]). ""
	// is no preference. Default: nil, none.
	Key func(ctx context.Context, messages []llms.MessageContent) string
	// Bound is how much more than the mean load a target may have for the sake of
	// Key, 1.01 to 10. Default: 1.25.
	Bound float64
	// MaxTargets is the most targets that one call tries. Default: 0, all.
	MaxTargets int
	// Budget bounds the fallbacks, best together with the retries: give the same one
	// to package retry. Default: nil, MaxTargets is the only bound.
	Budget retry.Budget
	// Breaker has the settings of each target's circuit breaker. Default: nil, which
	// opens at 10 failures among the last 20 calls, for 10 s.
	Breaker *retry.BreakerOptions
	// Timeouts are those of each attempt; Total is not used. Default: none.
	Timeouts retry.Timeouts
	// AuthPause is how long a target is left out that refused the key, lacks the
	// model or has no quota left. Default: 1 minute.
	AuthPause time.Duration
	// Interval is the time between two checks and readings of load. Default: 2 s.
	Interval time.Duration
	// CheckTimeout bounds one check or reading. Default: 1 s.
	CheckTimeout time.Duration
	// CheckFailures is how many checks in a row must fail before a target is down.
	// Default: 2.
	CheckFailures int
	// Canary divides the calls between the stable targets and those marked as
	// Canary. Default: nil, the mark is an error.
	Canary *Canary
	// Shadow sends copies of calls to another model. Default: nil, none.
	Shadow *Shadow
	// Logger gets the events route.*. Default: nil, none.
	Logger *slog.Logger
	// Rand is the source of the random choices, for tests. Default: nil, the
	// process's own.
	Rand *rand.Rand
}

func (o *Options) check() error {
	if o.Balance > BalanceRandom {
		return optionError("Options.Balance is %d: want one of its constants", o.Balance)
	}
	if o.Bound != 0 && !(o.Bound >= 1.01 && o.Bound <= 10) {
		return optionError("Options.Bound is %v: want 0 (the default, 1.25), or 1.01 to 10", o.Bound)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"LatencyGoal", int64(o.LatencyGoal)}, {"Decay", int64(o.Decay)}, {"CallTokens", int64(o.CallTokens)}, {"AnswerTokens", int64(o.AnswerTokens)},
		{"MaxTargets", int64(o.MaxTargets)}, {"AuthPause", int64(o.AuthPause)}, {"Interval", int64(o.Interval)},
		{"CheckTimeout", int64(o.CheckTimeout)}, {"CheckFailures", int64(o.CheckFailures)},
	} {
		if n.value < 0 {
			return optionError("Options.%s is %d: want 0 (the default) or more", n.name, n.value)
		}
	}
	return nil
}

// complete sets the defaults.
func (o *Options) complete() {
	breaker := retry.BreakerOptions{Failures: 10, Window: 20, OpenFor: 10 * time.Second}
	if o.Breaker != nil {
		breaker = *o.Breaker
	}
	o.Breaker = &breaker
	for _, d := range []struct {
		at        *time.Duration
		byDefault time.Duration
	}{{&o.Decay, 10 * time.Second}, {&o.AuthPause, time.Minute}, {&o.Interval, 2 * time.Second}, {&o.CheckTimeout, time.Second}} {
		if *d.at == 0 {
			*d.at = d.byDefault
		}
	}
	for _, n := range []struct {
		at        *int
		byDefault int
	}{{&o.CallTokens, 2048}, {&o.AnswerTokens, 512}, {&o.CheckFailures, 2}} {
		if *n.at == 0 {
			*n.at = n.byDefault
		}
	}
	if o.Bound == 0 {
		o.Bound = 1.25
	}
	o.Timeouts.Total = 0
}

// check finds mistakes in a list of targets.
func checkTargets(targets []Target, o *Options) error {
	if len(targets) == 0 || len(targets) > maxTargets {
		return optionError("there are %d targets: want 1 to %d", len(targets), maxTargets)
	}
	names, canaries := map[string]bool{}, 0
	for i := range targets {
		t := &targets[i]
		if t.Name == "" || names[t.Name] {
			return optionError("the name of target %d is %q: want one that no other target has", i, t.Name)
		}
		names[t.Name] = true
		if t.Model == nil {
			return optionError("the model of target %q is nil", t.Name)
		}
		for _, n := range []struct {
			name  string
			value int64
			most  int64
		}{
			{"Tier", int64(t.Tier), 1 << 20}, {"Weight", int64(t.Weight), 1 << 20}, {"WindowTokens", int64(t.WindowTokens), 1 << 40},
			{"InputPicoUSD", t.InputPicoUSD, maxPrice}, {"OutputPicoUSD", t.OutputPicoUSD, maxPrice},
			{"MaxInFlight", int64(t.MaxInFlight), 1 << 30}, {"SpillAt", int64(t.SpillAt), 1 << 30},
		} {
			if n.value < 0 || n.value > n.most {
				return optionError("%s of target %q is %d: want 0 to %d", n.name, t.Name, n.value, n.most)
			}
		}
		if t.Canary {
			canaries++
		}
	}
	switch {
	case o.Canary != nil && o.Canary.o.Now == nil, o.Shadow != nil && o.Shadow.next == nil:
		return optionError("the zero Canary and the zero Shadow are not usable: make them with NewCanary and NewShadow")
	case canaries > 0 && o.Canary == nil:
		return optionError("Options.Canary is nil, and a target is marked as canary: want a Canary, or no mark")
	case o.Canary != nil && (canaries == 0 || canaries == len(targets)):
		return optionError("%d of %d targets are marked as canary: want at least one, and one that isn't", canaries, len(targets))
	}
	return nil
}

// maxPrice is a dollar for a token. It keeps sums from overflowing.
const maxPrice = 1e12
