package prefix

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrOption is wrapped by the errors of rules and requests that can't be computed.
var ErrOption = errors.New("prefix: invalid option")

// A Segment is a part of a prompt.
type Segment struct {
	Name       string // what it is, "system" for example; used by Moving, Lint and PlanOf
	ID         string // of the content: equal content, equal ID
	Tokens     int
	Breakpoint bool   // the prompt up to here is to be stored
	Text       string // the content, for Lint, which can then see what changes inside; may be empty
}

func (s Segment) same(other Segment) bool { return s.ID == other.ID && s.Tokens == other.Tokens }

// A Request is one call of the model at a time, counted from any beginning.
type Request struct {
	At       time.Duration
	Segments []Segment
}

// A Rule is how a provider caches prompts. Prices are in units of one uncached input
// token.
type Rule struct {
	Name   string `json:"name"`
	AsOf   string `json:"as_of"`            // the month whose rule this describes; the bill of a provider decides
	Source string `json:"source,omitempty"` // where the provider states it
	Note   string `json:"note,omitempty"`

	Min  int     `json:"min"`  // tokens below which nothing is cached
	Read float64 `json:"read"` // price of a token that was read

	// An automatic rule has a Step: it caches the prefix that was seen in any earlier
	// request, rounded down to whole steps. Writes are free.
	Step int `json:"step,omitempty"`

	// An explicit rule (Step 0) caches up to breakpoints.
	Write    float64       `json:"write,omitempty"`
	TTL      time.Duration `json:"-"`                   // in JSON: "ttl", "5m" for example
	Lookback int           `json:"lookback,omitempty"`  // segments before a breakpoint at which an older prefix is found
	MaxMarks int           `json:"max_marks,omitempty"` // breakpoints in a request; 0: any number
	Implicit bool          `json:"implicit,omitempty"`  // the end of each request is a breakpoint too

	// Storage is the price of keeping one token for an hour, where the provider asks for
	// it. Bill doesn't include it, see [Rule.Keep].
	Storage float64 `json:"storage,omitempty"`
}

// Keep returns what it costs to keep tokens stored for a time, in cost units.
func (r Rule) Keep(tokens int, d time.Duration) float64 {
	return r.Storage * float64(tokens) * d.Hours()
}

// OpenAI returns the automatic rule of OpenAI, with the read price of a model.
func OpenAI(read float64) Rule {
	return Rule{Name: "openai", AsOf: "2026-11", Min: 1024, Step: 128, Read: read}
}

// Anthropic returns the explicit rule of Anthropic. The minimum depends on the model.
// With an hour to live a write costs 2, else 1.25 and 5 minutes.
func Anthropic(minimum int, hour bool) Rule {
	r := Rule{Name: "anthropic", AsOf: "2026-11", Min: minimum, Read: .1, Write: 1.25, TTL: 5 * time.Minute, Lookback: 20}
	if hour {
		r.Write, r.TTL = 2, time.Hour
	}
	return r
}

// A Bill is what one request costs.
type Bill struct {
	Read, Written, Uncached int     // input tokens
	Units                   float64 // all of them, in the price of an uncached token
}

// Cached returns how many tokens an automatic rule reads of a prompt that shares its
// first tokens with an earlier one. It is 0 for an explicit rule.
func (r Rule) Cached(prompt, shared int) int {
	if r.Step <= 0 || prompt < r.Min || shared < r.Min {
		return 0
	}
	return min(shared, prompt) / r.Step * r.Step
}

// Bill returns what each request costs. The requests are in the order of time. Its error
// wraps [ErrOption].
func (r Rule) Bill(requests []Request) ([]Bill, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	out := make([]Bill, len(requests))
	var stored []prompt
	for i, q := range requests {
		if i > 0 && q.At < requests[i-1].At {
			return nil, fmt.Errorf("%w: request %d is earlier than the one before it", ErrOption, i)
		}
		total := 0
		for _, s := range q.Segments {
			if s.Tokens < 0 {
				return nil, fmt.Errorf("%w: request %d has a segment of %d tokens", ErrOption, i, s.Tokens)
			}
			total += s.Tokens
		}
		b := &out[i]
		if r.Step > 0 {
			shared := 0
			for _, earlier := range requests[:i] {
				shared = max(shared, tokens(q.Segments[:common(q.Segments, earlier.Segments)]))
			}
			b.Read = r.Cached(total, shared)
		} else {
			stored = r.explicit(b, q, stored)
		}
		b.Uncached = total - b.Read - b.Written
		b.Units = float64(b.Read)*r.Read + float64(b.Written)*r.Write + float64(b.Uncached)
	}
	return out, nil
}

