package trace

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The metrics. Those of gen_ai are the conventions' own, under the names of v1.41;
// [ProfileNext] renames them.
const (
	MetricDuration    = "gen_ai.client.operation.duration"            // histogram, s
	MetricTokens      = "gen_ai.client.token.usage"                   // histogram, {token}
	MetricFirstChunk  = "gen_ai.client.operation.time_to_first_chunk" // histogram, s
	MetricCostPicoUSD = "prodai.cost"                                 // counter, pico-USD
	MetricUnpriced    = "prodai.cost.unknown"                         // counter, {call}: calls whose cost is unknown
	MetricStalls      = "prodai.stream.stalls"                        // counter, {stall}
	MetricTokenType   = "gen_ai.token.type"                           // attribute of MetricTokens: input, output
)

// The buckets that the conventions ask for.
var (
	tokenBuckets    = []float64{1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864}
	durationBuckets = []float64{0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92}
)

// maxSeries bounds the attribute sets of one wrapper's metrics: later combinations
// count under the model and the error type metricOther.
const (
	maxSeries   = 500
	metricOther = "_OTHER"
)

// meters are the instruments of one wrapper.
type meters struct {
	o                            *Options
	duration, tokens, firstChunk metric.Float64Histogram
	inference                    metric.Float64Histogram // instead of duration for chats, in ProfileNext
	inTokens, outTokens          metric.Int64Counter     // instead of tokens, in ProfileNext
	cost, unpriced, stalls       metric.Int64Counter

	mu     sync.RWMutex
	series map[seriesKey]*series
}

type seriesKey struct{ operation, model, errorType string }

// A series has the options of the records of one combination, made once: building
// an attribute set for each record takes four times as long.
type series struct {
	record        []metric.RecordOption
	input, output []metric.RecordOption
	add           []metric.AddOption
}

// newMeters makes the instruments. One that the meter refuses is left out, since
// metrics must not stop a call.
func newMeters(o *Options) *meters {
	meter := o.Meter
	if meter == nil {
		meter = otel.Meter(scope)
	}
	m := &meters{o: o, series: map[seriesKey]*series{}}
	firstChunk := MetricFirstChunk
	if o.Profile == ProfileNext {
		firstChunk = "gen_ai.client.inference.time_to_first_chunk"
		m.inference = histogram(meter, "gen_ai.client.inference.duration", "s", "Duration of an inference.", durationBuckets)
		m.inTokens = counter(meter, "gen_ai.client.inference.usage.input_tokens", "{token}", "Input tokens, cached ones included.")
		m.outTokens = counter(meter, "gen_ai.client.inference.usage.output_tokens", "{token}", "Output tokens, reasoning included.")
	} else {
		m.tokens = histogram(meter, MetricTokens, "{token}", "Number of input and output tokens used.", tokenBuckets)
	}
	m.duration = histogram(meter, MetricDuration, "s", "GenAI operation duration.", durationBuckets)
	m.firstChunk = histogram(meter, firstChunk, "s", "Time to receive the first chunk.", durationBuckets)
	m.cost = counter(meter, MetricCostPicoUSD, "{pico-USD}", "Cost of calls.")
	m.unpriced = counter(meter, MetricUnpriced, "{call}", "Calls whose cost is not known.")
	m.stalls = counter(meter, MetricStalls, "{stall}", "Waits for a chunk that were longer than Options.Stall.")
	return m
}

func histogram(meter metric.Meter, name, unit, description string, buckets []float64) metric.Float64Histogram {
	h, err := meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(description), metric.WithExplicitBucketBoundaries(buckets...))
	if err != nil {
		otel.Handle(err)
	}
	return h
}

func counter(meter metric.Meter, name, unit, description string) metric.Int64Counter {
	c, err := meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	if err != nil {
		otel.Handle(err)
	}
	return c
}

// on reports whether anything records.
func (m *meters) on(ctx context.Context) bool {
	return m != nil && m.duration != nil && m.duration.Enabled(ctx)
}

// ended records the duration of a step.
func (m *meters) ended(s *Step) {
	ctx := context.Background()
	if !m.on(ctx) {
		return
	}
	h := m.duration
	if m.inference != nil && s.operation == OperationChat {
		h = m.inference
	}
	h.Record(ctx, max(time.Since(s.began), 0).Seconds(), m.of(s).record...)
}

// usage records tokens and money. A cost that is not known is counted as such.
func (m *meters) usage(s *Step, input, output int64, pico int64, priced, wanted bool) {
	ctx := context.Background()
	if !m.on(ctx) {
		return
	}
	set := m.of(s)
	switch {
	case m.tokens != nil:
		m.tokens.Record(ctx, float64(input), set.input...)
		m.tokens.Record(ctx, float64(output), set.output...)
	case m.inTokens != nil && m.outTokens != nil:
		m.inTokens.Add(ctx, input, set.add...)
		m.outTokens.Add(ctx, output, set.add...)
	}
	m.money(s, pico, priced, wanted)
}

func (m *meters) money(s *Step, pico int64, priced, wanted bool) {
	ctx := context.Background()
	switch {
	case !wanted || !m.on(ctx):
	case priced && m.cost != nil:
		m.cost.Add(ctx, pico, m.of(s).add...)
	case !priced && m.unpriced != nil:
		m.unpriced.Add(ctx, 1, m.of(s).add...)
	}
}

// streamed records the first chunk and the stalls.
func (m *meters) streamed(s *Step, first time.Duration, stalls int) {
	ctx := context.Background()
	if first <= 0 || !m.on(ctx) {
		return
	}
	if m.firstChunk != nil {
		m.firstChunk.Record(ctx, first.Seconds(), m.of(s).record...)
	}
	if stalls > 0 && m.stalls != nil {
		m.stalls.Add(ctx, int64(stalls), m.of(s).add...)
	}
}

// of returns the series of a step, making it if there is room.
func (m *meters) of(s *Step) *series {
	key := seriesKey{s.operation, s.model, s.failed}
	m.mu.RLock()
	found := m.series[key]
	m.mu.RUnlock()
	if found != nil {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.series) >= maxSeries {
		key.model = metricOther
		if key.errorType != "" {
			key.errorType = metricOther
		}
	}
	if found = m.series[key]; found == nil {
		found = m.make(key)
		m.series[key] = found
	}
	return found
}

func (m *meters) make(key seriesKey) *series {
	a := []attribute.KeyValue{attribute.String(SpanOperation, key.operation), attribute.String(SpanProvider, m.o.provider())}
	a = appendText(a, SpanModel, key.model)
	a = m.o.renamed(key.operation, appendText(a, SpanErrorType, key.errorType))
	with := func(more ...attribute.KeyValue) []metric.RecordOption {
		return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(append(a[:len(a):len(a)], more...)...))}
	}
	return &series{
		record: with(), input: with(attribute.String(MetricTokenType, "input")), output: with(attribute.String(MetricTokenType, "output")),
		add: []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(a...))},
	}
}
