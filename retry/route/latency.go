package route

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// A peak is a moving mean of latencies that rises at once and falls slowly: a
// latency above the mean replaces it, and one below is mixed in by its age
// (Finagle's peak EWMA). So a target that becomes slow is left at the first slow
// answer, and is believed again after some fast ones. Without calls the mean decays
// towards 0, so that a target that was slow once gets a call again.
type peak struct {
	mu    sync.Mutex    // of writers
	mean  atomic.Uint64 // seconds, as the bits of a float64; 0: never measured
	since atomic.Int64
}

// add takes a latency that was measured at now, a time after the pool's beginning.
func (p *peak) add(now, took, decay time.Duration) {
	x := max(took.Seconds(), 1e-6) // 0 means never measured
	p.mu.Lock()
	defer p.mu.Unlock()
	since, mean := time.Duration(p.since.Load()), math.Float64frombits(p.mean.Load())
	if x > mean {
		mean = x
	} else {
		old := math.Exp(-max(now-since, 0).Seconds() / decay.Seconds())
		mean = mean*old + x*(1-old)
	}
	p.since.Store(int64(max(now, since)))
	p.mean.Store(math.Float64bits(mean))
}

// seconds returns the mean as it is at now; 0 means that it isn't known. A reader
// beside a writer may see the old mean with the new time, which is as good.
func (p *peak) seconds(now, decay time.Duration) float64 {
	mean, age := math.Float64frombits(p.mean.Load()), now-time.Duration(p.since.Load())
	if mean == 0 || age <= 0 {
		return mean
	}
	old := float64(age) / float64(decay)
	if old < 1.0/64 { // exact to a thousandth, and the usual case under load
		return mean * (1 - old)
	}
	return mean * math.Exp(-old)
}
