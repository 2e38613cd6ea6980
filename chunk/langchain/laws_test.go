package langchain

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
)

const sample = "# Returns\n\nPurchases may be refunded within 30 days of delivery. Send the parcel back, e.g. by post.\n\n" +
	"## Keys\n\nKeys are rotated every 90 days.\n\n```go\nfunc Rotate() error {\n\n\treturn nil\n}\n```\n\n- one\n- two\n"

func FuzzLaws(f *testing.F) {
	for _, s := range []string{sample, "a  b   c", " \x1c x\x1f\x1f y ", "aaaa aaaa aaaa aaaa", "\n\n\n\na\n\n\n\nb", "返金 は 三十日。\xff\xfe"} {
		for flags := range uint8(32) {
			f.Add(s, uint8(3), uint8(1), flags)
		}
	}
	f.Fuzz(func(t *testing.T, text string, size, overlap, flags uint8) {
		o := &Options{Size: 1 + int(size), KeepSeparator: KeepSeparator(flags % 4 % 3), KeepSpace: flags&4 != 0, Character: flags&8 != 0, Regexp: flags&16 != 0}
		o.Overlap = int(overlap) % (o.Size + 1)
		if o.Regexp {
			o.Separators = []string{`\n\s*`, `(?<=a)`, `[ab]+`, ""}
		}
		l, err := New(o)
		require.NoError(t, err)
		chunks, err := l.Chunk(t.Context(), text)
		require.NoError(t, err)
		start, covered := 0, 0
		for _, c := range chunks {
			require.NotEmpty(t, c.Text)
			if !o.KeepSpace && utf8.RuneCountInString(c.Text) < o.Size {
				require.Equal(t, strings.TrimFunc(c.Text, pythonSpace), c.Text)
			}
			if !o.Character && !o.Regexp {
				require.LessOrEqual(t, utf8.RuneCountInString(c.Text), o.Size, "in code points, down to single ones, sums are counts")
			}
			if c.Start < 0 {
				require.Equal(t, KeepNone, o.KeepSeparator)
				require.Equal(t, chunk.Chunk{Text: c.Text, Start: -1, End: -1, RuneStart: -1, RuneEnd: -1}, c)
				continue
			}
			require.Equal(t, text[c.Start:c.End], c.Text)
			require.Equal(t, utf8.RuneCountInString(text[:c.Start]), c.RuneStart)
			require.Equal(t, utf8.RuneCountInString(text[:c.End]), c.RuneEnd)
			require.GreaterOrEqual(t, c.Start, start, "in order")
			start = c.Start
			if o.KeepSeparator != KeepNone && c.Start > covered {
				require.Empty(t, strings.TrimFunc(text[covered:c.Start], pythonSpace), "lost")
			}
			covered = max(covered, c.End)
		}
		if o.KeepSeparator != KeepNone {
			require.Empty(t, strings.TrimFunc(text[covered:], pythonSpace), "lost at the end")
		}
	})
}
