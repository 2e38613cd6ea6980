package stats

import (
	"runtime"
	"sync"
)

// An IndexSource draws the indices of resamples: [Generator] or [RandomState],
// to follow NumPy's new or old stream, or one of your own.
type IndexSource interface {
	// Integers fills dst with integers from 0 to n-1.
	Integers(dst []int64, n uint64)
}

// defaultSeed is the seed of sacreBLEU, and so of most published p-values.
const defaultSeed = 12345

// inOrder runs work for tasks 0..n-1 on several goroutines. Each goroutine
// alternates two steps: draw, which is called in the order of the tasks and by
// one goroutine at a time, and work, which runs beside the others' steps. A
// random stream that is read only in draw is therefore read in the same order
// whatever the number of goroutines: results don't depend on the machine.
//
// workers comes from workersFor; the worker number that the steps get lets
// them keep buffers of their own.
func inOrder(n, workers int, draw, work func(task, worker int)) {
	var (
		mu   sync.Mutex
		next int
		wg   sync.WaitGroup
	)
	for w := range workers {
		wg.Go(func() {
			for {
				mu.Lock()
				task := next
				if task >= n {
					mu.Unlock()
					return
				}
				next++
				draw(task, w)
				mu.Unlock()
				work(task, w)
			}
		})
	}
	wg.Wait()
}

// workersFor is how many goroutines to use for n tasks: as asked, or as many
// as there are processors.
func workersFor(n, workers int) int {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	return max(1, min(workers, n))
}
