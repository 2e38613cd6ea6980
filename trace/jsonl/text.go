package jsonl

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// barWidth is the width of the bars of [Trace.WriteText], in characters.
const barWidth = 24

// WriteText writes the trace as a waterfall of text, a line for each span: when it
// ran, its name below its parent's, how long it took, and what is known of its
// tokens, cost and error. "retry of line 3" stands for the link to a failed attempt.
// Costs are in whole pico-USD; package trace/cost writes them in dollars.
func (t *Trace) WriteText(w io.Writer) error {
	if w == nil {
		return fmt.Errorf("%w: the writer is nil", ErrOption)
	}
	nodes := t.Waterfall()
	total := max(t.Duration(), 1)
	width := 0
	line := map[string]int{}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = strings.Repeat("  ", min(n.Depth, 20)) + plain(n.Name)
		width = max(width, utf8.RuneCountInString(names[i]))
		line[n.SpanID] = i + 1
	}
	for i, n := range nodes {
		from := int(float64(n.Offset) / float64(total) * barWidth)
		long := max(int(float64(n.Duration())/float64(total)*barWidth+0.5), 1)
		from = min(from, barWidth-1)
		long = min(long, barWidth-from)
		bar := strings.Repeat(" ", from) + strings.Repeat("█", long) + strings.Repeat(" ", barWidth-from-long)
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(names[i]))
		text := fmt.Sprintf("%3d |%s| %s%s %8s%s", i+1, bar, names[i], pad, short(n.Duration()), n.facts(line))
		if _, err := io.WriteString(w, strings.TrimRight(text, " ")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// facts is what a line adds to name and duration.
func (n *Node) facts(line map[string]int) string {
	var b strings.Builder
	if n.UsageKnown {
		fmt.Fprintf(&b, "  %d→%d tokens", n.Usage.Input, n.Usage.Output)
		if n.Usage.CacheRead > 0 {
			fmt.Fprintf(&b, " (%d cached)", n.Usage.CacheRead)
		}
	}
	if n.CostKnown {
		fmt.Fprintf(&b, "  %d pico-USD", n.CostPicoUSD)
	}
	if n.Found > 0 {
		fmt.Fprintf(&b, "  %d documents", n.Found)
	}
	if n.FromCache {
		b.WriteString("  from the cache")
	}
	if n.Failed() {
		fmt.Fprintf(&b, "  ERROR %s", plain(n.ErrorType))
	}
	if at, ok := line[n.RetryOf()]; ok {
		fmt.Fprintf(&b, "  retry of line %d", at)
	}
	if n.Orphan {
		b.WriteString("  (its parent is missing)")
	}
	for _, e := range n.Events {
		fmt.Fprintf(&b, "  [%s]", plain(e.Name))
	}
	return b.String()
}

// short is a duration with three digits at most.
func short(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// plain is a text of a file that can't move the cursor or begin a line.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:59]) + "…"
	}
	return s
}
