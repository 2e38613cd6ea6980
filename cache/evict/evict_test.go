package evict

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var policies = []struct {
	name string
	make func(room int) (Policy, error)
}{
	{"LRU", func(room int) (Policy, error) { return NewLRU(room) }},
	{"SIEVE", func(room int) (Policy, error) { return NewSieve(room) }},
	{"S3-FIFO", func(room int) (Policy, error) { return NewS3FIFO(room) }},
	{"W-TinyLFU", func(room int) (Policy, error) { return NewTinyLFU(room) }},
	{"GDSF", func(room int) (Policy, error) { return NewGDSF(room, nil) }},
	{"GDSF 0.9", func(room int) (Policy, error) { return NewGDSF(room, &GDSFOptions{Aging: .9}) }},
}

func TestRoom(t *testing.T) {
	for _, p := range policies {
		for _, room := range []int{0, -1} {
			_, err := p.make(room)
			require.ErrorIs(t, err, ErrOption, p.name)
		}
	}
	_, err := Belady(0, nil)
	require.ErrorIs(t, err, ErrOption)
}

// zipf is a trace in which key k is asked for with weight 1/k.
func zipf(n, keys int, seed uint64) []Request {
	z := rand.NewZipf(rand.New(rand.NewPCG(seed, 1)), 1.01, 1, uint64(keys-1))
	out := make([]Request, n)
	for i := range out {
		out[i] = Request{Key: z.Uint64(), Size: 1, Cost: 1}
	}
	return out
}

// Whatever is asked for, a hit is a key that was asked for before, the room is kept,
// and no policy is better than Belady.
func TestLaws(t *testing.T) {
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			for seed := range uint64(30) {
				random := rand.New(rand.NewPCG(seed, 2))
				room := 1 + random.IntN(50)
				policy, err := p.make(room)
				require.NoError(t, err)
				seen := map[uint64]bool{}
				for range 2000 {
					key := random.Uint64N(60)
					r := Request{Key: key, Size: 1 + int(key)%7, Cost: float64(key % 5)}
					if policy.Access(r) {
						require.True(t, seen[key])
						require.LessOrEqual(t, r.Size, room)
					}
					seen[key] = true
					require.LessOrEqual(t, policy.Used(), room)
				}
			}
			trace := zipf(20000, 1000, 3)
			policy, err := p.make(50)
			require.NoError(t, err)
			got := Replay(policy, trace)
			best, err := Belady(50, trace)
			require.NoError(t, err)
			require.LessOrEqual(t, got.Hits, best.Hits)
			require.Greater(t, got.HitRate(), .3)
			require.Equal(t, 50, policy.Used())
		})
	}
}

// Belady equals the best of all choices on small traces.
func TestBeladyIsBest(t *testing.T) {
	var best func(trace []Request, have map[uint64]bool, room int) int
	best = func(trace []Request, have map[uint64]bool, room int) int {
		if len(trace) == 0 {
			return 0
		}
		key := trace[0].Key
		if have[key] {
			return 1 + best(trace[1:], have, room)
		}
		top := best(trace[1:], have, room) // not added
		try := func(drop uint64, drops bool) {
			next := map[uint64]bool{key: true}
			for k := range have {
				if !drops || k != drop {
					next[k] = true
				}
			}
			top = max(top, best(trace[1:], next, room))
		}
		if len(have) < room {
			try(0, false)
		} else {
			for k := range have {
				try(k, true)
			}
		}
		return top
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 5))
		trace := make([]Request, 10)
		for i := range trace {
			trace[i] = Request{Key: random.Uint64N(5), Size: 1}
		}
		got, err := Belady(2, trace)
		require.NoError(t, err)
		require.Equal(t, best(trace, map[uint64]bool{}, 2), got.Hits, "%v", trace)
	}
}

// A scan of keys that are asked for once pushes everything out of LRU only.
func TestScanResistance(t *testing.T) {
	var trace []Request
	for range 20 {
		for k := range uint64(20) {
			one := Request{Key: k, Size: 1}
			trace = append(trace, one, one, one)
		}
		for range 200 {
			trace = append(trace, Request{Key: uint64(1000 + len(trace)), Size: 1})
		}
	}
	rate := map[string]float64{}
	for _, p := range policies {
		policy, err := p.make(50)
		require.NoError(t, err)
		rate[p.name] = Replay(policy, trace).HitRate()
	}
	require.InDelta(t, 40./260, rate["LRU"], 1e-9)
	for _, name := range []string{"SIEVE", "S3-FIFO", "W-TinyLFU"} {
		require.Greater(t, rate[name], .2, name)
	}
}

