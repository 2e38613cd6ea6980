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

// Test fails if the processor time at 2n is more than limit times that at n: the
// ratio is 2 for linear work and 4 for quadratic work, so 3 is between them. setUp
// makes the input of a size, outside of the measured time, and returns the function
// to measure. The smallest of several measurements counts.
func Test(t *testing.T, n int, limit float64, setUp func(n int) func()) {
	t.Helper()
	Skip(t)
	small, large := setUp(n), setUp(2*n)
	a, b := time.Hour, time.Hour
	for range tries {
		a, b = min(a, measure(small)), min(b, measure(large))
		if float64(b) <= limit*float64(a) {
			break
		}
	}
	t.Logf("%v at %d, %v at %d", a, n, b, 2*n)
	if float64(b) > limit*float64(a) {
		t.Errorf("the processor time grows from %v at %d to %v at %d: want at most %v times", a, n, b, 2*n, limit)
	}
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
