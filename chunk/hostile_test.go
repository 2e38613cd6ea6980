package chunk

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
)

// hostile makes texts of about n bytes that make a careless program quadratic.
func hostile(n int) map[string]string {
	nested := func(item string) string { // lines deeper and deeper
		var b strings.Builder
		for depth := 0; b.Len() < n; depth++ {
			b.WriteString(strings.Repeat(" ", depth%20) + item)
		}
		return b.String()
	}
	out := map[string]string{"JSON in JSON": strings.Repeat(`{"a":[`, n/12) + strings.Repeat("]}", n/12), "blocks": "package p\nfunc f() {" + strings.Repeat("{\n", n/4) + strings.Repeat("}\n", n/4) + "}\n",
		"divs": strings.Repeat("<div>", n/11) + strings.Repeat("</div>", n/11), "lists": nested("- a\n"), "a word and blanks": "x" + strings.Repeat(" ", n-2) + "x", "a word and CRs": "x" + strings.Repeat("\r", n-2) + "x"}
	for _, s := range []string{"x", "xY", "é", "e\u0301", "\u200d", "日", "🇩🇪", "\xff", "\x00", "7", ".", "[", "[1,", "{\"a\":", "\"", "\\", "<div>", "<h1>", "<", "<!--", "</", "&", "# a\n", "#", "\n", "\r", "\u2028", "a\r", "|-|\n", "|", "a|b\n", "-\n", "a\n=\n", "```\n", "`", "~", "> ", ">", "- ", "*", "1. ",
		"\\begin{a}\n", "\\section{", "\\item\n", "{", "(", "/*", "//\n", "type t struct{\n", "x(", ". ", "A.", "Mr. ", "\"a.\" ", "a\u00a0"} {
		out[fmt.Sprintf("%.8q", s)] = strings.Repeat(s, n/len(s)+1)[:n]
	}
	return out
}

// TestHostileInput compares the time for a text with that for one 64 times as
// long. Linear work takes 64 times as long, and a few times that where the long
// text's memory outgrows a cache or a busy machine interrupts it; quadratic work
// takes 4096 times as long. The best of some tries counts.
func TestHostileInput(t *testing.T) {
	if race.Enabled {
		t.Skip("a comparison of times, without goroutines")
	}
	const n, times, limit = 1 << 10, 64, 500
	small, large := hostile(n), hostile(times*n)
	best := func(c Chunker, text string, best time.Duration) time.Duration {
		start := time.Now()
		_, err := c.Chunk(t.Context(), text)
		require.NoError(t, err)
		return min(best, time.Since(start))
	}
	all := chunkers(t, 50, 10)
	maps.Copy(all, others(t, 50, 10))
	for name, c := range all {
		if strings.HasPrefix(name, "semantic") && !strings.HasPrefix(name, "semantic optimal") {
			continue
		}
		for input := range small {
			a, b := time.Hour, time.Hour
			for try := 0; try == 0 || try < 8 && b > limit*a; try++ {
				a, b = best(c, small[input], a), best(c, large[input], b)
			}
			if b > limit*a {
				t.Errorf("%s on %s: %v for %d bytes, %v for %d", name, input, a, n, b, times*n)
			}
		}
	}
}
