package prefix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Kind says what spoils a prompt cache.
type Kind string

// Kinds of warnings.
const (
	KindTimestamp Kind = "timestamp" // a date or a time of day
	KindID        Kind = "id"        // a UUID, or a long number in hexadecimal
	KindNumber    Kind = "number"
	KindOrder     Kind = "order"     // the same segments in another order
	KindKeys      Kind = "key order" // the same JSON with its keys in another order
	KindTrimmed   Kind = "trimmed"   // the oldest turns were dropped
	KindText      Kind = "text"
	KindShort     Kind = "too short" // for the rule's minimum
	KindMarks     Kind = "breakpoints"
	KindApart     Kind = "too far apart" // longer than the rule's time to live
)

// A Warning is something that keeps tokens from being cached.
type Warning struct {
	Segment     string
	Kind        Kind
	Before, Now string // what changed, as an example; may be empty
	Times       int    // in how many requests
	Lost        int    // tokens that could have been read, over all these requests
}

// PerCall is the mean of the tokens lost.
func (w Warning) PerCall() int { return w.Lost / max(w.Times, 1) }

// String says what a Warning costs and what to do.
func (w Warning) String() string {
	cost := fmt.Sprintf("costs %d cached tokens a call", w.PerCall())
	switch w.Kind {
	case KindOrder:
		return fmt.Sprintf("%q: the order of the parts changes and %s: sort them by name", w.Segment, cost)
	case KindKeys:
		return fmt.Sprintf("%q: the order of the JSON keys changes and %s: encode with sorted keys", w.Segment, cost)
	case KindTrimmed:
		return fmt.Sprintf("%q: the oldest turns are dropped, which %s: drop many at once, and seldom", w.Segment, cost)
	case KindShort:
		return "the prompt is shorter than the rule's minimum: nothing is cached"
	case KindMarks:
		return fmt.Sprintf("%s: %s", w.Segment, cost)
	case KindApart:
		return fmt.Sprintf("requests are farther apart than the time to live, which %s: use a longer one", cost)
	}
	what := fmt.Sprintf("the %s %q", w.Kind, w.Before)
	if w.Kind == KindText {
		what = fmt.Sprintf("the text %q", w.Before)
	}
	return fmt.Sprintf("%q: %s changes to %q and %s: move it to the end", w.Segment, what, w.Now, cost)
}

// Lint compares each request with the one before it and with the rule, and returns what
// keeps tokens from being cached, the most expensive first. What changes inside of a
// segment is found only if the segments have their Text, as those of [Segments] have.
// Its error wraps [ErrOption].
func (r Rule) Lint(requests []Request) ([]Warning, error) {
	if _, err := r.Bill(requests); err != nil {
		return nil, err
	}
	var out []Warning
	add := func(w Warning) {
		if w.Lost <= 0 && w.Kind != KindShort {
			return
		}
		k := slices.IndexFunc(out, func(o Warning) bool { return o.Segment == w.Segment && o.Kind == w.Kind })
		if k < 0 {
			out = append(out, w)
			return
		}
		out[k].Times += w.Times
		out[k].Lost += w.Lost
	}
	for i, q := range requests {
		if tokens(q.Segments) < r.Min {
			add(Warning{Kind: KindShort, Times: 1})
		}
		add(r.marks(q))
		if i == 0 {
			continue
		}
		before := requests[i-1]
		add(change(before.Segments, q.Segments))
		if shared := tokens(q.Segments[:common(before.Segments, q.Segments)]); r.Step == 0 && q.At-before.At > r.TTL && shared >= r.Min {
			add(Warning{Kind: KindApart, Times: 1, Lost: shared})
		}
	}
	slices.SortStableFunc(out, func(a, b Warning) int { return b.Lost - a.Lost })
	return out, nil
}

// marks warns of breakpoints that are missing, or too many.
func (r Rule) marks(q Request) Warning {
	if r.Step > 0 {
		return Warning{}
	}
	n := 0
	for _, s := range q.Segments {
		if s.Breakpoint {
			n++
		}
	}
	total := tokens(q.Segments)
	switch {
	case n == 0 && !r.Implicit && total >= r.Min:
		return Warning{Segment: "no breakpoint is marked", Kind: KindMarks, Times: 1, Lost: total}
	case r.MaxMarks > 0 && n > r.MaxMarks:
		return Warning{Segment: fmt.Sprintf("more than %d breakpoints are marked: the request is refused", r.MaxMarks), Kind: KindMarks, Times: 1, Lost: total}
	}
	return Warning{}
}

