package kv_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/internal/growth"
)

func tree(t *testing.T, o *kv.TreeOptions) *kv.Tree {
	t.Helper()
	tr, err := kv.NewTree(o)
	require.NoError(t, err)
	return tr
}

func insert(t *testing.T, tr *kv.Tree, tokens []int) *kv.Node {
	t.Helper()
	n, err := tr.Insert(tokens)
	require.NoError(t, err)
	return n
}

func TestTreeMatchesAnyLength(t *testing.T) {
	tr := tree(t, nil)
	insert(t, tr, []int{1, 2, 3, 4, 5})
	insert(t, tr, []int{1, 2, 3, 9, 9})
	require.Equal(t, 7, tr.Len())
	for _, c := range []struct {
		text []int
		want int
	}{{[]int{1, 2, 3, 4, 5, 6}, 5}, {[]int{1, 2}, 2}, {[]int{1, 2, 3, 9}, 4}, {[]int{2}, 0}, {nil, 0}, {[]int{1, 2, 3, 7}, 3}} {
		n, end := tr.Match(c.text)
		require.Equal(t, c.want, n, c.text)
		require.Equal(t, n == 0, end == nil)
	}
	require.Equal(t, 7, tr.Len(), "splitting a node changes no sum")
}

// A lock covers the node and all above it (mini-sglang#52).
func TestLockedPathsStay(t *testing.T) {
	tr := tree(t, nil)
	insert(t, tr, []int{1, 2, 3})
	leaf := insert(t, tr, []int{1, 2, 3, 4, 5})
	insert(t, tr, []int{1, 2, 8})
	require.NoError(t, tr.Lock(leaf))
	require.Equal(t, 1, tr.Evict(100))
	require.Equal(t, 5, tr.Len())
	n, _ := tr.Match([]int{1, 2, 3, 4, 5})
	require.Equal(t, 5, n)
	require.NoError(t, tr.Unlock(leaf))
	require.ErrorIs(t, tr.Unlock(leaf), kv.ErrOption)
	require.Equal(t, 5, tr.Evict(5))
	require.ErrorIs(t, tr.Lock(leaf), kv.ErrFreed)
	require.ErrorIs(t, tr.Lock(nil), kv.ErrFreed)
	require.Zero(t, tr.Len())
}

func TestTreeRoom(t *testing.T) {
	var gone [][]int
	tr := tree(t, &kv.TreeOptions{Room: 6, OnEvict: func(tokens []int) { gone = append(gone, slices.Clone(tokens)) }})
	insert(t, tr, []int{1, 2, 3})
	insert(t, tr, []int{4, 5, 6})
	tr.Match([]int{1, 2, 3}) // the other one is older now
	leaf := insert(t, tr, []int{7, 8})
	require.Equal(t, [][]int{{4, 5, 6}}, gone)
	require.NoError(t, tr.Lock(leaf))
	_, err := tr.Insert([]int{9, 9, 9, 9, 9})
	require.ErrorIs(t, err, kv.ErrFull)
	var long *kv.TooLongError
	_, err = tr.Insert(text(7, 0))
	require.ErrorAs(t, err, &long)
	_, err = tr.Insert(nil)
	require.ErrorIs(t, err, kv.ErrOption)
	_, err = kv.NewTree(&kv.TreeOptions{Room: -1})
	require.ErrorIs(t, err, kv.ErrOption)
}

// The sums agree with what is there, after anything (mllm#656).
func TestTreeAgainstASet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 30 {
		room := 20 + r.IntN(100)
		known := map[string]bool{} // all prefixes
		name := func(tokens []int) string {
			b := make([]byte, len(tokens))
			for i, x := range tokens {
				b[i] = byte(x)
			}
			return string(b)
		}
		tr := tree(t, &kv.TreeOptions{Room: room})
		var locked []*kv.Node
		var paths [][]int
		for range 400 {
			tokens := make([]int, 1+r.IntN(12))
			for i := range tokens {
				tokens[i] = r.IntN(3)
			}
			switch r.IntN(5) {
			case 0, 1:
				n, err := tr.Insert(tokens)
				if err != nil {
					require.ErrorIs(t, err, kv.ErrFull)
					continue
				}
				for i := range tokens {
					known[name(tokens[:i+1])] = true
				}
				if r.IntN(4) == 0 {
					require.NoError(t, tr.Lock(n))
					locked, paths = append(locked, n), append(paths, tokens)
				}
			case 2:
				if len(locked) > 0 {
					i := r.IntN(len(locked))
					require.NoError(t, tr.Unlock(locked[i]))
					locked, paths = slices.Delete(locked, i, i+1), slices.Delete(paths, i, i+1)
				}
			case 3:
				tr.Evict(r.IntN(5))
			default:
				n, _ := tr.Match(tokens)
				require.True(t, n == 0 || known[name(tokens[:n])])
			}
			require.LessOrEqual(t, tr.Len(), room)
			require.GreaterOrEqual(t, tr.Evictable(), 0)
			require.LessOrEqual(t, tr.Evictable(), tr.Len())
			for _, p := range paths {
				n, _ := tr.Match(p)
				require.Equal(t, len(p), n)
			}
		}
		for _, n := range locked {
			require.NoError(t, tr.Unlock(n))
		}
		require.Equal(t, tr.Len(), tr.Evictable())
		tr.Evict(1 << 30)
		require.Zero(t, tr.Len())
	}
}

// Eviction keeps the leaves in order, and doesn't walk the tree (sglang#14339).
func TestGrowthOfEviction(t *testing.T) {
	growth.Test(t, 20_000, 3, func(n int) func() {
		tr := tree(t, &kv.TreeOptions{Room: n})
		next := 0
		return func() {
			for range n { // each one after the first n evicts one
				insert(t, tr, []int{next})
				next++
			}
		}
	})
}
