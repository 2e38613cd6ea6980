package cache

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func keyNumber(n uint64) (k Key) {
	binary.BigEndian.PutUint64(k[:], n)
	return k
}

func sized(bytes int) *Entry {
	e := &Entry{Response: &llms.ContentResponse{Choices: []*llms.ContentChoice{{}}}}
	if pad := bytes - e.size(); pad > 0 {
		e.Response.Choices[0].Content = string(make([]byte, pad))
	}
	return e
}

// TestMemoryNeverOverflows: after any sequence of puts and gets, the bytes stay
// within the room and the sums of bytes agree with the entries.
func TestMemoryNeverOverflows(t *testing.T) {
	m, err := NewMemory(50_000)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		key := keyNumber(rng.Uint64N(300))
		if rng.IntN(2) == 0 {
			require.NoError(t, m.Put(t.Context(), key, sized(600+rng.IntN(3000))))
		} else if _, err := m.Get(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		require.LessOrEqual(t, m.used, m.room)
		require.GreaterOrEqual(t, m.smallIn, 0)
		require.Equal(t, len(m.items), m.small.Len()+m.main.Len())
		require.Equal(t, len(m.ghosts), m.ghost.Len())
	}
	require.NoError(t, m.Put(t.Context(), keyNumber(9999), sized(60_000)))
	e, err := m.Get(t.Context(), keyNumber(9999))
	require.NoError(t, err)
	require.Nil(t, e, "larger than the whole store")
	m.Delete(func(Key, *Entry) bool { return true })
	require.Zero(t, m.used)
	require.Zero(t, m.smallIn)
}

// TestAScanDoesNotPushOutWhatComesBack is what S3-FIFO is for: ten thousand
// questions asked once leave the hundred that are asked often.
func TestAScanDoesNotPushOutWhatComesBack(t *testing.T) {
	m, err := NewMemory(1000 * 1000)
	require.NoError(t, err)
	ask := func(n uint64) bool {
		e, err := m.Get(t.Context(), keyNumber(n))
		require.NoError(t, err)
		if e == nil {
			require.NoError(t, m.Put(t.Context(), keyNumber(n), sized(1000)))
		}
		return e != nil
	}
	for range 5 {
		for n := range uint64(100) {
			ask(n)
		}
	}
	hits := 0
	for n := range uint64(10_000) {
		ask(1000 + n)
		if ask(n % 100) {
			hits++
		}
	}
	require.Greater(t, hits, 9_900)
}

func TestMemoryOfNothing(t *testing.T) {
	for _, bytes := range []int{0, -1} {
		_, err := NewMemory(bytes)
		require.Error(t, err)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("ab", "c", "a", "bc")
	f.Add("\xff", "", "\xfe", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		k1, err := KeyOf(Scope{}, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, a, b)})
		require.NoError(t, err)
		k2, err := KeyOf(Scope{}, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, c, d)})
		require.NoError(t, err)
		require.Equal(t, a == c && b == d, k1 == k2)
	})
}

func BenchmarkKey(b *testing.B) {
	messages := []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, "You are terse."),
		llms.TextParts(llms.ChatMessageTypeHuman, string(make([]byte, 4000))),
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := KeyOf(Scope{Model: "m", Tenant: "t"}, messages, llms.WithMaxTokens(100)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemoryGet(b *testing.B) {
	m, err := NewMemory(1 << 20)
	if err != nil {
		b.Fatal(err)
	}
	_ = m.Put(b.Context(), keyNumber(1), sized(1000)) // never fails
	for b.Loop() {
		if e, _ := m.Get(b.Context(), keyNumber(1)); e == nil {
			b.Fatal("lost")
		}
	}
}

func ExampleNewMemory() {
	_, err := NewMemory(0)
	fmt.Println(err)
	// Output: cache: invalid option: a memory store of 0 bytes: want 1 or more
}
