package limit

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prodailabs/prodai/retry/fault"
)

// A Switch stops calls by hand: all of them, or one tenant's. It is for an incident
// at night, so it needs no deployment and no store. It is read atomically before
// each call, and one Switch may serve many models and handlers. The zero Switch
// lets all calls pass.
type Switch struct {
	mu    sync.Mutex
	state atomic.Pointer[stops]
}

// stops are the reasons for which calls are stopped. They never change: a change
// of the Switch makes new ones.
type stops struct {
	all     bool
	reason  string            // if all
	tenants map[string]string // by tenant
}

// Stop stops the tenant's calls. The errors have the reason. The tenant "" is that
// of the calls that name none.
func (s *Switch) Stop(tenant, reason string) {
	s.change(func(x *stops) { x.tenants[tenant] = reason })
}

// StopAll stops all calls. The errors have the reason.
func (s *Switch) StopAll(reason string) {
	s.change(func(x *stops) { x.all, x.reason = true, reason })
}

// Resume lets the tenant's calls pass again, unless all calls are stopped.
func (s *Switch) Resume(tenant string) {
	s.change(func(x *stops) { delete(x.tenants, tenant) })
}

// ResumeAll ends a StopAll. A tenant that was stopped by name stays stopped.
func (s *Switch) ResumeAll() {
	s.change(func(x *stops) { x.all, x.reason = false, "" })
}

func (s *Switch) change(f func(*stops)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := &stops{}
	if old := s.state.Load(); old != nil {
		*next = *old
	}
	if next.tenants = maps.Clone(next.tenants); next.tenants == nil {
		next.tenants = map[string]string{}
	}
	f(next)
	s.state.Store(next)
}

// Stopped reports whether the tenant's calls are stopped, and why.
func (s *Switch) Stopped(tenant string) (reason string, stopped bool) {
	x := s.state.Load()
	switch {
	case x == nil:
		return "", false
	case x.all:
		return x.reason, true
	}
	reason, stopped = x.tenants[tenant]
	return reason, stopped
}

func (s *Switch) check(tenant string) error {
	if s == nil {
		return nil
	}
	if reason, stopped := s.Stopped(tenant); stopped {
		return &Error{Refusal: fault.RefusalStop, Dimension: "switch", Tenant: tenant, Reason: reason}
	}
	return nil
}