// GDSF keeps the expensive small answers.
func TestGDSFSavesMoney(t *testing.T) {
	trace := zipf(50000, 5000, 7)
	for i, r := range trace {
		random := rand.New(rand.NewPCG(r.Key, 9))
		trace[i].Size, trace[i].Cost = 1+random.IntN(100), random.ExpFloat64()
	}
	lru, err := NewLRU(5000)
	require.NoError(t, err)
	gdsf, err := NewGDSF(5000, nil)
	require.NoError(t, err)
	steady, err := NewGDSF(5000, &GDSFOptions{Aging: .9})
	require.NoError(t, err)
	a, b, c := Replay(lru, trace), Replay(gdsf, trace), Replay(steady, trace)
	require.Greater(t, b.Saved/b.Cost, a.Saved/a.Cost+.1)
	require.Greater(t, c.Saved/c.Cost, b.Saved/b.Cost+.005, "the popularity of these keys doesn't change")
	for _, aging := range []float64{-1, 1.1, math.NaN()} {
		_, err := NewGDSF(5000, &GDSFOptions{Aging: aging})
		require.ErrorIs(t, err, ErrOption, aging)
	}
}

// TestTraces replays the public traces, which are too large to be here. It compares
// LRU with what the reference replay gave, to two digits.
func TestTraces(t *testing.T) {
	dir := os.Getenv("PRODAI_TRACES")
	if dir == "" {
		t.Skip("PRODAI_TRACES names no folder with oltp.gz and mooncake_conversation.jsonl.gz")
	}
	oltp, talk := readOLTP(t, dir), readBlocks(t, dir)
	require.Len(t, oltp, 914145)
	require.Len(t, talk, 288500)
	for _, c := range []struct {
		name  string
		trace []Request
		room  int
		lru   string
	}{
		{"OLTP (1000)", oltp, 1000, "32.83"}, {"OLTP (2000)", oltp, 2000, "42.47"},
		{"conversation (10000)", talk, 10000, ""}, {"conversation (30000)", talk, 30000, "32.57"},
	} {
		line := fmt.Sprintf("%-21s", c.name)
		for _, p := range policies[:4] {
			policy, err := p.make(c.room)
			require.NoError(t, err)
			rate := 100 * Replay(policy, c.trace).HitRate()
			line += fmt.Sprintf("  %s %5.2f", p.name, rate)
			if p.name == "LRU" && c.lru != "" {
				require.Equal(t, c.lru, fmt.Sprintf("%.2f", rate), c.name)
			}
			if p.name == "S3-FIFO" && c.name == "OLTP (1000)" {
				require.GreaterOrEqual(t, rate, 40.5)
			}
		}
		best, err := Belady(c.room, c.trace)
		require.NoError(t, err)
		t.Logf("%s  Belady %5.2f", line, 100*best.HitRate())
	}
}

func open(t *testing.T, path string) io.Reader {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	return z
}

func readOLTP(t *testing.T, dir string) (out []Request) {
	s := bufio.NewScanner(open(t, filepath.Join(dir, "oltp.gz")))
	for s.Scan() {
		var first, n uint64
		if _, err := fmt.Sscan(s.Text(), &first, &n); err != nil {
			continue
		}
		for k := range n {
			out = append(out, Request{Key: first + k, Size: 1})
		}
	}
	require.NoError(t, s.Err())
	return out
}

func readBlocks(t *testing.T, dir string) (out []Request) {
	d := json.NewDecoder(open(t, filepath.Join(dir, "mooncake_conversation.jsonl.gz")))
	for {
		var row struct {
			IDs []uint64 `json:"hash_ids"`
		}
		if err := d.Decode(&row); err == io.EOF {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		for _, id := range row.IDs {
			out = append(out, Request{Key: id, Size: 1})
		}
	}
}
