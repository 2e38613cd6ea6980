package cost

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrConflict is wrapped by the error of a booking whose id was booked before with
// another amount.
var ErrConflict = errors.New("cost: the id was booked with another amount")

// An Entry is one billed call.
type Entry struct {
	ID      string // of the work, made before the first try: a second booking changes nothing. "" is never a duplicate
	Time    time.Time
	Tenant  string
	Feature string
	Prompt  string // the prompt's version, such as "support@7"
	Model   string
	Service string // the tier that the response names
	Usage   Usage
}

// A By is what a [Ledger] groups by.
type By uint8

// The dimensions.
const (
	ByTenant By = iota
	ByFeature
	ByPrompt
	ByModel
	dimensions
)

// Other is the key of what came after LedgerOptions.MaxKeys keys.
const Other = "other"

// A Total is what one key of a dimension cost.
type Total struct {
	Key      string
	Calls    int64
	Unpriced int64 // calls of an unknown model or tier: PicoUSD does not contain them
	Usage    Usage
	PicoUSD  int64
}

// A Correction is an entry that changes a total without a call. Both the wrong
// booking and the correction stay visible.
type Correction struct {
	Entry   Entry
	PicoUSD int64 // added, usually negative
	Reason  string
}

// LedgerOptions configure a [Ledger]. The zero value works.
type LedgerOptions struct {
	// MaxKeys is how many keys of a dimension are kept apart; later ones are added
	// up under Other. Default: 10,000.
	MaxKeys int

	// MaxIDs is how many ids are remembered; older ones are forgotten. Default:
	// 100,000.
	MaxIDs int
}

// A Ledger adds up the cost of all calls, exactly, by tenant, feature, prompt version
// and model. The totals of each dimension add up to the same sum. Nothing is left
// out: a call without a tenant is booked under "", and one of an unknown model is
// counted as unpriced. It is safe for concurrent use.
//
// A Ledger is for calls as they are made. The cost that spans have already is added up
// by Sum of trace/jsonl.
type Ledger struct {
	prices *Table
	o      LedgerOptions

	mu          sync.Mutex
	totals      [dimensions]map[string]*Total
	sum         Total
	booked      map[string]int64 // amounts by id
	ids         []string         // a ring of the keys of booked
	at          int
	unknown     map[string]int64 // calls by unknown model
	corrections []Correction
}

// NewLedger returns a Ledger that prices by a table; nil options mean the defaults.
// Its error wraps [ErrOption].
func NewLedger(prices *Table, o *LedgerOptions) (*Ledger, error) {
	if prices == nil {
		return nil, fmt.Errorf("%w: the price table is nil", ErrOption)
	}
	l := &Ledger{prices: prices, booked: map[string]int64{}, unknown: map[string]int64{}}
	if o != nil {
		l.o = *o
	}
	if l.o.MaxKeys < 0 || l.o.MaxIDs < 0 {
		return nil, fmt.Errorf("%w: LedgerOptions %+v: want no negative number", ErrOption, l.o)
	}
	l.o.MaxKeys, l.o.MaxIDs = cmp.Or(l.o.MaxKeys, 10_000), cmp.Or(l.o.MaxIDs, 100_000)
	l.ids = make([]string, l.o.MaxIDs)
	for d := range l.totals {
		l.totals[d] = map[string]*Total{}
	}
	return l, nil
}

