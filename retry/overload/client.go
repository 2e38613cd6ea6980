package overload

import (
	"errors"
	"time"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
	"github.com/prodailabs/prodai/retry/defaults"
	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/limit"
)

// A client is a process of the fleet, with policies of its own.
type client struct {
	*sim
	budget   retry.Budget
	breaker  *retry.Breaker
	adaptive *retry.Adaptive
	bucket   *limit.Bucket
	shedder  *retry.Shedder
	account  *limit.Account
	backoff  retry.Backoff
	retries  int

	waiting [3][]*request // for room in adaptive and account: PriorityHigh, PriorityNormal, PriorityLow
	asking  time.Duration // when account will be asked again
}

type request struct {
	priority          retry.Priority
	arrived, deadline time.Time
	asked             time.Time // when it began to wait for its last attempt
	attempts          int       // begun
	waits             int
	prev              time.Duration
	shed              admission.Permit // the shedder's
	first             time.Time        // of a stream: when it began
}

type call struct {
	c       *client
	r       *request
	place   admission.Permit // adaptive's
	room    limit.AccountPermit
	breaker admission.Permit
	over    bool

	serving   bool // of a stream: it has a place
	answering bool // and has begun
}

func (m *sim) newClient() (c *client, err error) {
	s := &m.s
	c = &client{sim: m, budget: retry.NoBudget, backoff: s.Backoff, retries: s.Retries}
	if s.Learn || s.Defaults {
		if c.account, err = limit.NewAccount(nil); err != nil {
			return nil, err
		}
	}
	if s.Defaults {
		o, err := defaults.New(&defaults.Options{Account: c.account})
		if err != nil {
			return nil, err
		}
		c.budget, c.breaker, c.shedder, c.backoff, c.retries = o.Budget, o.Breaker, o.Shedder, o.Backoff, o.MaxAttempts-1
		for _, g := range o.Gates {
			if g, ok := g.(*defaults.Gate); ok {
				c.adaptive = g.Adaptive()
			}
		}
		return c, nil
	}
	if s.Budget != nil {
		if c.budget, err = s.Budget(); err != nil {
			return nil, err
		}
	}
	if s.Breaker != nil {
		if c.breaker, err = s.Breaker(); err != nil {
			return nil, err
		}
	}
	if s.Adaptive != nil {
		if c.adaptive, err = s.Adaptive(); err != nil {
			return nil, err
		}
	}
	if s.Limit != nil {
		if c.bucket, err = s.Limit(m.scenario); err != nil {
			return nil, err
		}
	}
	if s.Shed != nil {
		c.shedder, err = s.Shed()
	}
	return c, err
}

// attempt asks the client's limiter, then its shedder. A request that can't be
// answered in time ends here.
func (c *client) attempt(r *request) {
	r.attempts++
	r.asked = c.now()
	if c.shedder != nil {
		due := retry.ShedRequest{} // the others ask when they know the wait, and here only begin to measure it
		if c.s.Defaults {
			due = retry.ShedRequest{Deadline: r.deadline, Priority: r.priority}
		}
		var err error
		if r.shed, err = c.shedder.TryAcquire(c.now(), due); err != nil {
			return
		}
	}
	switch {
	case c.s.Defaults && c.breaker.State(c.now()) == retry.StateOpen:
	case c.bucket == nil:
		c.enter(r)
	default:
		token := c.bucket.ReserveN(c.now(), 1)
		wait := token.DelayFrom(c.now())
		if !token.OK() || !c.inTime(r, wait, retry.PriorityNormal) {
			token.CancelAt(c.now())
			return
		}
		c.after(wait, func() { c.enter(r) })
	}
}

// inTime reports whether a request that begins after wait can be answered by its
// deadline.
func (c *client) inTime(r *request, wait time.Duration, p retry.Priority) bool {
	if c.shedder == nil {
		return c.now().Add(wait).Before(r.deadline)
	}
	if wait == 0 {
		wait = retry.NoWait
	}
	_, err := c.shedder.TryAcquire(c.now(), retry.ShedRequest{Deadline: r.deadline, Wait: wait, Priority: p})
	return err == nil // the shedder learns from the permit r.shed
}

// enter waits for room.
func (c *client) enter(r *request) {
	if c.adaptive == nil && c.account == nil {
		c.send(&call{c: c, r: r})
		return
	}
	i := retry.PriorityHigh - r.priority
	c.waiting[i] = append(c.waiting[i], r)
	c.admit()
}

// admit sends the requests that wait as far as there is room: the gate of package
// defaults.
func (c *client) admit() {
	for i := 0; i < len(c.waiting); {
		if len(c.waiting[i]) == 0 {
			i++
			continue
		}
		r := c.waiting[i][0]
		if !c.worthwhile(r) {
			c.waiting[i] = c.waiting[i][1:]
			continue
		}
		call := &call{c: c, r: r}
		if !c.hasRoom(call) {
			return
		}
		c.waiting[i] = c.waiting[i][1:]
		c.send(call)
	}
}

