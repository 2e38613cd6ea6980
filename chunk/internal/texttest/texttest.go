// Package texttest has texts that break programs, for the tests of chunkers.
package texttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prodailabs/prodai/internal/growth"
)

// Hostile returns texts of about n bytes that make a careless program quadratic.
func Hostile(n int) map[string]string {
	nested := func(item string) string { // lines deeper and deeper
		var b strings.Builder
		for depth := 0; b.Len() < n; depth++ {
			b.WriteString(strings.Repeat(" ", depth%20) + item)
		}
		return b.String()
	}
	out := map[string]string{"JSON in JSON": strings.Repeat(`{"a":[`, n/12) + strings.Repeat("]}", n/12), "blocks": "package p\nfunc f() {" + strings.Repeat("{\n", n/4) + strings.Repeat("}\n", n/4) + "}\n",
		"divs": strings.Repeat("<div>", n/11) + strings.Repeat("</div>", n/11), "lists": nested("- a\n"), "deep lists": strings.Repeat("- ", n/4) + "x" + strings.Repeat("\n", n/2), "deep quotes": strings.Repeat("> ", n/4) + "x\n" + strings.Repeat("y\n", n/4),
		"definitions": strings.Repeat("[a]: /b 'c\n", n/11) + "---\n", "attributes": strings.Repeat("<b "+strings.Repeat("c=d ", 20)+"\n", n/84), "a word and blanks": "x" + strings.Repeat(" ", n-2) + "x", "a word and CRs": "x" + strings.Repeat("\r", n-2) + "x"}
	for _, s := range []string{"x", "xY", "é", "e\u0301", "\u200d", "日", "🇩🇪", "\xff", "\x00", "7", ".", "[", "[1,", "{\"a\":", "\"", "\\", "<div>", "<h1>", "<", "<!--", "</", "&", "# a\n", "#", "\n", "\r", "\u2028", "a\r", "|-|\n", "|", "a|b\n", "-\n", "a\n=\n", "```\n", "`", "~", "> ", ">", "- ", "*", "1. ",
		"\\begin{a}\n", "\\section{", "\\item\n", "{", "(", "/*", "//\n", "type t struct{\n", "x(", ". ", "A.", "Mr. ", "\"a.\" ", "a\u00a0"} {
		out[fmt.Sprintf("%.8q", s)] = strings.Repeat(s, n/len(s)+1)[:n]
	}
	return out
}

// Growth compares the processor time of chunk for each [Hostile] text with that
// for one 64 times as long. Linear work takes 64 times as long, and a few times
// that where the long text's memory outgrows a cache; quadratic work takes 4096
// times as long. The best of some tries counts.
func Growth(t *testing.T, name string, chunk func(text string) error) {
	t.Helper()
	const n, times, limit = 1 << 10, 64, 500
	small, large := Hostile(n), Hostile(times*n)
	best := func(text string, best time.Duration) time.Duration {
		start := growth.ProcessorTime()
		if err := chunk(text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return min(best, growth.ProcessorTime()-start)
	}
	for input := range small {
		a, b := time.Hour, time.Hour
		for try := 0; try == 0 || try < 8 && b > limit*a; try++ {
			a, b = best(small[input], a), best(large[input], b)
		}
		if b > limit*a {
			t.Errorf("%s on %s: %v for %d bytes, %v for %d", name, input, a, n, b, times*n)
		}
	}
}

// Bad returns texts that are empty, blank, damaged or strange, by what they are.
func Bad() map[string]string {
	return map[string]string{
		"nothing":         "",
		"blank":           " \t\r\n\u00a0\u2003",
		"NUL":             "a\x00b\x00\x00 c",
		"BOM":             "\ufeff# Title\n\ntext after a byte order mark, long enough to be cut",
		"lone CR":         strings.Repeat("a line that ends the old way\r", 20),
		"not UTF-8":       strings.Repeat("\xff\xfe\xc3\x28 \xe2\x82 ok ", 20),
		"surrogate bytes": "\xed\xa0\x80 and more text behind it to be cut off",
		"a long line":     strings.Repeat("日本", 600) + strings.Repeat("👨‍👩‍👧e\u0301", 150),
		"one grapheme":    "e" + strings.Repeat("\u0301", 200),
	}
}
