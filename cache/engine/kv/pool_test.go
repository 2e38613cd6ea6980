package kv_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenPrefixBlocks(t *testing.T) {
	type request struct {
		Tokens []int    `json:"tokens"`
		Extra  []string `json:"extra"`
		Hashes []string `json:"hashes"`
		Blocks int      `json:"cached_blocks"`
		Cached int      `json:"cached_tokens"`
	}
	type row struct {
		Size     int       `json:"block_size"`
		Requests []request `json:"requests"`
	}
	golden.Rows(t, "cache", "prefix_blocks.jsonl", func(r row) error {
		p, err := kv.New(&kv.Options{Blocks: 10_000, BlockSize: r.Size})
		if err != nil {
			return err
		}
		for i, q := range r.Requests {
			var hashes []string
			for _, k := range kv.Keys(q.Tokens, r.Size, q.Extra) {
				hashes = append(hashes, k.String())
			}
			if !slices.Equal(hashes, q.Hashes) {
				return fmt.Errorf("request %d: the hashes are %v, want %v", i, hashes, q.Hashes)
			}
			s, err := p.Allocate(kv.Request{Tokens: q.Tokens, Extra: q.Extra})
			if err != nil {
				return err
			}
			if s.Cached() != q.Cached || s.Cached() != q.Blocks*r.Size {
				return fmt.Errorf("request %d: %d tokens were cached, want %d", i, s.Cached(), q.Cached)
			}
			s.Computed(len(q.Tokens))
			if i%2 == 0 {
				s.Free()
			}
		}
		return nil
	})
}

func TestGoldenPagingWaste(t *testing.T) {
	type row struct {
		Size    int   `json:"block_size"`
		Max     int   `json:"max_len"`
		Lengths []int `json:"lengths"`

		PagedReserved int     `json:"paged_reserved"`
		PagedWaste    float64 `json:"paged_waste"`
		Pow2Reserved  int     `json:"pow2_reserved"`
		Pow2Waste     float64 `json:"pow2_waste"`
		MaxReserved   int     `json:"max_reserved"`
		MaxWaste      float64 `json:"max_waste"`
	}
	golden.Rows(t, "cache", "paging_waste.jsonl", func(r row) error {
		for layout, want := range map[kv.Layout]struct {
			reserved int
			waste    float64
		}{kv.LayoutPaged: {r.PagedReserved, r.PagedWaste}, kv.LayoutPowerOfTwo: {r.Pow2Reserved, r.Pow2Waste}, kv.LayoutMax: {r.MaxReserved, r.MaxWaste}} {
			reserved, waste, err := kv.Waste(r.Lengths, &kv.WasteOptions{Layout: layout, BlockSize: r.Size, MaxLen: r.Max})
			if err != nil {
				return err
			}
			if reserved != want.reserved || math.Abs(waste-want.waste) > 1e-12 {
				return fmt.Errorf("layout %d reserves %d and wastes %v, want %d and %v", layout, reserved, waste, want.reserved, want.waste)
			}
		}
		return nil
	})
}

const pythonKey = "91233645f980476e8a3d965bc0f62b173770cd8537defc250c06a71400497526"

func text(n, from int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = from + i
	}
	return out
}

func pool(t *testing.T, blocks, size int) *kv.Pool {
	t.Helper()
	p, err := kv.New(&kv.Options{Blocks: blocks, BlockSize: size})
	require.NoError(t, err)
	return p
}

func allocate(t *testing.T, p *kv.Pool, r kv.Request) *kv.Sequence {
	t.Helper()
	s, err := p.Allocate(r)
	require.NoError(t, err)
	return s
}

