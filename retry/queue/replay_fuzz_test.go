package queue

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzOpen: no bytes of a log make Open panic. It opens, or it fails with an error.
// What opened can be used, and opens again.
func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	j, err := Open(dir, nil)
	require.NoError(f, err)
	ctx := context.Background()
	a, b := testJob("a1"), testJob("b1")
	a.Unique, a.Headers, a.Group = "u", map[string]string{"x": "y"}, "g"
	require.NoError(f, j.Add(ctx, at, Batch{Jobs: []*Job{a, b}, Groups: []Group{{ID: "g", Total: 1, Then: Step{Kind: "k", MaxAttempts: 1, MaxLosses: 1}}}}))
	c, err := j.Claim(ctx, at, Claim{Queues: []string{"q1"}, Lease: time.Second})
	require.NoError(f, err)
	require.NoError(f, j.Finish(ctx, at, Lease{c[0].ID, c[0].Lease}, Finish{State: StateDone}))
	_, err = j.AddSlot(ctx, at, "s", at, Batch{})
	require.NoError(f, err)
	require.NoError(f, j.Close())
	whole, err := os.ReadFile(filepath.Join(dir, "00000001.log"))
	require.NoError(f, err)
	f.Add(whole[8:], false)
	// With right checksums the fuzzer reaches the operations.
	f.Add([]byte{opDelete, 1, 'a'}, true)
	f.Add(appendPut(nil, recordOf(a, 1)), true)
	f.Fuzz(func(t *testing.T, data []byte, framed bool) {
		if framed {
			data = appendFrame(nil, data)
		}
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "00000001.log"), append(fileHeader(headerLog), data...), 0o600))
		o := &JournalOptions{Sync: SyncNever, Now: func() time.Time { return at }}
		j, err := Open(dir, o)
		if err != nil {
			var c *CorruptError
			require.True(t, errors.As(err, &c), "%v", err)
			return
		}
		_, err = j.Stats(ctx, at)
		require.NoError(t, err)
		for _, s := range []State{StatePending, StateRunning, StateDone, StateDead} {
			_, err = j.List(ctx, Listing{State: s})
			require.NoError(t, err)
		}
		want := state(t, &j.shared)
		require.NoError(t, j.Close())
		j, err = Open(dir, o)
		require.NoError(t, err)
		require.Equal(t, want, state(t, &j.shared))
		require.NoError(t, j.Close())
	})
}
