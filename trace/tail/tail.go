package tail

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/trace"
)

// ErrOption is wrapped by the errors of [New].
var ErrOption = errors.New("tail: invalid option")

// A Reason is why a trace is kept.
type Reason uint8

// The reasons, in the order in which they are tried.
const (
	ReasonNone Reason = iota // it is not kept
	ReasonError
	ReasonSlow
	ReasonExpensive
	ReasonRare
	ReasonChance
	reasons
)

// String returns "none", "error", "slow", "expensive", "rare" or "chance".
func (r Reason) String() string {
	if r >= reasons {
		r = ReasonNone
	}
	return [...]string{"none", "error", "slow", "expensive", "rare", "chance"}[r]
}

// Options configure a [Processor]. The zero value keeps every trace.
type Options struct {
	// OneIn is how many unremarkable traces one that is kept stands for. Default:
	// 1, which keeps all.
	OneIn int

	// Slow is the duration of the root from which a trace is kept. Default: none is
	// kept for its duration.
	Slow time.Duration

	// ExpensivePicoUSD is the cost of a trace's attempts from which it is kept.
	// Default: none is kept for its cost.
	ExpensivePicoUSD int64

	// Rare is how many traces of each tenant are kept in an hour. Default: 0.
	Rare int

	// Wait is how long the spans of a trace wait for its root. Then the trace is
	// decided by what there is. Default: 5 minutes.
	Wait time.Duration

	// MaxTraces is how many traces wait at a time. If there are more, the oldest is
	// decided early. Default: 10,000.
	MaxTraces int

	// MaxSpans is how many spans of a trace wait. Later spans of a longer trace
	// are dropped, and counted. Default: 1,000.
	MaxSpans int

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Stats is what a [Processor] has done. Its sums are exact, also of traces that
// were not kept.
type Stats struct {
	Traces       int64
	Kept         map[Reason]int64 // by reason; ReasonNone: not kept
	PicoUSD      int64            // of all traces, at most the largest int64
	DroppedSpans int64            // above MaxSpans
	Early        int64            // decided before the root had ended
}

// A Processor holds spans until their trace is decided. It is safe for concurrent
// use.
type Processor struct {
	next sdktrace.SpanProcessor
	o    Options

	mu      sync.Mutex
	waiting map[oteltrace.TraceID]*waiting
	queue   []entry // the traces of waiting by arrival, and some that are gone
	decided map[oteltrace.TraceID]decision
	recent  []oteltrace.TraceID // a ring of the keys of decided
	at      int
	tenants map[string]int // traces that are kept as rare ones in this hour
	hour    time.Time
	stats   Stats
}

type entry struct {
	id oteltrace.TraceID
	w  *waiting
}

type waiting struct {
	since   time.Time
	spans   []sdktrace.ReadOnlySpan
	failed  bool
	pico    int64
	tenant  string
	dropped int64
}

type decision struct {
	reason Reason
	rate   int
}

// New returns a Processor that passes the spans of kept traces to next. Its error
// wraps [ErrOption].
func New(next sdktrace.SpanProcessor, o *Options) (*Processor, error) {
	if next == nil {
		return nil, fmt.Errorf("%w: the processor to pass spans to is nil", ErrOption)
	}
	p := &Processor{next: next, waiting: map[oteltrace.TraceID]*waiting{}, decided: map[oteltrace.TraceID]decision{}, tenants: map[string]int{},
		stats: Stats{Kept: map[Reason]int64{}}}
	if o != nil {
		p.o = *o
	}
	if p.o.OneIn < 0 || p.o.Slow < 0 || p.o.ExpensivePicoUSD < 0 || p.o.Rare < 0 || p.o.Wait < 0 || p.o.MaxTraces < 0 || p.o.MaxSpans < 0 {
		return nil, fmt.Errorf("%w: Options %+v: want no negative number", ErrOption, p.o)
	}
	if p.o.OneIn == 0 {
		p.o.OneIn = 1
	}
	if p.o.Wait == 0 {
		p.o.Wait = 5 * time.Minute
	}
	if p.o.MaxTraces == 0 {
		p.o.MaxTraces = 10_000
	}
	if p.o.MaxSpans == 0 {
		p.o.MaxSpans = 1000
	}
	if p.o.Now == nil {
		p.o.Now = time.Now
	}
	p.recent = make([]oteltrace.TraceID, p.o.MaxTraces)
	return p, nil
}

// OnStart passes a new span to the next processor.
func (p *Processor) OnStart(ctx context.Context, s sdktrace.ReadWriteSpan) { p.next.OnStart(ctx, s) }

// OnEnd takes a span that has ended. The end of a root decides its trace.
func (p *Processor) OnEnd(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().TraceID()
	now := p.o.Now()
	p.mu.Lock()
	var out []sdktrace.ReadOnlySpan
	if d, late := p.decided[id]; late {
		if d.reason != ReasonNone {
			out = []sdktrace.ReadOnlySpan{rated(s, d.rate)}
		}
	} else {
		w := p.waiting[id]
		if w == nil {
			w = &waiting{since: now}
			p.waiting[id] = w
			p.queue = append(p.queue, entry{id, w})
		}
		w.add(s, p.o.MaxSpans)
		if !s.Parent().IsValid() || s.Parent().IsRemote() { // the root, or the first span of this process
			out = p.decide(id, w, s)
		}
	}
	out = append(out, p.overdue(now)...)
	p.mu.Unlock()
	for _, s := range out {
		p.next.OnEnd(s)
	}
}

// add takes a span into what decides the trace.
func (w *waiting) add(s sdktrace.ReadOnlySpan, most int) {
	if s.Status().Code == codes.Error {
		w.failed = true
	}
	for _, a := range s.Attributes() {
		switch a.Key {
		case trace.SpanCostPicoUSD:
			w.pico = plus(w.pico, a.Value.AsInt64())
		case trace.SpanTenant:
			w.tenant = a.Value.AsString()
		}
	}
	if len(w.spans) >= most {
		w.dropped++
		return
	}
	w.spans = append(w.spans, s)
}

// plus adds what is not negative, at most up to the largest int64.
func plus(a, b int64) int64 {
	if b < 0 {
		return a
	}
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// overdue decides the oldest traces, if they have waited too long or are too many.
func (p *Processor) overdue(now time.Time) []sdktrace.ReadOnlySpan {
	var out []sdktrace.ReadOnlySpan
	for len(p.queue) > 0 {
		e := p.queue[0]
		if p.waiting[e.id] == e.w {
			if len(p.waiting) <= p.o.MaxTraces && now.Sub(e.w.since) < p.o.Wait {
				break
			}
			p.stats.Early++
			out = append(out, p.decide(e.id, e.w, nil)...)
		}
		p.queue[0] = entry{}
		p.queue = p.queue[1:]
	}
	return out
}

// decide takes a trace out of those that wait, and returns the spans to pass on;
// root is nil if it has not ended.
func (p *Processor) decide(id oteltrace.TraceID, w *waiting, root sdktrace.ReadOnlySpan) []sdktrace.ReadOnlySpan {
	delete(p.waiting, id)
	d := p.choose(id, w, root)
	delete(p.decided, p.recent[p.at]) // the zero id is the key of no trace
	p.decided[id], p.recent[p.at] = d, id
	p.at = (p.at + 1) % len(p.recent)
	p.stats.Traces++
	p.stats.Kept[d.reason]++
	p.stats.PicoUSD = plus(p.stats.PicoUSD, w.pico)
	p.stats.DroppedSpans += w.dropped
	if d.reason == ReasonNone {
		return nil
	}
	out := make([]sdktrace.ReadOnlySpan, len(w.spans))
	for i, s := range w.spans {
		out[i] = rated(s, d.rate)
	}
	return out
}

func (p *Processor) choose(id oteltrace.TraceID, w *waiting, root sdktrace.ReadOnlySpan) decision {
	switch {
	case w.failed:
		return decision{ReasonError, 1}
	case p.o.Slow > 0 && root != nil && root.EndTime().Sub(root.StartTime()) >= p.o.Slow:
		return decision{ReasonSlow, 1}
	case p.o.ExpensivePicoUSD > 0 && w.pico >= p.o.ExpensivePicoUSD:
		return decision{ReasonExpensive, 1}
	case p.rare(w.tenant):
		return decision{ReasonRare, 1}
	case random(id) >= threshold(p.o.OneIn):
		return decision{ReasonChance, p.o.OneIn}
	}
	return decision{}
}

// maxTenants bounds the memory of rare tenants: later ones are not rare.
const maxTenants = 10_000

func (p *Processor) rare(tenant string) bool {
	if p.o.Rare == 0 || tenant == "" {
		return false
	}
	if hour := p.o.Now().Truncate(time.Hour); !hour.Equal(p.hour) {
		p.hour = hour
		clear(p.tenants)
	}
	n, known := p.tenants[tenant]
	if n >= p.o.Rare || !known && len(p.tenants) >= maxTenants {
		return false
	}
	p.tenants[tenant]++
	return true
}

// random is the 56 bits of a trace id that W3C trace context asks to be random.
func random(id oteltrace.TraceID) uint64 {
	return binary.BigEndian.Uint64(id[8:]) & (1<<56 - 1)
}

// threshold is the number below which a trace is rejected, of 2^56.
func threshold(oneIn int) uint64 {
	return 1<<56 - uint64(math.Round(math.Exp2(56)/float64(oneIn)))
}

// Stats returns what was done so far.
func (p *Processor) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.stats
	out.Kept = make(map[Reason]int64, len(p.stats.Kept))
	for k, v := range p.stats.Kept {
		out.Kept[k] = v
	}
	return out
}

// ForceFlush flushes the next processor. Traces in progress stay where they are,
// since their end is not known.
func (p *Processor) ForceFlush(ctx context.Context) error { return p.next.ForceFlush(ctx) }

// Shutdown decides all traces by what there is, and shuts the next processor down.
func (p *Processor) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	var out []sdktrace.ReadOnlySpan
	for _, e := range p.queue {
		if p.waiting[e.id] == e.w {
			p.stats.Early++
			out = append(out, p.decide(e.id, e.w, nil)...)
		}
	}
	p.queue = nil
	p.mu.Unlock()
	for _, s := range out {
		p.next.OnEnd(s)
	}
	return p.next.Shutdown(ctx)
}

// A weighted span says how many traces it stands for.
type weighted struct {
	sdktrace.ReadOnlySpan
	attributes []attribute.KeyValue
	context    oteltrace.SpanContext
}

func (w weighted) Attributes() []attribute.KeyValue   { return w.attributes }
func (w weighted) SpanContext() oteltrace.SpanContext { return w.context }

func rated(s sdktrace.ReadOnlySpan, rate int) sdktrace.ReadOnlySpan {
	if rate <= 1 {
		return s
	}
	a := s.Attributes()
	w := weighted{s, append(a[:len(a):len(a)], attribute.Int(trace.SpanSampleRate, rate)), s.SpanContext()}
	th := strings.TrimRight(fmt.Sprintf("%014s", strconv.FormatUint(threshold(rate), 16)), "0")
	if state, err := w.context.TraceState().Insert("ot", "th:"+th); err == nil {
		w.context = w.context.WithTraceState(state)
	}
	return w
}
