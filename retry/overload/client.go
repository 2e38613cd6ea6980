package overload

import (
	"time"

	"github.com/prodailabs/prodai/retry"
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

	waiting [3][]*request // for room in adaptive and account: High, Normal, Low
	asking  time.Duration // when account will be asked again
}

type request struct {
	priority          retry.Priority
	arrived, deadline time.Time
	asked             time.Time // when it began to wait for its last attempt
	tries             int       // attempts begun
	waits             int
	prev              time.Duration
}

type call struct {
	c      *client
	r      *request
	ticket retry.Ticket
	place  limit.Ticket
	sent   time.Time
	over   bool
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
		o, err := defaults.Retry(&defaults.Options{Account: c.account})
		if err != nil {
			return nil, err
		}
		c.budget, c.breaker, c.adaptive, c.shedder, c.backoff, c.retries = o.Budget, o.Breaker, o.Adaptive, o.Shedder, o.Backoff, o.MaxAttempts-1
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

// attempt asks the client's limiter, then its shedder: what can't be answered
// in time ends here.
func (c *client) attempt(r *request) {
	r.tries++
	r.asked = c.now()
	switch {
	case c.s.Defaults && c.shedder.Admit(c.now(), r.deadline, -1, r.priority) != nil:
	case c.s.Defaults && c.breaker.State(c.now()) == retry.StateOpen:
	case c.bucket == nil:
		c.enter(r)
	default:
		place := c.bucket.ReserveAt(c.now(), 1)
		if !place.OK || !c.inTime(r, place.Delay, retry.PriorityNormal) {
			place.CancelAt(c.now())
			return
		}
		c.after(place.Delay, func() { c.enter(r) })
	}
}

func (c *client) inTime(r *request, wait time.Duration, p retry.Priority) bool {
	if c.shedder != nil {
		return c.shedder.Admit(c.now(), r.deadline, wait, p) == nil
	}
	return c.now().Add(wait).Before(r.deadline)
}

// enter waits for room.
func (c *client) enter(r *request) {
	if c.adaptive == nil && c.account == nil {
		c.send(r, limit.Ticket{})
		return
	}
	i := retry.PriorityHigh - r.priority
	c.waiting[i] = append(c.waiting[i], r)
	c.admit()
}

// admit sends those who wait as far as there is room: the gate of package
// defaults.
func (c *client) admit() {
	for i := 0; i < len(c.waiting); {
		if len(c.waiting[i]) == 0 {
			i++
			continue
		}
		r := c.waiting[i][0]
		var place limit.Ticket
		in := c.worthwhile(r)
		if in && c.adaptive != nil && c.adaptive.Acquire(c.now()) != nil {
			return
		}
		if in && c.account != nil {
			var wait time.Duration
			if place, wait = c.account.Take(c.now(), "", limit.Use{}); wait > 0 {
				if c.adaptive != nil {
					c.adaptive.Release(c.now(), retry.Neither)
				}
				if c.asking <= c.clock || c.clock+wait < c.asking {
					c.asking = c.clock + wait
					c.after(wait, c.admit)
				}
				return
			}
		}
		c.waiting[i] = c.waiting[i][1:]
		if in {
			c.send(r, place)
		}
	}
}

// worthwhile reports whether a request that now gets room can still be answered.
func (c *client) worthwhile(r *request) bool {
	switch left := r.deadline.Sub(c.now()); {
	case c.bucket != nil:
		return c.inTime(r, 0, retry.PriorityHigh) // it has paid for its place in the known limit
	case !c.s.Defaults:
		return c.inTime(r, 0, retry.PriorityNormal)
	case left > c.now().Sub(r.asked):
		return true
	default:
		return left > 0 && c.inTime(r, 0, r.priority)
	}
}

// send makes a call, unless the breaker is open.
func (c *client) send(r *request, place limit.Ticket) {
	call := &call{c: c, r: r, place: place, sent: c.now()}
	if c.breaker != nil {
		var err error
		if call.ticket, err = c.breaker.Allow(c.now()); err != nil {
			if c.adaptive != nil {
				c.adaptive.Release(c.now(), retry.Neither)
			}
			if !c.s.Defaults {
				c.again(r, 0)
			}
			return
		}
	}
	c.out.Calls++
	patience := r.deadline.Sub(c.now())
	if !c.scenario.quota() {
		patience = min(patience, 4*time.Second)
	}
	c.after(patience, func() { c.end(call, outcome{}) })
	c.serve(call)
}

// An outcome is the end of a call for its client; the zero outcome is none in
// time.
type outcome struct {
	ok      bool
	refused bool              // for want of quota
	asked   time.Duration     // Retry-After
	limits  []fault.Allowance // the headers
}

func (c *client) end(call *call, o outcome) {
	if call.over {
		return
	}
	call.over = true
	if c.account != nil {
		if c.s.Headers {
			c.account.Learn(c.now(), call.place, o.limits)
		}
		if o.refused {
			c.account.Refused(c.now(), call.place, o.asked)
		}
	}
	health := retry.Sick
	if o.ok {
		health = retry.Healthy
	}
	if c.breaker != nil {
		b := health
		if o.refused && c.s.Defaults {
			b = retry.Neither // as retry.Policy has it; a breaker of whoever knows no classes counts it
		}
		c.breaker.Done(c.now(), call.ticket, b)
	}
	if c.adaptive != nil {
		if !c.s.Defaults && !c.now().Before(call.r.deadline) {
			health = retry.Neither // retry.Policy lets the caller's deadline speak against the server; these don't
		}
		c.adaptive.Release(c.now(), health)
	}
	if o.ok {
		c.budget.Success(c.now())
		if c.shedder != nil {
			c.shedder.Observe(call.sent.Sub(call.r.asked), c.now().Sub(call.sent))
		}
		c.served(call.r)
	} else {
		c.tally(&c.out.Waste)
		c.again(call.r, o.asked)
	}
	c.admit()
}

// again plans a retry, if there may be one.
func (c *client) again(r *request, asked time.Duration) {
	if r.tries > c.retries {
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
