package limit

import (
	"math"
	"sync"

	"github.com/prodailabs/prodai/retry/fault"
)

// purses count, in this process, what is not a rate: the calls in progress and the
// money spent in all.
type purses struct {
	mu  sync.Mutex
	all map[string]*purse
}

type purse struct {
	calls    int
	reserved int64 // by calls in progress
	spent    int64
}

// shared is the name of the purse of all tenants together. A tenant's purse can't
// have this name, because it is stored under "t" and the tenant's name.
const shared = "all"

// open counts a call in, or refuses it.
func (p *purses) open(c *call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[string]*purse)
	}
	own, all := p.get("t"+c.tenant), p.get(shared)
	for _, x := range []struct {
		purse *purse
		quota Quota
	}{{own, c.quota}, {all, c.m.o.Shared}} {
		if limit := x.quota.Concurrency; limit > 0 && x.purse.calls >= limit {
			return &Error{Refusal: fault.RefusalWait, Dimension: "concurrency", Tenant: c.tenant, Reason: "as many calls as are allowed are in progress"}
		}
		if limit := x.quota.SpendPicoUSD; limit > 0 && plus(plus(x.purse.spent, x.purse.reserved), c.money) > limit {
			return &Error{Refusal: fault.RefusalStop, Dimension: "spend", Tenant: c.tenant, Reason: "the budget is spent"}
		}
	}
	for _, x := range []*purse{own, all} {
		x.calls++
		x.reserved += c.money
	}
	return nil
}

// close counts a call out, with what it cost.
func (p *purses) close(c *call, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range []string{"t" + c.tenant, shared} {
		x := p.get(name)
		x.calls--
		x.reserved -= c.money
		x.spent = plus(x.spent, cost)
		if *x == (purse{}) {
			delete(p.all, name)
		}
	}
}

// plus adds two sums of money without overflow, because a price may be any number.
func plus(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func (p *purses) get(name string) *purse {
	x := p.all[name]
	if x == nil {
		x = &purse{}
		p.all[name] = x
	}
	return x
}

func (p *purses) spent(tenant string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.all["t"+tenant]; x != nil {
		return x.spent
	}
	return 0
}

func (p *purses) forgive(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.all["t"+tenant]; x != nil {
		x.spent = 0
	}
}