// Requests that can never fit are refused at once, by the number that allocation uses;
// those that fit are served (vllm#39734, vllm-rbln#957, sglang#39271).
func TestWhatCanNeverFit(t *testing.T) {
	p := pool(t, 64, 4)
	for n := 250; n < 262; n++ {
		s, err := p.Allocate(kv.Request{Tokens: text(n, 0)})
		require.Equal(t, p.Fits(n), err == nil, n)
		if err != nil {
			var long *kv.TooLongError
			require.ErrorAs(t, err, &long)
			require.Equal(t, kv.TooLongError{Need: p.Need(n), Blocks: 64}, *long)
			continue
		}
		s.Free()
	}
	require.Equal(t, 64, p.Free())

	// A sequence that outgrows the pool alone ends with an error (vllm#56028).
	s := allocate(t, p, kv.Request{Tokens: text(255, 0)})
	_, _, err := s.Append(1)
	require.NoError(t, err)
	_, _, err = s.Append(1)
	var long *kv.TooLongError
	require.ErrorAs(t, err, &long)
	require.Equal(t, 256, s.Len())
}

// Admission is all or nothing (sglang#16067).
func TestAFailedAllocationChangesNothing(t *testing.T) {
	p := pool(t, 8, 4)
	first := allocate(t, p, kv.Request{Tokens: text(16, 0)})
	first.Computed(16)
	first.Free()
	held := allocate(t, p, kv.Request{Tokens: text(12, 100)})
	free, cached, stats := p.Free(), p.Cached(), p.Stats()
	_, err := p.Allocate(kv.Request{Tokens: append(text(16, 0), text(8, 500)...)}) // four are cached and free, two more are needed, one is left
	require.ErrorIs(t, err, kv.ErrFull)
	require.Equal(t, []any{free, cached, stats}, []any{p.Free(), p.Cached(), p.Stats()})
	held.Free()
	s := allocate(t, p, kv.Request{Tokens: append(text(16, 0), text(8, 500)...)})
	require.Equal(t, 16, s.Cached())
}

// A prompt that is cached whole still computes its last block (vllm#17999).
func TestTheLastTokenIsComputed(t *testing.T) {
	p := pool(t, 8, 4)
	for range 3 {
		s := allocate(t, p, kv.Request{Tokens: text(8, 0)})
		require.LessOrEqual(t, s.Cached(), 4)
		s.Computed(8)
		s.Free()
	}
	require.Equal(t, kv.Stats{Sequences: 3, PromptTokens: 24, CachedTokens: 8}, p.Stats())
}

// What changes the content of the cache is in the key: adapters, images, tenants
// (vllm#30931, vllm#54342, vllm#16016).
func TestExtraKeysSeparate(t *testing.T) {
	p := pool(t, 64, 4)
	s := allocate(t, p, kv.Request{Tokens: text(20, 0), Extra: []string{"salt of a"}})
	s.Computed(20)
	require.Equal(t, 16, allocate(t, p, kv.Request{Tokens: text(20, 0), Extra: []string{"salt of a"}}).Cached())
	for _, other := range [][]string{nil, {"salt of b"}, {"salt of a", ""}, {"salt", " of a"}, {"salt of a\xff"}, {"salt of a\xfe"}, {"salt of a\uFFFD"}} {
		s := allocate(t, p, kv.Request{Tokens: text(20, 0), Extra: other})
		require.Zero(t, s.Cached(), other)
		s.Computed(20)
	}
}

func TestKeysAreOfJSON(t *testing.T) {
	for _, extra := range []string{"", "a", "é", "日本", "😀", "<&>", "a\"b\\c", "\n\t\b\f\x00\x7f", "\u2028", "a\uFFFDb"} {
		k := (kv.Key{}).Next([]int{1, -2}, []string{extra})
		require.NotEqual(t, k, (kv.Key{}).Next([]int{1, -2}, nil))
		_, err := json.Marshal(extra)
		require.NoError(t, err)
	}
	// Of Python: hashlib.sha256(json.dumps(["", [1, 2], ["é😀\n"]], separators=(",", ":")).encode())
	require.Equal(t, pythonKey, (kv.Key{}).Next([]int{1, 2}, []string{"é😀\n"}).String())
}

