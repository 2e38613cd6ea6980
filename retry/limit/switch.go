package limit

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/prodailabs/prodai/retry/fault"
)

// A Switch stops calls by hand: all of them, or one tenant's. It is for an
// incident at three in the morning, so it needs no deployment and no store: it is
// read atomically before each call, and one Switch may serve many models and
// handlers. The zero Switch lets everything pass.
type Switch struct {
	mu    sync.Mutex
	state atomic.Pointer[map[string]string] // tenant, "" for all -> reason
}

// Off stops the tenant's calls, or all calls if tenant is "", and keeps the
// reason for the errors.
func (s *Switch) Off(tenant, reason string) {
	s.change(func(m map[string]string) { m[tenant] = reason })
}

// On lets the tenant's calls pass again, or with "" lifts what stopped all calls.
// A tenant that was stopped by name stays so.
func (s *Switch) On(tenant string) {
	s.change(func(m map[string]string) { delete(m, tenant) })
}

func (s *Switch) change(f func(map[string]string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]string{}
	if old := s.state.Load(); old != nil {
		next = maps.Clone(*old)
	}
	f(next)
	s.state.Store(&next)
}

// Stopped reports whether the tenant's calls are stopped, and why.
func (s *Switch) Stopped(tenant string) (reason string, stopped bool) {
	m := s.state.Load()
	if m == nil || len(*m) == 0 {
		return "", false
	}
	if reason, stopped = (*m)[""]; stopped {
		return reason, true
	}
	reason, stopped = (*m)[tenant]
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
