package wordpiece

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var model = flag.String("model", "", "a folder with another vocab.txt and golden.jsonl ({text, ids} a line)")

func read(t testing.TB, dir string) *Vocab {
	f, err := os.Open(filepath.Join(dir, "vocab.txt"))
	require.NoError(t, err)
	defer f.Close()
	v, err := Read(f)
	require.NoError(t, err)
	return v
}

func golden(t *testing.T, dir string) {
	v := read(t, dir)
	data, err := os.ReadFile(filepath.Join(dir, "golden.jsonl"))
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(data)) {
		var row struct {
			Text string
			IDs  []int32
		}
		require.NoError(t, json.Unmarshal([]byte(line), &row))
		got := v.AppendIDs(nil, row.Text)
		if !slices.Equal(row.IDs, got) {
			t.Errorf("%q:\n got %v\nwant %v", row.Text, got, row.IDs)
		}
		rows++
	}
	t.Logf("%d rows", rows)
	require.NotZero(t, rows)
}

func TestGoldenIDs(t *testing.T) {
	golden(t, "testdata")
	if *model != "" {
		golden(t, *model)
	}
}

func TestTheUnknownTokenIsRequired(t *testing.T) {
	_, err := New([]string{"a"})
	require.ErrorContains(t, err, Unknown)
}

func TestTokens(t *testing.T) {
	v := read(t, "testdata")
	require.Equal(t, Unknown, v.Token(v.UnknownID()))
	require.Empty(t, v.Token(-1))
	require.Empty(t, v.Token(int32(v.Len())))
	require.Equal(t, 3, v.Count("Hello, World"))
}

// TestASCIIAgreesWithTheTable compares the fast path with the table that the
// reference wrote.
func TestASCIIAgreesWithTheTable(t *testing.T) {
	f, err := newFolder()
	require.NoError(t, err)
	for c := rune(0); c < utf8.RuneSelf; c++ {
		kind, folded := f.rune(c)
		switch a := ascii[c]; a {
		case asciiDrop:
			require.Equal(t, drop, kind, "%q", c)
		case asciiSpace:
			require.Equal(t, space, kind, "%q", c)
		case asciiAlone:
			require.Equal(t, alone, kind, "%q", c)
		default:
			require.Equal(t, keep, kind, "%q", c)
			require.Equal(t, []byte{a}, folded.bytes())
		}
	}
}

func TestNoAllocation(t *testing.T) {
	v := read(t, "testdata")
	text := strings.Repeat("Résumés, 日本 한국 token counting is fun! ", 10)
	dst := make([]int32, 0, 1000)
	require.Zero(t, testing.AllocsPerRun(20, func() { dst = v.AppendIDs(dst[:0], text) }))
	require.Zero(t, testing.AllocsPerRun(20, func() { v.Count(text) }))
}

func FuzzAppendIDs(f *testing.F) {
	f.Add("Hello, Wörld")
	f.Add("\xff" + strings.Repeat("한", 40))
	v := read(f, "testdata")
	f.Fuzz(func(t *testing.T, text string) {
		ids := v.AppendIDs(nil, text)
		for _, id := range ids {
			require.NotEmpty(t, v.Token(id))
		}
		// A line break ends every word.
		want := append(slices.Clone(ids), ids...)
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(v.AppendIDs(nil, text+"\n"+text)))
	})
}

func BenchmarkAppendIDs(b *testing.B) {
	v := read(b, "testdata")
	text := strings.Repeat("The cost of a token is the price of the model. ", 100)
	dst := make([]int32, 0, 4000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		dst = v.AppendIDs(dst[:0], text)
	}
}