// Book prices an entry and adds it. A call that cannot be priced is counted, and the
// error says why: it wraps [ErrUnknownModel], [ErrUnknownTier], [ErrUsage] or
// [ErrOverflow]. An id that was booked before changes nothing; with another amount
// it is [ErrConflict].
func (l *Ledger) Book(e Entry) (picoUSD int64, err error) {
	bill, err := l.prices.Bill(e.Model, e.Service, e.Usage)
	unpriced := int64(0)
	if err != nil {
		unpriced, bill.PicoUSD = 1, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.ID != "" {
		if before, known := l.booked[e.ID]; known {
			if before != bill.PicoUSD {
				return before, fmt.Errorf("%w: %q, %s and now %s", ErrConflict, e.ID, USD(before), USD(bill.PicoUSD))
			}
			return before, err
		}
	}
	if l.sum.PicoUSD > math.MaxInt64-bill.PicoUSD {
		return 0, fmt.Errorf("%w: the sum of the ledger", ErrOverflow)
	}
	l.remember(e.ID, bill.PicoUSD)
	if unpriced > 0 {
		l.unknown[l.bounded(e.Model)]++
		if errors.Is(err, ErrUsage) {
			e.Usage = Usage{} // impossible counts must not reach the sums
		}
	}
	l.add(&e, Total{Calls: 1, Unpriced: unpriced, Usage: e.Usage, PicoUSD: bill.PicoUSD})
	return bill.PicoUSD, err
}

// Correct adds an amount, usually negative, to the totals that an entry belongs to.
// The reason is required; see [Ledger.Corrections].
func (l *Ledger) Correct(e Entry, picoUSD int64, reason string) error {
	if reason == "" {
		return fmt.Errorf("%w: a correction needs a reason", ErrOption)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if picoUSD > 0 && l.sum.PicoUSD > math.MaxInt64-picoUSD || picoUSD < 0 && l.sum.PicoUSD < math.MinInt64-picoUSD {
		return fmt.Errorf("%w: the sum of the ledger", ErrOverflow)
	}
	l.corrections = append(l.corrections, Correction{e, picoUSD, reason})
	l.add(&e, Total{PicoUSD: picoUSD})
	return nil
}

// Corrections returns the corrections in the order in which they were made.
func (l *Ledger) Corrections() []Correction {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.corrections)
}

func (l *Ledger) remember(id string, pico int64) {
	if id == "" {
		return
	}
	if old := l.ids[l.at]; old != "" {
		delete(l.booked, old)
	}
	l.booked[id], l.ids[l.at] = pico, id
	l.at = (l.at + 1) % len(l.ids)
}

func (l *Ledger) bounded(model string) string {
	if _, known := l.unknown[model]; !known && len(l.unknown) >= l.o.MaxKeys {
		return Other
	}
	return model
}

func (l *Ledger) add(e *Entry, t Total) {
	l.sum.plus(&t)
	for d, key := range [dimensions]string{ByTenant: e.Tenant, ByFeature: e.Feature, ByPrompt: e.Prompt, ByModel: e.Model} {
		to := l.totals[d][key]
		if to == nil {
			if len(l.totals[d]) >= l.o.MaxKeys {
				key = Other
			}
			if to = l.totals[d][key]; to == nil {
				to = &Total{Key: key}
				l.totals[d][key] = to
			}
		}
		to.plus(&t)
	}
}

func (t *Total) plus(o *Total) {
	t.Calls += o.Calls
	t.Unpriced += o.Unpriced
	t.PicoUSD += o.PicoUSD
	t.Usage = t.Usage.plus(o.Usage)
}

// plus adds up usage. Its result is for reports: prices depend on the size of a
// request, so a sum has no bill.
func (u Usage) plus(o Usage) Usage {
	return Usage{
		Input: u.Input + o.Input, CacheRead: u.CacheRead + o.CacheRead, CacheWrite5m: u.CacheWrite5m + o.CacheWrite5m, CacheWrite1h: u.CacheWrite1h + o.CacheWrite1h,
		AudioIn: u.AudioIn + o.AudioIn, ImageIn: u.ImageIn + o.ImageIn,
		Output: u.Output + o.Output, Reasoning: u.Reasoning + o.Reasoning, AudioOut: u.AudioOut + o.AudioOut, ImageOut: u.ImageOut + o.ImageOut,
	}
}

// Totals returns the totals of a dimension, the most expensive first, then by key. An
// unknown dimension has none.
func (l *Ledger) Totals(by By) []Total {
	if by >= dimensions {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Total, 0, len(l.totals[by]))
	for _, t := range l.totals[by] {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Total) int {
		return cmp.Or(cmp.Compare(b.PicoUSD, a.PicoUSD), cmp.Compare(a.Key, b.Key))
	})
	return out
}

// Sum returns the total of everything.
func (l *Ledger) Sum() Total {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum
}

// Unpriced returns the models whose calls could not be priced, and how many calls
// each had.
func (l *Ledger) Unpriced() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[string]int64, len(l.unknown))
	for k, v := range l.unknown {
		out[k] = v
	}
	return out
}
