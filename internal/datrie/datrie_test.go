package datrie

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// longest is the plain reference: it tries every key.
func longest(keys []string, text string) (value, length int) {
	value = -1
	for i, k := range keys {
		if k != "" && len(k) >= length && strings.HasPrefix(text, k) {
			value, length = i, len(k)
		}
	}
	return value, length
}

func build(t testing.TB, keys []string) *Trie {
	tr, err := New(len(keys), func(i int) string { return keys[i] })
	require.NoError(t, err)
	return tr
}

func check(t *testing.T, keys []string, texts ...string) {
	t.Helper()
	tr := build(t, keys)
	for _, text := range append(texts, keys...) {
		v, n := tr.Longest(text)
		wv, wn := longest(keys, text)
		require.Equal(t, []int{wv, wn}, []int{v, n}, "%q", text)
	}
	for i, k := range keys {
		if k == "" || i < len(keys)-1 && contains(keys[i+1:], k) {
			continue
		}
		wv, _ := longest(keys, k[:len(k)-1])
		require.Equal(t, wv, tr.Prefix(i), "%q", k)
	}
}

func contains(keys []string, k string) bool {
	for _, x := range keys {
		if x == k {
			return true
		}
	}
	return false
}

func TestSmall(t *testing.T) {
	check(t, nil, "", "a")
	check(t, []string{""}, "", "a")
	check(t, []string{"a", "ab", "abc", "b", "a\x00", "\x00", "\xff", "\xff\xff", "abcdefgh", "abcdefghi", "abcdefghij\x00"},
		"abx", "abcdefghix", "zzz", "\xff\xff\xff", "a\x00\x00")
	check(t, []string{"x", "y", "x"}, "x")
}

func TestRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		letters := 1 + rng.IntN(256)
		word := func() string {
			b := make([]byte, rng.IntN(12))
			for i := range b {
				b[i] = byte(rng.IntN(letters))
			}
			return string(b)
		}
		keys := make([]string, rng.IntN(400))
		for i := range keys {
			keys[i] = word()
		}
		texts := make([]string, 50)
		for i := range texts {
			texts[i] = word() + word()
		}
		check(t, keys, texts...)
	}
}

// TestManyBlocks closes blocks while it builds.
func TestManyBlocks(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	keys := make([]string, 30_000)
	seen := map[string]int{}
	for i := range keys {
		b := make([]byte, 1+rng.IntN(6))
		for j := range b {
			b[j] = byte(rng.IntN(256))
		}
		keys[i] = string(b)
		seen[keys[i]] = i
	}
	tr := build(t, keys)
	for k, i := range seen {
		v, n := tr.Longest(k + "\x00")
		if n == len(k) {
			require.Equal(t, i, v)
		}
		v, n = tr.Longest(k)
		require.Equal(t, []int{i, len(k)}, []int{v, n}, "%q", k)
	}
}

func FuzzTrie(f *testing.F) {
	f.Add("a b ab abc", "abcd")
	f.Fuzz(func(t *testing.T, words, text string) {
		check(t, strings.Split(words, " "), text)
	})
}
