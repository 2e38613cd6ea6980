package engine

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

// A Gauge is a metric over all its labels.
type Gauge struct {
	Sum, Max float64
	N        int
}

// Count is the sum as a number of requests.
func (g Gauge) Count() int { return int(min(max(g.Sum, 0), 1<<30)) }

// Metrics reads the lines of a Prometheus text that have one of the names. Comments,
// other metrics and lines that can't be read are skipped: an engine adds metrics with
// each release.
func Metrics(text []byte, names ...string) map[string]Gauge {
	want := make(map[string]bool, len(names))
	for _, n := range names {
		want[n] = true
	}
	out := map[string]Gauge{}
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, MaxLine)
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		end := strings.IndexAny(line, "{ \t")
		if end <= 0 || !want[line[:end]] {
			continue
		}
		name, rest := line[:end], line[end:]
		if rest[0] == '{' {
			if rest = afterLabels(rest); rest == "" {
				continue
			}
		}
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		v, err := strconv.ParseFloat(fields[0], 64)
		if err != nil || v != v {
			continue
		}
		g := out[name]
		if g.Sum += v; g.N == 0 || v > g.Max {
			g.Max = v
		}
		g.N++
		out[name] = g
	}
	return out
}

// afterLabels returns what follows "{…}". A quoted value may contain braces.
func afterLabels(s string) string {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && s[i] == '}':
			return s[i+1:]
		}
	}
	return ""
}
