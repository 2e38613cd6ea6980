package llama

import (
	"runtime"
	"sync/atomic"
)

// A team runs one function on several threads at once, many thousand times a second:
// a forward pass has hundreds of steps of some microseconds each, too short to start
// goroutines for. Its workers wait by spinning while a pass runs, and end with it.
type team struct {
	workers int
	step    atomic.Uint64 // the number of the current step; stop ends the workers
	left    atomic.Int64  // workers that have not finished the step
	work    func(worker, workers int)
}

const stopStep = 1 << 63

func startTeam(workers int) *team {
	t := &team{workers: workers}
	for w := 1; w < workers; w++ {
		go t.follow(w)
	}
	return t
}

func (t *team) follow(worker int) {
	for seen := uint64(0); ; {
		now := t.step.Load()
		for spins := 0; now == seen; now = t.step.Load() {
			if spins++; spins > 64 { // a machine with fewer free cores than workers must not lose a time slice
				runtime.Gosched()
			}
		}
		if now&stopStep != 0 {
			return
		}
		seen = now
		t.work(worker, t.workers)
		t.left.Add(-1)
	}
}

// run returns when work has returned on every worker. The caller is worker 0.
func (t *team) run(work func(worker, workers int)) {
	if t.workers == 1 {
		work(0, 1)
		return
	}
	t.work = work
	t.left.Store(int64(t.workers - 1))
	t.step.Add(1)
	work(0, t.workers)
	for spins := 0; t.left.Load() > 0; {
		if spins++; spins > 64 {
			runtime.Gosched()
		}
	}
}

func (t *team) stop() { t.step.Or(stopStep) }

// share returns worker's part of n items.
func share(n, worker, workers int) (lo, hi int) {
	return n * worker / workers, n * (worker + 1) / workers
}
