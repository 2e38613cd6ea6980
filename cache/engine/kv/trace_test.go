package kv_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/evict"
)

// conversations reads the trace that the lab carries: the first 1,500 conversations of Mooncake.
func conversations(t *testing.T) []kv.Prompt {
	t.Helper()
	f, err := os.Open("../../../examples/lab14-kv-cache/mooncake.jsonl.gz")
	require.NoError(t, err)
	defer f.Close()
	return read(t, f)
}

func read(t *testing.T, r io.Reader) []kv.Prompt {
	t.Helper()
	unpacked, err := gzip.NewReader(r)
	require.NoError(t, err)
	trace, err := kv.ReadMooncake(unpacked)
	require.NoError(t, err)
	return trace
}

func TestHitRatesOfConversations(t *testing.T) {
	trace := conversations(t)
	require.Len(t, trace, 1500)
	for room, want := range map[int]float64{1000: 3.94, 2000: 4.56, 5000: 10.57, 10000: 19.95, 1 << 30: 26.54} {
		p, err := evict.NewLRU(room)
		require.NoError(t, err)
		got := kv.Replay(trace, p)
		require.InDelta(t, want, 100*got.HitRate(), 0.005, room)
		require.LessOrEqual(t, got.PrefixRate(), got.HitRate())
		if room == 1<<30 {
			require.Equal(t, got.Hits, got.Prefix, "without eviction a block's predecessors are there")
		}
	}
}

// PRODAI_TRACES names a folder with the whole traces.
func TestHitRatesOfWholeTraces(t *testing.T) {
	dir := os.Getenv("PRODAI_TRACES")
	if dir == "" {
		t.Skip("set PRODAI_TRACES to a folder with mooncake_conversation.jsonl.gz and mooncake_synthetic.jsonl.gz")
	}
	for name, rates := range map[string]map[int]float64{
		"mooncake_conversation.jsonl.gz": {1000: 4.45, 10_000: 21.1, 30_000: 32.57, 50_000: 35.5, 100_000: 36.4, 1 << 30: 36.6},
		"mooncake_synthetic.jsonl.gz":    {1000: 8.25, 10_000: 42.35, 30_000: 62.4},
	} {
		f, err := os.Open(filepath.Join(dir, name))
		require.NoError(t, err)
		trace := read(t, f)
		require.NoError(t, f.Close())
		for room, want := range rates {
			p, err := evict.NewLRU(room)
			require.NoError(t, err)
			require.InDelta(t, want, 100*kv.Replay(trace, p).HitRate(), 0.05, "%s at %d", name, room)
		}
	}
}

// A pool of blocks replays the trace too, and finds what the replay of prefixes finds.
func TestThePoolReplaysTheTrace(t *testing.T) {
	const room = 5000
	trace := conversations(t)[:600]
	p, err := kv.New(&kv.Options{Blocks: room, BlockSize: 1})
	require.NoError(t, err)
	blocks, hits := 0, 0
	for _, q := range trace {
		tokens := make([]int, len(q.Blocks)+1) // one more, since the last token is always computed
		for i, id := range q.Blocks {
			tokens[i] = int(id)
		}
		tokens[len(q.Blocks)] = -1
		s, err := p.Allocate(kv.Request{Tokens: tokens})
		require.NoError(t, err)
		hits += s.Cached()
		blocks += len(q.Blocks)
		s.Computed(len(q.Blocks))
		s.Free()
	}
	lru, err := evict.NewLRU(room)
	require.NoError(t, err)
	want := kv.Replay(trace, lru).PrefixRate()
	got := float64(hits) / float64(blocks)
	require.InDelta(t, want, got, 0.01)
	require.GreaterOrEqual(t, got, want, "a pool gives up the end of a text first")
}

func TestReadMooncake(t *testing.T) {
	for _, bad := range []string{"{", `{"hash_ids": [-1]}`, `{"input_length": -1}`, `[]`, `{"timestamp": 1e99}`} {
		_, err := kv.ReadMooncake(strings.NewReader("\n" + bad))
		require.ErrorContains(t, err, "line 2", bad)
	}
	got, err := kv.ReadMooncake(strings.NewReader("\n{\"timestamp\": 3, \"hash_ids\": [1, 2]}\n\n"))
	require.NoError(t, err)
	require.Equal(t, []kv.Prompt{{Timestamp: 3, Blocks: []uint64{1, 2}}}, got)
}

func FuzzReadMooncake(f *testing.F) {
	f.Add("{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1, 2]}\n")
	f.Add("\n\n{}")
	f.Fuzz(func(t *testing.T, text string) {
		trace, err := kv.ReadMooncake(strings.NewReader(text))
		if err != nil {
			return
		}
		p, err := evict.NewLRU(3)
		require.NoError(t, err)
		got := kv.Replay(trace, p)
		require.LessOrEqual(t, got.Prefix, got.Hits)
		require.LessOrEqual(t, got.Hits, got.Blocks)
	})
}
