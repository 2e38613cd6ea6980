// Package cache measures rules of eviction and the way of a hit beside peers.
package cache

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/evict"
)

// An access asks a peer for a key, adds it if it isn't there, and reports a hit.
type access func(evict.Request) bool

// room is in units of Request.Size.
func peers(t testing.TB, room, entries int) map[string]access {
	t.Helper()
	o := otter.Must(&otter.Options[uint64, int]{MaximumWeight: uint64(room), Weigher: func(_ uint64, size int) uint32 { return uint32(size) }})
	r, err := ristretto.NewCache(&ristretto.Config[uint64, int]{NumCounters: int64(10 * entries), MaxCost: int64(room), BufferItems: 64, IgnoreInternalCost: true})
	require.NoError(t, err)
	h, err := theine.NewBuilder[uint64, int](int64(room)).Build()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close(); h.Close() })
	return map[string]access{
		"otter": func(q evict.Request) bool {
			_, ok := o.GetIfPresent(q.Key)
			if !ok {
				o.Set(q.Key, q.Size)
				o.CleanUp()
			}
			return ok
		},
		"ristretto": func(q evict.Request) bool {
			_, ok := r.Get(q.Key)
			if !ok {
				r.Set(q.Key, q.Size, int64(q.Size))
				r.Wait() // sets are put off; without a wait a replay measures that
			}
			return ok
		},
		"theine": func(q evict.Request) bool {
			_, ok := h.Get(q.Key)
			if !ok {
				h.Set(q.Key, q.Size, int64(q.Size))
				h.Wait()
			}
			return ok
		},
	}
}

func ours(t testing.TB, room int) map[string]access {
	t.Helper()
	out := map[string]access{}
	add := func(name string, p evict.Policy, err error) {
		require.NoError(t, err)
		out[name] = p.Access
	}
	lru, err := evict.NewLRU(room)
	add("LRU", lru, err)
	fifo, err := evict.NewS3FIFO(room)
	add("S3-FIFO", fifo, err)
	tiny, err := evict.NewTinyLFU(room)
	add("W-TinyLFU", tiny, err)
	gdsf, err := evict.NewGDSF(room, nil)
	add("GDSF", gdsf, err)
	steady, err := evict.NewGDSF(room, &evict.GDSFOptions{Aging: .9})
	add("GDSF 0.9", steady, err)
	return out
}

var names = []string{"LRU", "S3-FIFO", "W-TinyLFU", "GDSF", "GDSF 0.9", "otter", "ristretto", "theine"}

// replay returns the share of hits, and of the cost that they save.
func replay(a access, trace []evict.Request) (hits, saved float64) {
	n, cost, all := 0, 0.0, 0.0
	for _, q := range trace {
		all += q.Cost
		if a(q) {
			n++
			cost += q.Cost
		}
	}
	return 100 * float64(n) / float64(len(trace)), 100 * cost / all
}

func both(t testing.TB, room, entries int) map[string]access {
	all := ours(t, room)
	for name, a := range peers(t, room, entries) {
		all[name] = a
	}
	return all
}

// zipf returns requests whose k-th most popular key has weight 1/k^s.
func zipf(s float64, keys, n int, of func(key uint64) evict.Request) []evict.Request {
	sums, sum := make([]float64, keys), 0.0
	for k := range sums {
		sum += math.Pow(float64(k+1), -s)
		sums[k] = sum
	}
	random := rand.New(rand.NewPCG(14, 14))
	out := make([]evict.Request, n)
	for i := range out {
		at, lo, hi := random.Float64()*sum, 0, keys-1
		for lo < hi {
			if mid := (lo + hi) / 2; sums[mid] < at {
				lo = mid + 1
			} else {
				hi = mid
			}
		}
		out[i] = of(uint64(lo))
	}
	return out
}

func one(key uint64) evict.Request { return evict.Request{Key: key, Size: 1, Cost: 1} }

// TestHitRates prints the table of cache/evict's notes. The traces are in a folder of
// their own, because their terms don't let them be carried:
//
//	PRODAI_TRACES=DIR go test -v -run HitRates ./cache
func TestHitRates(t *testing.T) {
	rows := []struct {
		name  string
		room  int
		trace []evict.Request
	}{
		{"zipf .9, 100,000 keys", 1000, zipf(.9, 100_000, 300_000, one)},
		{"zipf 1.1, 100,000 keys", 500, zipf(1.1, 100_000, 300_000, one)},
	}
	if dir := os.Getenv("PRODAI_TRACES"); dir != "" {
		trace := oltp(t, dir)
		for _, room := range []int{1000, 2000} {
			rows = append(rows, struct {
				name  string
				room  int
				trace []evict.Request
			}{"OLTP", room, trace})
		}
	}
	for _, row := range rows {
		all := both(t, row.room, row.room)
		line := fmt.Sprintf("%-24s %5d ", row.name, row.room)
		rate := map[string]float64{}
		for _, name := range names {
			rate[name], _ = replay(all[name], row.trace)
			line += fmt.Sprintf(" %s %.1f", name, rate[name])
		}
		t.Log(line)
		require.Greater(t, rate["S3-FIFO"], rate["ristretto"])
		require.Greater(t, rate["S3-FIFO"], rate["LRU"])
	}
}

func oltp(t *testing.T, dir string) (out []evict.Request) {
	f, err := os.Open(filepath.Join(dir, "oltp.gz"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	s := bufio.NewScanner(z)
	for s.Scan() {
		var first, n uint64
		if _, err := fmt.Sscan(s.Text(), &first, &n); err != nil {
			continue
		}
		for k := range n {
			out = append(out, one(first+k))
		}
	}
	require.NoError(t, s.Err())
	return out
}

// TestMoneySaved compares the money that a byte budget saves: answers of the sizes and
// prices of a recorded load, asked for by Zipf's law with exponent .8.
func TestMoneySaved(t *testing.T) {
	dir := os.Getenv("PRODAI_TRACES")
	if dir == "" {
		t.Skip("PRODAI_TRACES names no folder with azure_llm_conv_first4000.csv")
	}
	f, err := os.Open(filepath.Join(dir, "azure_llm_conv_first4000.csv"))
	require.NoError(t, err)
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.NoError(t, f.Close())
	const keys = 50_000
	random := rand.New(rand.NewPCG(8, 8))
	kinds := make([]evict.Request, keys)
	total := 0
	for k := range kinds {
		row := rows[1+random.IntN(len(rows)-1)]
		in, err := strconv.Atoi(row[1])
		require.NoError(t, err)
		generated, err := strconv.Atoi(row[2])
		require.NoError(t, err)
		// An answer has about 4 bytes a token, which is all that is counted; the prices are those of gpt-4o-mini.
		kinds[k] = evict.Request{Key: uint64(k), Size: 4 * generated, Cost: .15*float64(in) + .6*float64(generated)}
		total += kinds[k].Size
	}
	for _, s := range []float64{.8, 1} {
		trace := zipf(s, keys, 400_000, func(key uint64) evict.Request { return kinds[key] })
		for _, share := range []int{1, 5, 20} {
			room := total * share / 100
			all := both(t, room, keys)
			line := fmt.Sprintf("zipf %.1f, %2d %% of the bytes, money saved:", s, share)
			saved := map[string]float64{}
			for _, name := range names {
				_, saved[name] = replay(all[name], trace)
				line += fmt.Sprintf(" %s %.1f", name, saved[name])
			}
			t.Log(line)
			if s == .8 && share == 20 {
				require.GreaterOrEqual(t, saved["GDSF 0.9"], saved["otter"]+3)
			}
		}
	}
}