// change finds the first segment that differs, and what is lost after it.
func change(before, now []Segment) Warning {
	at := common(before, now)
	if at == len(now) || at == len(before) {
		return Warning{}
	}
	w := Warning{Segment: now[at].Name, Times: 1, Kind: KindText}
	rest := before[at+1:]
	if dropped := slices.IndexFunc(before[at:], now[at].same); dropped > 0 && common(before[at+dropped:], now[at:]) == len(before)-at-dropped {
		w.Kind, w.Lost = KindTrimmed, tokens(before[at+dropped:])
		return w
	}
	if permuted(before[at:], now[at:]) {
		w.Kind, w.Lost = KindOrder, tokens(now[at:])
		return w
	}
	for _, s := range now[at+1:] {
		if slices.ContainsFunc(rest, s.same) {
			w.Lost += s.Tokens
		}
	}
	a, b := before[at], now[at]
	if a.Name != b.Name || a.Text == "" || b.Text == "" {
		return w
	}
	if sameJSON(a.Text, b.Text) {
		w.Kind = KindKeys
		w.Lost += b.Tokens
		return w
	}
	var suffix int
	w.Before, w.Now, suffix = differing(a.Text, b.Text)
	w.Kind = kindOf(w.Before, w.Now)
	if w.Kind != KindText { // a text that changes may have nothing stable in it
		w.Lost += b.Tokens * suffix / len(b.Text)
	}
	return w
}

// permuted reports whether two lists have the same segments in another order.
func permuted(a, b []Segment) bool {
	if len(a) != len(b) || len(a) < 2 {
		return false
	}
	count := map[Segment]int{}
	for _, s := range a {
		count[Segment{ID: s.ID, Tokens: s.Tokens}]++
	}
	for _, s := range b {
		k := Segment{ID: s.ID, Tokens: s.Tokens}
		if count[k]--; count[k] < 0 {
			return false
		}
	}
	return true
}

func sameJSON(a, b string) bool {
	if !strings.ContainsAny(a, "{") {
		return false
	}
	x, errA := canonical(a)
	y, errB := canonical(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

func canonical(text string) ([]byte, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v) // sorts the keys
}

// maxShown bounds the length of an example in a Warning.
const maxShown = 40

// differing returns the words in which two texts differ, from the first to the last
// difference, and how many bytes after them are the same.
func differing(a, b string) (before, now string, suffix int) {
	p := 0
	for p < min(len(a), len(b)) && a[p] == b[p] {
		p++
	}
	for suffix < min(len(a), len(b))-p && a[len(a)-1-suffix] == b[len(b)-1-suffix] {
		suffix++
	}
	const ends = " \t\n\r\"'`,;()<>[]{}"
	start := strings.LastIndexAny(a[:p], ends) + 1
	word := func(s string) string {
		end := len(s) - suffix
		if i := strings.IndexAny(s[end:], ends); i >= 0 {
			end += i
		} else {
			end = len(s)
		}
		s = strings.TrimRight(s[min(start, end):end], ".:;!?")
		if len(s) > maxShown {
			s = s[:maxShown] + "…"
		}
		return strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	return word(a), word(b), suffix
}

var (
	timestamp = regexp.MustCompile(`\d{4}-\d\d-\d\d|\d{1,2}:\d\d|\b1[5-9]\d{8}(\d{3})?\b`)
	identity  = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|\b[0-9a-f]{12,}\b|\b[a-z]{2,8}[-_][0-9a-z]{6,}\b`)
	number    = regexp.MustCompile(`^[^\pL]*\d[\d.,:/_-]*[^\pL]*$`)
)

// kindOf names what changed.
func kindOf(before, now string) Kind {
	for _, k := range []struct {
		kind Kind
		re   *regexp.Regexp
	}{{KindTimestamp, timestamp}, {KindID, identity}, {KindNumber, number}} {
		if k.re.MatchString(before) && k.re.MatchString(now) {
			return k.kind
		}
	}
	return KindText
}