// Only what is computed is shared, and only where it is.
func TestComputedBlocksAreShared(t *testing.T) {
	p := pool(t, 16, 4)
	a := allocate(t, p, kv.Request{Tokens: text(10, 0)})
	b := allocate(t, p, kv.Request{Tokens: text(10, 0)})
	require.Zero(t, b.Cached())
	a.Computed(6)
	c := allocate(t, p, kv.Request{Tokens: text(10, 0)})
	require.Equal(t, 4, c.Cached())
	require.Equal(t, a.Table()[0], c.Table()[0])
	b.Computed(10) // the first block has another's key already
	b.Free()
	a.Free()
	c.Free()
	require.Equal(t, 16, p.Free())
	require.Equal(t, 2, p.Cached())
}

func TestForksCopyBeforeTheyWrite(t *testing.T) {
	p := pool(t, 16, 4)
	a := allocate(t, p, kv.Request{Tokens: text(6, 0)})
	b, err := a.Fork()
	require.NoError(t, err)
	require.Equal(t, a.Table(), b.Table())
	last := a.Table()[1]
	c, ok, err := b.Append(99)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, kv.Copy{From: last, To: b.Table()[1]}, c)
	_, ok, err = a.Append(98)
	require.NoError(t, err)
	require.False(t, ok, "the last use of a block is written in place")
	require.Equal(t, 1, p.Stats().Copies)
	a.Free()
	a.Free()
	require.Equal(t, 14, p.Free())
	_, _, err = a.Append(1)
	require.ErrorIs(t, err, kv.ErrFreed)
	_, err = a.Fork()
	require.ErrorIs(t, err, kv.ErrFreed)
	b.Free()
	require.Equal(t, 16, p.Free())
}

// A truncated block whose content changes is not shared any more.
func TestTruncateThenWrite(t *testing.T) {
	p := pool(t, 16, 4)
	s := allocate(t, p, kv.Request{Tokens: text(12, 0)})
	s.Computed(12)
	s.Truncate(6)
	require.Equal(t, 6, s.Len())
	require.Len(t, s.Table(), 2)
	_, _, err := s.Append(77)
	require.NoError(t, err)
	_, _, err = s.Append(78)
	require.NoError(t, err)
	require.Equal(t, 4, allocate(t, p, kv.Request{Tokens: text(12, 0)}).Cached())
	s.Computed(8)
	require.Equal(t, 8, allocate(t, p, kv.Request{Tokens: []int{0, 1, 2, 3, 4, 5, 77, 78, 9}}).Cached())
}

// The end of a text is evicted before its beginning, and old before new.
func TestEvictionOrder(t *testing.T) {
	p := pool(t, 6, 4)
	for from := range 2 {
		s := allocate(t, p, kv.Request{Tokens: text(12, 100*from)})
		s.Computed(12)
		s.Free()
	}
	s := allocate(t, p, kv.Request{Tokens: text(8, 900)}) // evicts two blocks
	require.Equal(t, 2, p.Stats().Evictions)
	s.Free()
	require.Equal(t, 4, allocate(t, p, kv.Request{Tokens: text(12, 0)}).Cached())
	p = pool(t, 6, 4)
	a := allocate(t, p, kv.Request{Tokens: text(12, 0)})
	a.Computed(8)
	a.Free()
	allocate(t, p, kv.Request{Tokens: text(16, 900)})
	require.Zero(t, p.Stats().Evictions, "what can't be shared is used first")
}

// Tokens that are computed again after a preemption are no hits (vllm#25780).
func TestResumedSequencesAreNoHits(t *testing.T) {
	p := pool(t, 16, 4)
	s := allocate(t, p, kv.Request{Tokens: text(20, 0)})
	s.Computed(20)
	s.Free()
	s = allocate(t, p, kv.Request{Tokens: text(20, 0), Resumed: true})
	require.Equal(t, 16, s.Cached())
	require.Zero(t, p.Stats().HitRate())
}

