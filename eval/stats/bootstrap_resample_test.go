package stats

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPanicsReachTheCaller: a panic on a goroutine of this package would end the
// process, and FailNow on one would leave a part of the result empty.
func TestPanicsReachTheCaller(t *testing.T) {
	xs := untied(50)
	for name, f := range map[string]func(end func()){
		"bootstrap": func(end func()) {
			calls := 0
			_, _ = Bootstrap(xs, func(xs []float64) float64 {
				if calls++; calls > 1 {
					end()
				}
				return xs[0]
			}, &BootstrapOptions{Workers: 1})
		},
		"jackknife": func(end func()) {
			b, err := Bootstrap(xs, func(xs []float64) float64 {
				if len(xs) < 50 {
					end()
				}
				return Mean(xs)
			}, nil)
			require.NoError(t, err)
			_, _ = b.BCa(0.95)
		},
		"source": func(end func()) {
			_, _ = Bootstrap(xs, Mean, &BootstrapOptions{Source: sourceFunc(func([]int64, uint64) { end() })})
		},
		"paired bootstrap": func(end func()) {
			_, _ = PairedBootstrap(ones(xs), ones(xs), 2, endsAfter(end), nil)
		},
		"randomization": func(end func()) {
			_, _ = ApproximateRandomization(ones(xs), ones(xs), 2, endsAfter(end), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.PanicsWithValue(t, "boom", func() { f(func() { panic("boom") }) })
			exited := true
			done := make(chan struct{})
			go func() {
				defer close(done)
				f(runtime.Goexit)
				exited = false
			}()
			<-done
			require.True(t, exited)
		})
	}
}

type sourceFunc func(dst []int64, n uint64)

func (f sourceFunc) Integers(dst []int64, n uint64) { f(dst, n) }

// endsAfter is a score whose first two calls, for the whole corpora, return.
func endsAfter(end func()) func([]float64) float64 {
	var calls atomic.Int64
	return func(sum []float64) float64 {
		if calls.Add(1) > 2 {
			end()
		}
		return sum[0] / sum[1]
	}
}