// hasRoom takes a place among the calls in progress and room in the account, or
// neither; then it asks again when there will be room.
func (c *client) hasRoom(call *call) bool {
	var err error
	if c.adaptive != nil {
		if call.place, err = c.adaptive.TryAcquire(c.now()); err != nil {
			return false
		}
	}
	if c.account == nil {
		return true
	}
	if call.room, err = c.account.TryAcquire(c.now(), "", limit.Use{}); err == nil {
		return true
	}
	call.place.Cancel(c.now())
	var full *limit.Error
	if errors.As(err, &full) && (c.asking <= c.clock || c.clock+full.Delay < c.asking) {
		c.asking = c.clock + full.Delay
		c.after(full.Delay, c.admit)
	}
	return false
}

// worthwhile reports whether a request that now gets room can still be answered.
func (c *client) worthwhile(r *request) bool {
	switch left := r.deadline.Sub(c.now()); {
	case c.bucket != nil:
		return c.inTime(r, 0, retry.PriorityHigh) // it has taken its token of the known limit
	case !c.s.Defaults:
		return c.inTime(r, 0, retry.PriorityNormal)
	case left > c.now().Sub(r.asked):
		return true
	default:
		return left > 0 && c.inTime(r, 0, r.priority)
	}
}

// send makes a call, unless the breaker is open.
func (c *client) send(call *call) {
	r := call.r
	if c.breaker != nil {
		var err error
		if call.breaker, err = c.breaker.TryAcquire(c.now()); err != nil {
			call.room.Cancel(c.now())
			call.place.Cancel(c.now())
			if !c.s.Defaults {
				c.retry(r, 0)
			}
			return
		}
	}
	r.shed.Begin(c.now())
	c.out.Calls++
	left := r.deadline.Sub(c.now())
	c.after(min(left, c.scenario.patience()), func() {
		if !call.answering {
			c.end(call, outcome{})
		}
	})
	if c.scenario == ScenarioStreams {
		c.after(left, func() { c.end(call, outcome{}) })
	}
	c.serve(call)
}

// firstToken is the beginning of a stream.
func (c *client) firstToken(call *call) {
	if call.over {
		return
	}
	call.answering = true
	call.r.first = c.now()
	if c.s.ByEnds {
		return
	}
	call.place.FirstToken(c.now())
	call.breaker.FirstToken(c.now())
	call.r.shed.FirstToken(c.now())
	c.admit() // the limit may have grown
}

// An outcome is the end of a call for its client. The zero outcome means that none
// came in time.
type outcome struct {
	ok      bool
	refused bool              // because the quota was used up
	asked   time.Duration     // Retry-After
	limits  []fault.Allowance // the headers
}

func (c *client) end(call *call, o outcome) {
	if call.over {
		return
	}
	call.over = true
	if call.serving {
		c.busy-- // the stream's end, or the server notices that its caller has gone
		c.work()
	}
	if c.s.Headers {
		call.room.Learn(c.now(), o.limits)
	}
	if o.refused {
		call.room.LearnRefusal(c.now(), o.asked)
	}
	shown := admission.OutcomeUnhealthy
	switch {
	case o.ok:
		shown = admission.OutcomeHealthy
	case o.refused && c.s.Defaults:
		shown = admission.OutcomeThrottled // as in retry.Policy; the other clients know no classes of errors
	}
	call.room.Done(c.now(), shown)
	call.breaker.Done(c.now(), shown)
	if !c.s.Defaults && !c.now().Before(call.r.deadline) {
		call.place.Cancel(c.now()) // in retry.Policy the caller's deadline counts against the server; here it doesn't
	}
	call.place.Done(c.now(), shown)
	call.r.shed.Done(c.now(), shown)
	if o.ok {
		c.budget.Success(c.now())
		c.served(call.r)
	} else {
		c.tally(&c.out.Waste)
		c.retry(call.r, o.asked)
	}
	c.admit()
}

// retry plans another attempt, if one is allowed.
func (c *client) retry(r *request, asked time.Duration) {
	if r.attempts > c.retries {
		return
	}
	wait := time.Duration(0)
	if c.backoff != nil {
		wait = c.backoff.Delay(r.waits, r.prev, c.rand.Float64())
	}
	r.waits++
	r.prev = wait
	switch {
	case asked == 0 || !c.s.RetryAfter && !c.s.Defaults:
	case c.s.Spread || c.s.Defaults:
		wait = asked + min(wait, max(asked/4, time.Second)) // as retry.Policy does
	default:
		wait = max(wait, asked)
	}
	if !c.now().Add(wait).Before(r.deadline) || !c.budget.Retry(c.now()) {
		return
	}
	c.after(wait, func() { c.attempt(r) })
}