// Whatever happens, each block is free or in use, and freeing all gives all back
// (sglang-jax#982, vllm-ascend#16662).
func TestNoBlockLeaks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		p := pool(t, 1+r.IntN(40), 1+r.IntN(6))
		var live []*kv.Sequence
		for range 400 {
			switch k := r.IntN(8); {
			case k < 3 || len(live) == 0:
				s, err := p.Allocate(kv.Request{Tokens: text(1+r.IntN(30), r.IntN(2)), Resumed: r.IntN(4) == 0})
				if err == nil {
					live = append(live, s)
				}
			case k == 3:
				s, err := live[r.IntN(len(live))].Fork()
				require.NoError(t, err)
				live = append(live, s)
			case k == 4:
				i := r.IntN(len(live))
				live[i].Free()
				live = slices.Delete(live, i, i+1)
			case k == 5:
				s := live[r.IntN(len(live))]
				s.Truncate(r.IntN(s.Len() + 2))
			default:
				s := live[r.IntN(len(live))]
				_, _, _ = s.Append(r.IntN(3))
				s.Computed(r.IntN(s.Len() + 1))
			}
			used := map[int]int{}
			for _, s := range live {
				require.Len(t, s.Table(), p.Need(s.Len()))
				for _, id := range s.Table() {
					used[id]++
				}
			}
			require.Equal(t, p.Blocks(), len(used)+p.Free())
		}
		for _, s := range live {
			s.Free()
		}
		require.Equal(t, p.Blocks(), p.Free())
	}
}

// Equal tables mean equal texts: what a sequence reads is what was computed for its own
// tokens, whatever was shared, forked, truncated and evicted.
func TestBlocksHaveTheirTokens(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 50 {
		size := 1 + r.IntN(4)
		p := pool(t, 4+r.IntN(20), size)
		memory := make([][]int, p.Blocks()) // what a model would have there: the token itself
		for i := range memory {
			memory[i] = slices.Repeat([]int{-1}, size)
		}
		write := func(s *kv.Sequence, at int) { memory[s.Table()[at/size]][at%size] = s.Tokens()[at] }
		var live []*kv.Sequence
		for range 300 {
			if k := r.IntN(6); k < 2 || len(live) == 0 {
				s, err := p.Allocate(kv.Request{Tokens: text(1+r.IntN(20), r.IntN(3))})
				if err != nil {
					continue
				}
				for at := s.Cached(); at < s.Len(); at++ {
					write(s, at)
				}
				s.Computed(s.Len())
				live = append(live, s)
			} else if i := r.IntN(len(live)); k == 2 {
				live[i].Free()
				live = slices.Delete(live, i, i+1)
			} else if k == 3 {
				s, err := live[i].Fork()
				require.NoError(t, err)
				live = append(live, s)
			} else if s := live[i]; k == 4 && s.Len() > 1 {
				s.Truncate(1 + r.IntN(s.Len()-1))
			} else if c, ok, err := s.Append(r.IntN(50)); err == nil {
				if ok {
					copy(memory[c.To], memory[c.From])
				}
				write(s, s.Len()-1)
				s.Computed(s.Len())
			}
			for _, s := range live {
				for at, token := range s.Tokens() {
					require.Equal(t, token, memory[s.Table()[at/size]][at%size])
				}
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []*kv.Options{{Blocks: -1}, {BlockSize: -1}, {Blocks: 1 << 40}} {
		_, err := kv.New(o)
		require.ErrorIs(t, err, kv.ErrOption)
	}
	p, err := kv.New(nil)
	require.NoError(t, err)
	require.Equal(t, []int{1024, 16}, []int{p.Blocks(), p.BlockSize()})
	_, err = p.Allocate(kv.Request{})
	require.ErrorIs(t, err, kv.ErrOption)
	for _, o := range []kv.WasteOptions{{BlockSize: -1}, {MaxLen: -1}, {Layout: 9}, {Layout: kv.LayoutMax, MaxLen: 3}} {
		_, _, err := kv.Waste([]int{4}, &o)
		require.ErrorIs(t, err, kv.ErrOption)
	}
	_, _, err = kv.Waste([]int{-4}, nil)
	require.ErrorIs(t, err, kv.ErrOption)
}
