package storetest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/prodailabs/prodai/retry/queue"
	"github.com/prodailabs/prodai/retry/queue/storetest"
)

// The test of a store says how to open an empty one, and how its time passes. A store with
// a clock of its own needs no sleep.
func ExampleRun() {
	testContract := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) storetest.Subject {
			var mu sync.Mutex
			now := time.Now()
			return storetest.Subject{
				Store: queue.NewMemory(),
				Now:   func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
				Pass:  func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) },
			}
		})
	}
	_ = testContract
}
