package llama

import (
	"runtime"
	"sync/atomic"
	"time"
)

// A team runs one function on several threads at once, many thousand times a second:
// a forward pass has hundreds of steps of some microseconds each, too short to start
// goroutines for. Its workers wait by spinning while a pass runs, and end with it.
//
// A step is cut into more parts than there are workers, and each takes the next part
// that is left. So a worker that the operating system has taken off its core, as on a
// busy machine, is not waited for unless it is in the middle of a part.
type team struct {
	workers int
	job     atomic.Pointer[job]
}

// A job is one step.
type job struct {
	work  func(part, parts int)
	parts int64
	next  atomic.Int64 // the first part that is left
	done  atomic.Int64
	stop  bool
}

const (
	partsPerWorker = 4
	spins          = 200 // some microseconds
)

func startTeam(workers int) *team {
	t := &team{workers: workers}
	t.job.Store(&job{})
	for range workers - 1 {
		go t.follow()
	}
	return t
}

func (t *team) parts() int {
	if t.workers == 1 {
		return 1
	}
	return t.workers * partsPerWorker
}

func (t *team) follow() {
	var last *job
	for idle := 0; ; idle++ {
		j := t.job.Load()
		switch {
		case j == last && idle > 10*spins:
			time.Sleep(20 * time.Microsecond) // the step is done without this worker, or takes long
		case j == last && idle > spins:
			runtime.Gosched()
		case j != last && j.stop:
			return
		case j != last:
			last, idle = j, 0
			j.take()
		}
	}
}

// take works until no part is left.
func (j *job) take() {
	for p := j.next.Add(1) - 1; p < j.parts; p = j.next.Add(1) - 1 {
		j.work(int(p), int(j.parts))
		j.done.Add(1)
	}
}

// run returns when work has returned for every part. Two parts never have the same
// number, and the caller does its share.
func (t *team) run(work func(part, parts int)) {
	if t.workers == 1 {
		work(0, 1)
		return
	}
	j := &job{work: work, parts: int64(t.parts())}
	t.job.Store(j)
	j.take()
	for n := 0; j.done.Load() < j.parts; n++ {
		if n > spins {
			runtime.Gosched()
		}
	}
}

func (t *team) stop() { t.job.Store(&job{stop: true}) }

// share returns a part of n items.
func share(n, part, parts int) (lo, hi int) { return n * part / parts, n * (part + 1) / parts }
