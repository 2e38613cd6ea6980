package stats

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// An IndexSource draws the indices of resamples: [Generator] or [RandomState], to
// follow NumPy's new or old stream, or another source.
type IndexSource interface {
	// Integers fills dst with integers from 0 to n-1.
	Integers(dst []int64, n uint64)
}

// defaultSeed is the seed of sacreBLEU, and so of most published p-values.
const defaultSeed = 12345

// inOrder runs work for tasks 0..n-1 on several goroutines. Each goroutine
// alternates two steps: draw, which is called in the order of the tasks and by one
// goroutine at a time, and work, which runs at the same time as other steps. So a
// random stream that is read only in draw is read in the same order with any number
// of goroutines, and results don't depend on the machine.
//
// workers comes from workersFor; the worker number that the steps get lets
// them keep buffers of their own.
func inOrder(n, workers int, draw, work func(task, worker int)) {
	var (
		mu   sync.Mutex
		next int
		team team
	)
	take := func(w int) (task int, ok bool) {
		mu.Lock()
		defer mu.Unlock() // also if the caller's source panics
		if next >= n || team.broken() {
			return 0, false
		}
		task = next
		next++
		draw(task, w)
		return task, true
	}
	for w := range workers {
		team.start(func() {
			for {
				task, ok := take(w)
				if !ok {
					return
				}
				work(task, w)
			}
		})
	}
	team.wait()
}

// A team is a group of goroutines that call functions of the caller. If one of
// those panics, or ends its goroutine as FailNow of package testing does, wait does
// the same in the caller's goroutine, where it can be recovered.
type team struct {
	wg    sync.WaitGroup
	ended atomic.Bool
	once  sync.Once
	value any // of the first panic
}

func (t *team) start(f func()) {
	t.wg.Go(func() {
		finished := false
		defer func() {
			if v := recover(); v != nil {
				t.once.Do(func() { t.value = v })
			}
			if !finished {
				t.ended.Store(true)
			}
		}()
		f()
		finished = true
	})
}

// broken reports whether a goroutine has ended early.
func (t *team) broken() bool { return t.ended.Load() }

func (t *team) wait() {
	t.wg.Wait()
	if t.value != nil {
		panic(t.value)
	}
	if t.broken() {
		runtime.Goexit()
	}
}

// workersFor returns how many goroutines to use for n tasks: the number of the
// option, or one for each processor.
func workersFor(n, workers int) int {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	return max(1, min(workers, n))
}