// check reports a rule that can't be computed.
func (r Rule) check() error {
	price := func(p float64) bool { return p >= 0 && p <= 1000 }
	if r.Min < 0 || r.Step < 0 || r.Lookback < 0 || r.MaxMarks < 0 || r.Step == 0 && r.TTL <= 0 ||
		!price(r.Read) || !price(r.Write) || !price(r.Storage) {
		return fmt.Errorf("%w: the rule %q", ErrOption, r.Name)
	}
	return nil
}

// A prompt is a stored prefix and when it ends.
type prompt struct {
	segments []Segment
	until    time.Duration
}

// explicit fills what is read and written, and returns what is stored afterwards.
func (r Rule) explicit(b *Bill, q Request, stored []prompt) []prompt {
	stored = slices.DeleteFunc(stored, func(p prompt) bool { return q.At > p.until })
	last, read := 0, 0 // segments
	var marks []int
	for i, s := range q.Segments {
		if s.Breakpoint || r.Implicit && i == len(q.Segments)-1 {
			last = i + 1
			marks = append(marks, last)
		}
	}
	for _, p := range stored {
		n := len(p.segments)
		if n > read && common(p.segments, q.Segments) == n && slices.ContainsFunc(marks, func(m int) bool { return n <= m && m-n <= r.Lookback }) {
			read = n
		}
	}
	b.Read = tokens(q.Segments[:read])
	if whole := tokens(q.Segments[:last]); whole >= r.Min && last > read {
		b.Written = whole - b.Read
	}
	if read > 0 {
		marks = append(marks, read)
	}
	for _, m := range marks {
		if p := q.Segments[:m]; tokens(p) >= r.Min {
			stored = append(stored, prompt{slices.Clone(p), q.At + r.TTL})
		}
	}
	return stored
}

func tokens(segments []Segment) int {
	n := 0
	for _, s := range segments {
		n += s.Tokens
	}
	return n
}

// common returns how many segments at the beginning are the same.
func common(a, b []Segment) int {
	n := 0
	for n < min(len(a), len(b)) && a[n].same(b[n]) {
		n++
	}
	return n
}

// A Finding is a segment that changed while segments after it stayed the same.
type Finding struct {
	Name  string
	Times int // between how many neighboring requests it was the first to change
	Lost  int // tokens after it that stayed the same, over all these requests
}

// String says what a Finding costs.
func (f Finding) String() string {
	return fmt.Sprintf("%q changes before what stays the same: %d tokens a call can't be cached", f.Name, f.Lost/max(f.Times, 1))
}

// Moving compares each request with the one before it, and returns the segments that
// spoil the cache, the most expensive first. A new turn at the end is none of them.
func Moving(requests []Request) []Finding {
	var out []Finding
	for i := 1; i < len(requests); i++ {
		before, now := requests[i-1].Segments, requests[i].Segments
		at := common(before, now)
		if at == len(now) || at == len(before) {
			continue
		}
		lost := 0
		for _, s := range now[at+1:] {
			if slices.ContainsFunc(before[at:], s.same) {
				lost += s.Tokens
			}
		}
		if lost == 0 {
			continue
		}
		k := slices.IndexFunc(out, func(f Finding) bool { return f.Name == now[at].Name })
		if k < 0 {
			k = len(out)
			out = append(out, Finding{Name: now[at].Name})
		}
		out[k].Times++
		out[k].Lost += lost
	}
	slices.SortStableFunc(out, func(a, b Finding) int { return b.Lost - a.Lost })
	return out
}
