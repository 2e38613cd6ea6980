package route

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

var errBusyStore = errors.New("route: other replicas changed the rollout each time this one tried to")

// ErrState is wrapped by the error of a [Canary.Sync] whose store has something else
// than a rollout with the same steps.
var ErrState = errors.New("route: the stored rollout can't be used")

// decode reads a state from the store, which another program may have written.
func (c *Canary) decode(data []byte) (CanaryState, error) {
	var s CanaryState
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrState, err)
	}
	t := c.o.test(0)
	switch {
	case s.Phase > PhasePaused, s.Step < 0 || s.Step > len(c.o.Steps), s.Failed < 0:
		return s, fmt.Errorf("%w: phase %d, step %d of %d, %d failed checks", ErrState, s.Phase, s.Step, len(c.o.Steps), s.Failed)
	case math.IsNaN(s.LLR) || s.LLR < t.Lower-1e-9 || s.LLR > 1e9, math.IsNaN(s.StableLLR) || s.StableLLR < t.Lower-1e-9 || s.StableLLR > t.Upper+1e-9:
		return s, fmt.Errorf("%w: the log-likelihood ratios are %v and %v", ErrState, s.LLR, s.StableLLR)
	}
	if min(s.HeldCanary.Good, s.HeldCanary.Failed, s.HeldStable.Good, s.HeldStable.Failed) < 0 || max(s.HeldCanary.N(), s.HeldStable.N()) > 1<<30 {
		return s, fmt.Errorf("%w: a count is negative, or can't be right", ErrState)
	}
	for _, r := range []*Results{&s.Total, &s.Now} {
		counts := append(r.Latency[:], r.Canary.Good, r.Canary.Failed, r.Stable.Good, r.Stable.Failed)
		if slices.Min(counts) < 0 || slices.Max(counts) > 1<<30 {
			return s, fmt.Errorf("%w: a count is negative, or can't be right", ErrState)
		}
	}
	s.Weights, s.Threshold = c.o.Steps, c.o.FailedChecks
	return s, nil
}

// minus returns the results that are in a and not in b.
func minus(a, b Results) Results {
	a.Canary.add(Counts{-b.Canary.Good, -b.Canary.Failed})
	a.Stable.add(Counts{-b.Stable.Good, -b.Stable.Failed})
	for i, n := range b.Latency {
		a.Latency[i] -= n
	}
	return a
}

// A MemoryStore is a [CanaryStore] for the replicas of one process, such as tests.
// The zero value is ready.
type MemoryStore struct {
	mu sync.Mutex
	at map[string]revised
}

type revised struct {
	data     []byte
	revision int64
}

// Load implements [CanaryStore].
func (m *MemoryStore) Load(_ context.Context, name string) ([]byte, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.at[name]
	return r.data, r.revision, nil
}

// Save implements [CanaryStore].
func (m *MemoryStore) Save(_ context.Context, name string, data []byte, before int64) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at[name].revision != before {
		return false, nil
	}
	if m.at == nil {
		m.at = map[string]revised{}
	}
	m.at[name] = revised{append([]byte(nil), data...), before + 1}
	return true, nil
}
