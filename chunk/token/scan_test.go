package token

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// scanned returns the ends of text's pieces by marks, and by next where marks
// leaves it to next.
func (s *splitter) scanned(text string) (ends []int) {
	for i := 0; i < len(text); {
		marks := s.marks(text, i)
		if marks == 0 {
			i = s.next(text, i)
			ends = append(ends, i)
			continue
		}
		for k := range windowBytes {
			if marks>>k&1 != 0 {
				ends = append(ends, i+k)
			}
		}
		i = ends[len(ends)-1]
	}
	return ends
}

func (s *splitter) stepped(text string) (ends []int) {
	for i := 0; i < len(text); {
		i = s.match(text, i)
		ends = append(ends, i)
	}
	return ends
}

var scanSplitters = sync.OnceValues(func() (all []splitter, err error) {
	for _, p := range []Pattern{PatternO200K, PatternCL100K, PatternLlama3, PatternQwen2} {
		s, err := newSplitter(p)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
})

func checkScan(tb testing.TB, text string) {
	tb.Helper()
	all, err := scanSplitters()
	require.NoError(tb, err)
	for _, s := range all {
		want, got := s.stepped(text), s.scanned(text)
		if !slices.Equal(want, got) {
			require.Equal(tb, want, got, "%v %q", s.pattern, text)
		}
	}
}

// scanAtoms are what the rules of the patterns are about.
var scanAtoms = []string{"a", "B", "word", "Word", "WORD", "'s", "'S", "'ll", "'ſ", "'", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "1", "23", "4567", "４", "½",
	"!", "...", "//", "/", "日本", "字", "한국", "é", "É", "e\u0301", "\u0301", "ǅ", "ʰ", "ª", "👩‍👩‍👧", "“", "\xff", "\xe6\x97", "\x00", "\v", "}\n\n", "    ", "\n\t\t", " \n ", "'re", "'VE", "'d", "’s"}

func TestScanIsTheReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 17))
	n := 20_000
	for range n {
		var b strings.Builder
		few := 2 + rng.IntN(len(scanAtoms)-1)
		from := rng.IntN(len(scanAtoms) - few + 1)
		for b.Len() < 200 {
			b.WriteString(scanAtoms[from+rng.IntN(few)])
		}
		checkScan(t, b.String())
	}
}

func FuzzScan(f *testing.F) {
	for _, a := range scanAtoms {
		f.Add(strings.Repeat(a, 80))
		f.Add(strings.Repeat(a+"x", 40))
		f.Add(strings.Repeat(a+" ", 40))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			t.Skip("a long text finds nothing that a short one does not")
		}
		checkScan(t, text)
	})
}

// TestBitRows compares the assembly, where there is any, with the portable form:
// every byte at every place, and random bytes.
func TestBitRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 19))
	text := make([]byte, 2*windowBytes)
	check := func(text string) {
		t.Helper()
		var got, want [8]uint64
		bitRows(text, &got)
		bitRowsGo(text, &want)
		require.Equal(t, want, got, "%q", text)
		for k := range windowBytes {
			for row, plane := range want {
				require.Equal(t, uint64(asciiBits[text[k]]>>row&1), plane>>k&1)
			}
		}
	}
	for b := range 256 {
		for i := range text {
			text[i] = byte(b + i)
		}
		check(string(text[b%windowBytes:]))
	}
	for range 200 {
		for i := range text {
			text[i] = byte(rng.IntN(256))
		}
		check(string(text))
	}
}

// TestScanClasses compares the short ways to a class with the table.
func TestScanClasses(t *testing.T) {
	c, err := newClasses()
	require.NoError(t, err)
	bitsOf := map[class]uint8{upper: upperBit, lower: lowerBit, number: numberBit, space: whiteBit, newline: whiteBit | newlineBit, other: otherBit}
	for b := range byte(utf8.RuneSelf) {
		require.Equal(t, bitsOf[c.ascii[b]], asciiBits[b]&^(tabOrQuoteBit|slashBit), "%q", b)
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		s := string(r) + "\x00\x00"
		want := 0x4E00 <= r && r <= 0x9FFF
		if han(s[0], s[1], s[2]) != want {
			require.Equal(t, want, !want, "%U", r)
		}
		if want {
			class, _ := c.at(s, 0)
			require.Equal(t, caseless, class, "%U", r)
		}
	}
	require.Equal(t, 3, hanEnd("\u4e00\xe4\xb8", 0))
	require.Equal(t, 0, hanEnd("\xe5\xe5\x80", 0))
	require.Equal(t, 0, hanEnd("\xe5\x80\xe5", 0))
}

// TestWorkspaceSize holds the memory that the comment of workspace states.
func TestWorkspaceSize(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(workspace{}), uintptr(419<<10))
	require.Equal(t, uintptr(512<<10), unsafe.Sizeof(*workspace{}.encoded))
}
