package retry

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// join puts a continuation's chunks through a seam.
func join(said string, anchored bool, chunks ...string) (string, bool) {
	s := newSeam(said, anchored)
	out := said
	for _, c := range chunks {
		rest, ok := s.take([]byte(c))
		if !ok {
			return out, false
		}
		out += string(rest)
	}
	rest, ok := s.end()
	return out + string(rest), ok
}

func TestSeam(t *testing.T) {
	long := "The mountains of the west are older than the sea that made them, and the rain remembers both."
	for name, c := range map[string]struct {
		said     string
		anchored bool
		then     string
		want     string // "": no continuation
	}{
		"prefill continues to the byte":                {"one two thr", false, "ee four", "one two three four"},
		"prefill, a repetition by chance stays":        {"The sum is 1", false, "1.", "The sum is 11."},
		"prefill, a table goes on":                     {"| a | b |\n| --- ", false, "| --- |\n", "| a | b |\n| --- | --- |\n"},
		"prefill, the blank that wasn't shown":         {"one two ", false, " three", "one two three"},
		"prefill, the blank is left out":               {"one two ", false, "three", "one two three"},
		"prefill, a paragraph":                         {"One.\n\n", false, "\n\nTwo.", "One.\n\nTwo."},
		"prefill, part of a paragraph":                 {"One.\n", false, "\n\nTwo.", "One.\n\nTwo."},
		"prefill, an echo of the end":                  {long, false, long[40:] + " End.", long + " End."},
		"prefill, an echo of all":                      {"Hello! How", false, "Hello! How are you?", "Hello! How are you?"},
		"prefill, nothing is left":                     {long, false, "", long},
		"prefill, half a character":                    {"caf\xc3", false, "é au lait", "café au lait"},
		"prefill, the other half doesn't come":         {"caf\xc3", false, "e au lait", ""},
		"instruct, the anchor and the rest":            {"one two thr", true, "one two three four", "one two three four"},
		"instruct, in the middle of a word":            {long[:50], true, anchorOf(long[:50]) + long[50:], long},
		"instruct, more than the anchor":               {long[:70], true, long, long},
		"instruct, after blanks":                       {"one two", true, "\n\none two three", "one two three"},
		"instruct, the blank that wasn't shown":        {"one two ", true, "one two three", "one two three"},
		"instruct, a paragraph that wasn't shown":      {"one two\n\n", true, "one two\n\nthree", "one two\n\nthree"},
		"instruct, nothing but the anchor":             {"one two", true, "one two", "one two"},
		"instruct, less than the anchor":               {"one two", true, "one", ""},
		"instruct, another beginning":                  {"one two", true, "Sure! three", ""},
		"instruct, nothing":                            {"one two", true, "", ""},
		"instruct, half a character":                   {"un caf\xc3", true, "un café", "un café"},
		"instruct, many characters of several bytes":   {strings.Repeat("é", 80), true, strings.Repeat("é", 100), strings.Repeat("é", 100)},
		"instruct, the longest of several repetitions": {"ab ab ab", true, "ab ab ab ab", "ab ab ab ab"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 2, 7, 1 << 20} {
				var chunks []string
				for rest := c.then; rest != ""; {
					n := min(size, len(rest))
					chunks, rest = append(chunks, rest[:n]), rest[n:]
				}
				got, ok := join(c.said, c.anchored, chunks...)
				require.Equal(t, c.want != "", ok, "chunks of %d: %q", size, got)
				if ok {
					require.Equal(t, c.want, got, "chunks of %d", size)
				}
			}
		})
	}
}

func TestAnchor(t *testing.T) {
	for said, want := range map[string]string{
		"short": "short",
		"  led": "led",
		"One sentence. Another sentence that is longer than the anchor may be, by far.": "sentence that is longer than the anchor may be, by far.",
	} {
		require.Equal(t, want, anchorOf(said))
	}
}

// FuzzSeam checks three laws: how the continuation is cut into chunks changes
// nothing; what comes out is an end of what went in; and a model that follows the
// instruction is joined without loss or repetition.
func FuzzSeam(f *testing.F) {
	f.Add("one two three four", uint(9), uint(3), true, "one two thr")
	f.Add("caf\u00e9 \n\n au lait", uint(4), uint(1), false, "x")
	f.Fuzz(func(t *testing.T, text string, cut, size uint, anchored bool, other string) {
		if len(text)+len(other) > 4<<10 {
			t.Skip()
		}
		said := text[:cut%uint(len(text)+1)]
		step := int(size%9) + 1
		for _, then := range []string{text, other, text[len(said):], other + text} {
			var chunks []string
			for rest := then; rest != ""; {
				n := min(step, len(rest))
				chunks, rest = append(chunks, rest[:n]), rest[n:]
			}
			whole, ok := join(said, anchored, then)
			pieces, ok2 := join(said, anchored, chunks...)
			require.Equal(t, ok, ok2)
			if ok {
				require.Equal(t, whole, pieces)
				require.True(t, strings.HasPrefix(whole, said))
				require.True(t, strings.HasSuffix(then, whole[len(said):]))
			}
		}
		seen := shown(said)
		anchor := anchorOf(seen)
		if !utf8.ValidString(text) || anchor == "" {
			return
		}
		then := anchor + text[len(seen):]
		n, _ := overlap(seen, then, len(anchor))
		blanks, _ := overlap(said[len(seen):], text[len(seen):], 1)
		if n == len(anchor) && blanks == len(said)-len(seen) { // else the text repeats itself right there
			got, ok := join(said, true, then)
			require.True(t, ok)
			require.Equal(t, text, got)
		}
	})
}

// Blanks alone are not a continuation, however many.
func TestSeamEnds(t *testing.T) {
	s := newSeam("The quick brown fox jumps over the lazy dog", true)
	for i := range 100 {
		if _, ok := s.take([]byte(strings.Repeat("\n", 100))); !ok {
			require.Greater(t, i, 10)
			return
		}
	}
	t.Fatal("all blanks were kept")
}
