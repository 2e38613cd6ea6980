package fault

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Allowance is what a response reports of one limit of the account. A number
// that it doesn't report is -1.
type Allowance struct {
	Dimension string        // "requests", "tokens", "input-tokens", "output-tokens"; "any" where the header names none
	Limit     int64         // the size of the window
	Remaining int64         // what is left of it
	Reset     time.Duration // until it is full again; 0 for an instant in the past
}

// rateLimitHeaders lists the header names, each dimension's limit, remaining
// and reset.
var rateLimitHeaders = [...]struct{ dimension, limit, remaining, reset string }{
	{"requests", "X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"},
	{"tokens", "X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"},
	{"requests", "Anthropic-Ratelimit-Requests-Limit", "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Requests-Reset"},
	{"tokens", "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Tokens-Remaining", "Anthropic-Ratelimit-Tokens-Reset"},
	{"input-tokens", "Anthropic-Ratelimit-Input-Tokens-Limit", "Anthropic-Ratelimit-Input-Tokens-Remaining", "Anthropic-Ratelimit-Input-Tokens-Reset"},
	{"output-tokens", "Anthropic-Ratelimit-Output-Tokens-Limit", "Anthropic-Ratelimit-Output-Tokens-Remaining", "Anthropic-Ratelimit-Output-Tokens-Reset"},
	{"requests", "X-Ratelimit-Limit-Req-Minute", "X-Ratelimit-Remaining-Req-Minute", perMinute},
	{"tokens", "X-Ratelimit-Limit-Tokens-Minute", "X-Ratelimit-Remaining-Tokens-Minute", perMinute},
	{"any", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"any", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
}

// perMinute is in the place of a header that Mistral doesn't send: its limits name
// their window, and refill all the time.
const perMinute = ""

// ParseAllowances reads the rate-limit headers of OpenAI, Azure, Groq, Anthropic,
// Mistral, the gateways that send X-RateLimit-*, and both forms of the IETF draft's
// RateLimit field. A limit or remainder of -1 means that the server doesn't know
// it, and the dimension is left out.
//
// A reset is a span ("6m0s", "2m59.56s", "1d2h", "20ms"), bare seconds, epoch
// seconds (above 1e9) or milliseconds (above 1e12), or an instant (RFC 3339).
func ParseAllowances(h http.Header, now time.Time) []Allowance {
	var all []Allowance
	for _, names := range rateLimitHeaders {
		l := Allowance{Dimension: names.dimension}
		var known [3]bool
		var unknown bool
		l.Limit, known[0], unknown = count(h.Get(names.limit))
		if unknown {
			continue
		}
		l.Remaining, known[1], unknown = count(h.Get(names.remaining))
		if unknown {
			continue
		}
		if names.reset != perMinute {
			l.Reset, known[2] = reset(h.Get(names.reset), now)
		} else if l.Reset = -1; known[0] && known[1] && l.Limit > 0 {
			l.Reset = time.Duration(float64(time.Minute) * (1 - min(1, float64(l.Remaining)/float64(l.Limit))))
		}
		if known[0] || known[1] || known[2] {
			all = append(all, l)
		}
	}
	for _, field := range h.Values("Ratelimit") {
		all = append(all, draftAllowances(field, now)...)
	}
	return all
}

// count parses a limit or a remainder. negative reports that the server sent -1.
func count(s string) (n int64, known, negative bool) {
	s = trim(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return max(n, -1), n >= 0, n < 0
	}
	if f, ok := decimal(s, 1); ok { // some gateways send "59.0"
		return int64(f), true, false
	}
	return -1, false, false
}

func reset(s string, now time.Time) (time.Duration, bool) {
	s = trim(s)
	if s == "" {
		return -1, false
	}
	if n, ok := decimal(s, time.Second); ok {
		switch seconds := n.Seconds(); {
		case seconds > 1e12 || n == tooLong: // milliseconds since the epoch
			ms, err := strconv.ParseFloat(s, 64)
			if err != nil || ms > 1e16 {
				return tooLong, true
			}
			return max(0, time.UnixMilli(int64(ms)).Sub(now)), true
		case seconds > 1e9:
			return max(0, time.Unix(0, int64(n)).Sub(now)), true
		}
		return n, true
	}
	if d, rest, ok := span(s); ok && rest == "" {
		return d, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return max(0, t.Sub(now)), true
		}
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now)), true
	}
	return -1, false
}

// draftAllowances parses the RateLimit field: the older "limit=100,
// remaining=0, reset=50" is one limit, the structured `"name";r=0;t=50` is a
// list of them.
func draftAllowances(field string, now time.Time) []Allowance {
	var all []Allowance
	older := Allowance{Dimension: "any", Limit: -1, Remaining: -1, Reset: -1}
	found := false
	for item := range strings.SplitSeq(field, ",") {
		l := Allowance{Dimension: "any", Limit: -1, Remaining: -1, Reset: -1}
		listed := false
		for part := range strings.SplitSeq(item, ";") {
			key, value, ok := strings.Cut(trim(part), "=")
			if !ok {
				continue
			}
			switch strings.ToLower(key) {
			case "r":
				l.Remaining, listed, _ = count(value)
			case "t":
				l.Reset, listed = reset(value, now)
			case "limit":
				older.Limit, found, _ = count(value)
			case "remaining":
				older.Remaining, found, _ = count(value)
			case "reset":
				older.Reset, found = reset(value, now)
			}
		}
		if listed {
			all = append(all, l)
		}
	}
	if found {
		all = append(all, older)
	}
	return all
}

// ResetDelay returns how long until the exhausted limits let a request pass. If
// several are exhausted, the longest time counts. A limit that doesn't report what
// remains is taken as exhausted.
func ResetDelay(limits []Allowance) (time.Duration, bool) {
	binding := slices.DeleteFunc(slices.Clone(limits), func(l Allowance) bool { return l.Remaining > 0 || l.Reset < 0 })
	if len(binding) == 0 {
		return 0, false
	}
	return slices.MaxFunc(binding, func(a, b Allowance) int { return cmp.Compare(a.Reset, b.Reset) }).Reset, true
}
