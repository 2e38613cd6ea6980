package route

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/retry/fault"
)

// A Timeout is what happens to a step that gets too few results.
type Timeout uint8

// The choices. None of them promotes: no data is no evidence.
const (
	TimeoutHold     Timeout = iota // it waits for more
	TimeoutRollback                // the rollout is rolled back
)

// A Judgment is what one call has shown of its version.
type Judgment uint8

// The judgments.
const (
	JudgmentNone   Judgment = iota // nothing: the caller's mistake, or a full quota
	JudgmentGood                   // it worked
	JudgmentFailed                 // it didn't
)

// CanaryOptions are the settings of a [Canary].
type CanaryOptions struct {
	// Version is the name of the new version. If the Store has a rollout, its version
	// counts; [Canary.Restart] begins one of another. Default: "canary".
	Version string
	// Steps are the canary's shares of the traffic, in percent and rising, 1 to 99.
	// Default: 1, 5, 25, 50.
	Steps []int
	// Allowed is the rate of failures that the canary may have, and Alarming the rate
	// at which it must be rolled back. Between the two either may happen. Default:
	// 0.01 and 0.03.
	Allowed, Alarming float64
	// Alpha is the chance to roll a good canary back, and Beta the chance to promote
	// one that fails at the rate Alarming. Wald's limits promise Alpha/(1-Beta) and
	// Beta/(1-Alpha). Default: 0.05 and 0.045, so that 5 % of bad ones are promoted at
	// most.
	Alpha, Beta float64
	// MinSamples is how many results of the canary each step needs at least. Default:
	// 20.
	MinSamples int
	// Interval is the shortest time of a step, and the time between two looks at the
	// gates. Default: 1 minute.
	Interval time.Duration
	// MaxFailureRate is a gate: the share of failures in a step. Default: 0, no gate.
	MaxFailureRate float64
	// MaxLatency is a gate: the 95th percentile of the latency of a step's good calls.
	// Default: 0, no gate.
	MaxLatency time.Duration
	// FailedChecks is how many looks at the gates must fail, in the whole rollout.
	// Default: 3.
	FailedChecks int
	// StepTimeout is when OnTimeout decides about a step that gets too few results.
	// Default: 0, never.
	StepTimeout time.Duration
	// OnTimeout is what happens then. Default: TimeoutHold.
	OnTimeout Timeout
	// User returns what is kept on one version, mostly the user's id. "" is no user:
	// such calls are divided evenly. Default: nil, no users.
	User func(context.Context) string
	// Salt divides the users of another rollout in another way. Default: Version.
	Salt string
	// Judge returns what a call has shown. err is nil or a *fault.Error. Default: an
	// error that is Unhealthy, or that says that the model or the key is wrong, is a
	// failure; another error is JudgmentNone; an answer is good.
	Judge func(resp *llms.ContentResponse, err error) Judgment
	// Store shares the rollout among replicas. [Model.Run] exchanges results with it.
	// Default: nil, this process alone.
	Store CanaryStore
	// Name is the rollout's name in the store. Default: "canary".
	Name string
	// OnChange is called after each change of the weight, in a goroutine that serves
	// a call: it must not wait. Default: nil.
	OnChange func(CanaryState)
	// Logger gets the events route.canary. Default: nil, none.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// A Canary rolls a new version out in steps, and back by itself. The results of
// each call are counted for the version that has served it. Wald's sequential test
// looks at each result, so a bad canary has the weight 0 from the next call on. It is
// safe for concurrent use.
//
// A step leads to the next one only with results: at least MinSamples, gates that
// are met, and for step i of k at least the i-th part of the evidence that the test
// asks for. The last step needs the test's verdict.
type Canary struct {
	o   CanaryOptions
	log *slog.Logger

	mu      sync.Mutex
	state   CanaryState
	pending Results              // not yet in the store
	actions []func(*CanaryState) // what a person did, and the store doesn't know

	weight atomic.Int64 // of state, in percent
	calls  atomic.Uint64
}

// NewCanary returns a rollout at its first step; nil options mean the defaults. It
// fails with [ErrOption].
func NewCanary(o *CanaryOptions) (*Canary, error) {
	c := &Canary{}
	if o != nil {
		c.o = *o
	}
	c.o.Steps = slices.Clone(c.o.Steps)
	c.o.complete()
	if err := c.o.check(); err != nil {
		return nil, err
	}
	c.log = event.Logger(c.o.Logger)
	c.state = c.fresh(c.o.Version)
	c.weight.Store(int64(c.state.Weight()))
	return c, nil
}

func (o *CanaryOptions) complete() {
	for _, f := range []struct {
		at        *float64
		byDefault float64
	}{{&o.Allowed, 0.01}, {&o.Alarming, 0.03}, {&o.Alpha, 0.05}, {&o.Beta, 0.045}} {
		if *f.at == 0 {
			*f.at = f.byDefault
		}
	}
	if o.Steps == nil {
		o.Steps = []int{1, 5, 25, 50}
	}
	if o.MinSamples == 0 {
		o.MinSamples = 20
	}
	if o.Interval == 0 {
		o.Interval = time.Minute
	}
	if o.FailedChecks == 0 {
		o.FailedChecks = 3
	}
	for _, s := range []*string{&o.Version, &o.Name} {
		if *s == "" {
			*s = "canary"
		}
	}
	if o.Salt == "" {
		o.Salt = o.Version
	}
	if o.Judge == nil {
		o.Judge = judge
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

func (o *CanaryOptions) check() error {
	for _, f := range []struct {
		name  string
		value float64
	}{{"Allowed", o.Allowed}, {"Alarming", o.Alarming}, {"Alpha", o.Alpha}, {"Beta", o.Beta}} {
		if !(f.value > 0 && f.value < 1) {
			return optionError("CanaryOptions.%s is %v: want 0 (the default), or above 0 and below 1", f.name, f.value)
		}
	}
	if o.Allowed >= o.Alarming {
		return optionError("CanaryOptions.Allowed is %v and Alarming %v: want Alarming above Allowed", o.Allowed, o.Alarming)
	}
	if o.Alpha+o.Beta >= 1 {
		return optionError("CanaryOptions.Alpha and Beta sum to %v: want less than 1", o.Alpha+o.Beta)
	}
	if len(o.Steps) == 0 || !slices.IsSorted(o.Steps) || o.Steps[0] < 1 || o.Steps[len(o.Steps)-1] > 99 || len(slices.Compact(slices.Clone(o.Steps))) != len(o.Steps) {
		return optionError("CanaryOptions.Steps is %v: want rising numbers from 1 to 99", o.Steps)
	}
	if !(o.MaxFailureRate >= 0 && o.MaxFailureRate < 1) {
		return optionError("CanaryOptions.MaxFailureRate is %v: want 0 (no gate), or above 0 and below 1", o.MaxFailureRate)
	}
	if o.OnTimeout > TimeoutRollback {
		return optionError("CanaryOptions.OnTimeout is %d: want one of its constants", o.OnTimeout)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"MinSamples", int64(o.MinSamples)}, {"Interval", int64(o.Interval)}, {"MaxLatency", int64(o.MaxLatency)},
		{"FailedChecks", int64(o.FailedChecks)}, {"StepTimeout", int64(o.StepTimeout)},
	} {
		if n.value < 0 {
			return optionError("CanaryOptions.%s is %d: want 0 (the default) or more", n.name, n.value)
		}
	}
	return nil
}

// judge is the default of CanaryOptions.Judge.
func judge(_ *llms.ContentResponse, err error) Judgment {
	if err == nil {
		return JudgmentGood
	}
	e := fault.FromError(context.Background(), err)
	switch {
	case e.ContextErr != nil:
		return JudgmentNone
	case e.Unhealthy, e.Class == fault.ClassNotFound, e.Class == fault.ClassAuth, e.Class == fault.ClassPermission, e.Class == fault.ClassTLS:
		return JudgmentFailed
	}
	return JudgmentNone
}

// fresh is the state of a rollout that begins.
func (c *Canary) fresh(version string) CanaryState {
	now := c.o.Now()
	return CanaryState{
		Version: version, Since: now, Checked: now, Reason: "the rollout begins",
		Progress: Progress{Weights: c.o.Steps, Threshold: c.o.FailedChecks, Step: 1},
	}
}

// Assign returns the version that serves a call of a user. The same user gets the
// same version as long as the weight doesn't shrink.
func (c *Canary) Assign(user string) Version {
	w := uint64(c.weight.Load())
	canary := false
	if user != "" {
		canary = uint64(Bucket(c.o.Salt, user)) < w*Buckets/100
	} else if w > 0 { // evenly: of 100 calls in a row exactly w
		n := c.calls.Add(1)
		canary = n*w/100 != (n-1)*w/100
	}
	if canary {
		return VersionCanary
	}
	return VersionStable
}

// Record takes the result of a call that v has served.
func (c *Canary) Record(v Version, j Judgment, took time.Duration) {
	var d Results
	counts := &d.Stable
	if v == VersionCanary {
		counts = &d.Canary
	}
	switch {
	case v == VersionAny, j == JudgmentNone:
		return
	case j == JudgmentFailed:
		counts.Failed++
	default:
		counts.Good++
		if v == VersionCanary {
			d.Latency[bucketOf(took)]++
		}
	}
	c.change(func(s *CanaryState) {
		s.add(&c.o, d)
		s.check(&c.o, c.o.Now())
	}, &d)
}

// change applies f under the lock and reports a new weight or phase.
func (c *Canary) change(f func(*CanaryState), d *Results) {
	c.mu.Lock()
	before := c.state
	f(&c.state)
	if d != nil && c.o.Store != nil {
		c.pending.add(*d)
	}
	after := c.state
	c.weight.Store(int64(after.Weight()))
	c.mu.Unlock()
	c.announce(before, after)
}

func (c *Canary) announce(before, after CanaryState) {
	if before.Phase == after.Phase && before.Step == after.Step && before.Version == after.Version {
		return
	}
	c.log.LogAttrs(context.Background(), slog.LevelWarn, event.RouteCanary, slog.String(event.State, after.Phase.String()),
		slog.Int(event.Count, after.Weight()), slog.String(event.Reason, after.Reason))
	if c.o.OnChange != nil {
		c.o.OnChange(after)
	}
}

// State returns the rollout as it is.
func (c *Canary) State() CanaryState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Rollback ends the rollout: the canary gets no traffic. The reason is shown on the
// page and in the event.
func (c *Canary) Rollback(reason string) { c.act(func(s *CanaryState) { s.fail(reason) }) }

// Pause stops the steps, and Resume lets them go on. The test goes on meanwhile, and
// still rolls a bad canary back.
func (c *Canary) Pause() {
	c.act(func(s *CanaryState) {
		if s.Phase == PhaseProgressing {
			s.Phase, s.Reason = PhasePaused, "paused by a person"
		}
	})
}

// Resume lets the steps of a paused rollout go on.
func (c *Canary) Resume() {
	c.act(func(s *CanaryState) {
		if s.Phase == PhasePaused {
			s.Phase, s.Reason = PhaseProgressing, "resumed by a person"
		}
	})
}

// Restart begins the rollout of another version at the first step, without the
// results of the one before.
func (c *Canary) Restart(version string) {
	c.act(func(s *CanaryState) { *s = c.fresh(version) })
}

// act is a change that a person makes, and that the store must get.
func (c *Canary) act(f func(*CanaryState)) {
	c.mu.Lock()
	if c.o.Store != nil {
		c.actions = append(c.actions, f)
	}
	c.mu.Unlock()
	c.change(f, nil)
}

// A CanaryStore keeps the state of rollouts for several replicas, as bytes with a
// revision that grows with each change.
type CanaryStore interface {
	// Load returns the state of a name, and its revision: 0 if there is none.
	Load(ctx context.Context, name string) (data []byte, revision int64, err error)
	// Save replaces the state if its revision is still that of before, and reports
	// whether it was.
	Save(ctx context.Context, name string, data []byte, before int64) (saved bool, err error)
}

// syncTries bounds how often Sync begins again because another replica was faster.
const syncTries = 20

// Sync adds the results of this process to the store, and takes over the state that
// all replicas have together. [Model.Run] calls it at each Interval. Without a store
// it only looks at the time of the step. When the store fails, the results are kept
// for the next Sync, and this process uses its own.
func (c *Canary) Sync(ctx context.Context) error {
	if c.o.Store == nil {
		c.change(func(s *CanaryState) { s.check(&c.o, c.o.Now()) }, nil)
		return nil
	}
	for range syncTries {
		data, revision, err := c.o.Store.Load(ctx, c.o.Name)
		if err != nil {
			return err
		}
		c.mu.Lock()
		sent, actions := c.pending, slices.Clip(c.actions)
		shared := c.fresh(c.o.Version)
		c.mu.Unlock()
		if revision > 0 {
			if shared, err = c.decode(data); err != nil {
				return err
			}
		}
		for _, act := range actions {
			act(&shared)
		}
		shared.add(&c.o, sent)
		shared.check(&c.o, c.o.Now())
		if data, err = json.Marshal(shared); err != nil {
			return err
		}
		saved, err := c.o.Store.Save(ctx, c.o.Name, data, revision)
		if err != nil {
			return err
		}
		if !saved {
			continue
		}
		c.mu.Lock()
		before := c.state
		c.pending = minus(c.pending, sent)
		c.state, c.actions = shared, c.actions[len(actions):]
		for _, act := range c.actions { // what came meanwhile
			act(&c.state)
		}
		c.state.add(&c.o, c.pending)
		after := c.state
		c.weight.Store(int64(after.Weight()))
		c.mu.Unlock()
		c.announce(before, after)
		return nil
	}
	return errBusyStore
}
