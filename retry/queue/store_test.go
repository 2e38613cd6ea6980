package queue_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/queue"
	"github.com/prodailabs/prodai/retry/queue/storetest"
)

// fakeClock returns a clock that only pass moves.
func fakeClock() (now func() time.Time, pass func(time.Duration)) {
	var t atomic.Int64
	t.Store(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return func() time.Time { return time.Unix(0, t.Load()) }, func(d time.Duration) { t.Add(int64(d)) }
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Subject {
		now, pass := fakeClock()
		return storetest.Subject{Store: queue.NewMemory(), Now: now, Pass: pass}
	})
}

func TestJournal(t *testing.T) {
	for _, sync := range []queue.Sync{queue.SyncAlways, queue.SyncNever} {
		storetest.Run(t, func(t *testing.T) storetest.Subject {
			now, pass := fakeClock()
			j, err := queue.Open(t.TempDir(), &queue.JournalOptions{Now: now, Sync: sync})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, j.Close()) })
			return storetest.Subject{Store: j, Now: now, Pass: pass}
		})
	}
}
