// Package growth tests how the time of a function grows with its input.
//
// The tests compare the processor time of the whole process, so they run only
// where continuous integration asks for them:
//
//	PRODAI_GROWTH=1 go test -run Growth ./...
package growth

import (
	"os"
	"testing"
	"time"

	"github.com/prodailabs/prodai/internal/race"
)

// Env names the environment variable that turns these tests on.
const Env = "PRODAI_GROWTH"

// tries is how often a growth that is too large is measured again.
const tries = 5

// Skip skips a comparison of processor times unless the environment asks for it,
// and under the race detector.
func Skip(t *testing.T) {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skipf("a comparison of processor times; set %s=1", Env)
	}
	if race.Enabled {
		t.Skip("a comparison of times under the race detector")
	}
}

// Test fails if the processor time at 2n is more than limit times that at n, and
// that at 4n more than limit² times: for linear work the ratios are 2 and 4, for
// quadratic work 4 and 16, so a limit of 3 is between them. One step alone says too
// little, because linear work slows down once where its data outgrow a cache of the
// processor. setUp makes the input of a size, outside of the measured time, and
// returns the function to measure. The smallest of several measurements counts.
func Test(t *testing.T, n int, limit float64, setUp func(n int) func()) {
	t.Helper()
	Skip(t)
	small := setUp(n)
	least := time.Hour
	for size, allowed := 2*n, limit; size <= 4*n; size, allowed = 2*size, allowed*limit {
		large, d := setUp(size), time.Hour
		for range tries {
			least, d = min(least, measure(small)), min(d, measure(large))
			if float64(d) <= allowed*float64(least) {
				return
			}
		}
		t.Logf("%v at %d, %v at %d: more than %v times", least, n, d, size, allowed)
	}
	t.Errorf("the processor time grows too fast from %d to %d", n, 4*n)
}

// measure runs f until a tenth of a second has passed and returns the processor
// time of one run.
func measure(f func()) time.Duration {
	start, runs := ProcessorTime(), 0
	for {
		f()
		runs++
		if d := ProcessorTime() - start; d >= 100*time.Millisecond {
			return d / time.Duration(runs)
		}
	}
}
