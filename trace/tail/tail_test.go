package tail

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// stub is a span with what decides a trace.
func stub(rng *rand.Rand, name string, o tracetest.SpanStub) tracetest.SpanStub {
	o.Name = name
	if !o.SpanContext.IsValid() {
		var id oteltrace.TraceID
		for i := range id {
			id[i] = byte(rng.Uint32())
		}
		o.SpanContext = oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: id, SpanID: oteltrace.SpanID{1}, TraceFlags: oteltrace.FlagsSampled})
	}
	return o
}

func money(pico int64, tenant string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(trace.SpanOperation, "chat"), attribute.Int64(trace.SpanCostPicoUSD, pico), attribute.String(trace.SpanTenant, tenant)}
}

func TestWhatIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	rec := tracetest.NewSpanRecorder()
	p, err := New(rec, &Options{OneIn: 1 << 30, Slow: time.Second, ExpensivePicoUSD: 100, Rare: 2})
	require.NoError(t, err)
	start := time.Now()
	for _, s := range []tracetest.SpanStub{
		stub(rng, "plain", tracetest.SpanStub{}),
		stub(rng, "error", tracetest.SpanStub{Status: sdktrace.Status{Code: codes.Error}}),
		stub(rng, "slow", tracetest.SpanStub{StartTime: start, EndTime: start.Add(time.Second)}),
		stub(rng, "expensive", tracetest.SpanStub{Attributes: money(100, "big")}),
		stub(rng, "rare", tracetest.SpanStub{Attributes: money(1, "small")}),
		stub(rng, "rare", tracetest.SpanStub{Attributes: money(1, "small")}),
		stub(rng, "no longer rare", tracetest.SpanStub{Attributes: money(1, "small")}),
	} {
		p.OnEnd(s.Snapshot())
	}
	var names []string
	for _, s := range rec.Ended() {
		names = append(names, s.Name())
	}
	require.Equal(t, []string{"error", "slow", "expensive", "rare", "rare"}, names)
	got := p.Stats()
	require.Equal(t, map[Reason]int64{ReasonNone: 2, ReasonError: 1, ReasonSlow: 1, ReasonExpensive: 1, ReasonRare: 2}, got.Kept)
	require.Equal(t, int64(103), got.PicoUSD)
	require.Equal(t, "expensive", ReasonExpensive.String())
}

// TestEstimatesAreUnbiased: on 100,000 traces with a long tail of costs, the sum of
// kept traces by their weights is within 2 % of the true total, for all traces and
// for a tenant; a sum without weights is far off.
func TestEstimatesAreUnbiased(t *testing.T) {
	n := 100_000
	if race.Enabled {
		t.Skip("one goroutine; slow under the race detector")
	}
	rng := rand.New(rand.NewPCG(7, 7))
	sink := &summing{}
	p, err := New(sink, &Options{OneIn: 20, ExpensivePicoUSD: 1_000_000_000, Rare: 3})
	require.NoError(t, err)
	var total, acme int64
	for i := range n {
		pico := int64(math.Exp(rng.NormFloat64()*1.2) * 1e8) // log-normal around a hundredth of a cent
		tenant := fmt.Sprint("t", i%50)
		if i%4 == 0 {
			tenant = "acme"
			acme += pico
		}
		total += pico
		s := tracetest.SpanStub{Attributes: money(pico, tenant)}
		if rng.IntN(100) == 0 {
			s.Status = sdktrace.Status{Code: codes.Error}
		}
		p.OnEnd(stub(rng, "chat", s).Snapshot())
	}
	require.Equal(t, total, p.Stats().PicoUSD, "the exact sum does not depend on sampling")
	require.Less(t, sink.n, n/8)
	off := float64(sink.weighted)/float64(total) - 1
	t.Logf("kept %d of %d traces; the estimate is %+.2f %% off, tenant acme %+.2f %%, without weights %+.0f %%", sink.n, n, off*100, (float64(sink.acme)/float64(acme)-1)*100, (float64(sink.plain)/float64(total)-1)*100)
	require.InDelta(t, 0, off, 0.02)
	require.InDelta(t, 1, float64(sink.acme)/float64(acme), 0.04)
	require.Less(t, float64(sink.plain), 0.6*float64(total))
}

// summing adds up what is kept, as a reader of the exported file does.
type summing struct {
	n                     int
	weighted, acme, plain int64
}

func (s *summing) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (s *summing) Shutdown(context.Context) error                  { return nil }
func (s *summing) ForceFlush(context.Context) error                { return nil }
func (s *summing) OnEnd(span sdktrace.ReadOnlySpan) {
	line := jsonl.Convert(span)
	r := line.Record()
	s.n++
	s.plain += r.CostPicoUSD
	s.weighted += r.CostPicoUSD * r.Weight
	if r.Tenant == "acme" {
		s.acme += r.CostPicoUSD * r.Weight
	}
}

// TestWholeTraces: children wait for the root, late spans follow its decision, and
// the tracestate has the same probability as SampleRate.
func TestWholeTraces(t *testing.T) {
	ex := tracetest.NewInMemoryExporter()
	p, err := New(sdktrace.NewSimpleSpanProcessor(ex), &Options{OneIn: 4})
	require.NoError(t, err)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p))
	for range 400 {
		ctx, root := tp.Tracer("t").Start(t.Context(), "root")
		_, child := tp.Tracer("t").Start(ctx, "child")
		_, late := tp.Tracer("t").Start(ctx, "late")
		before := len(ex.GetSpans())
		child.End()
		require.Len(t, ex.GetSpans(), before, "the child waits")
		root.End()
		late.End()
		require.Contains(t, []int{0, 3}, len(ex.GetSpans())-before)
	}
	spans := ex.GetSpans()
	require.InDelta(t, 300, len(spans), 100)
	for _, s := range spans {
		require.Equal(t, "ot=th:c", s.SpanContext.TraceState().String(), "three of four are rejected")
		require.GreaterOrEqual(t, random(s.SpanContext.TraceID()), threshold(4))
		require.Contains(t, s.Attributes, attribute.Int(trace.SpanSampleRate, 4))
	}
	require.NoError(t, tp.Shutdown(t.Context()))
}

// TestMemoryIsBounded: traces whose root never ends, and traces without an end.
func TestMemoryIsBounded(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	now := time.Now()
	rec := tracetest.NewSpanRecorder()
	p, err := New(rec, &Options{MaxTraces: 10, MaxSpans: 5, Wait: time.Minute, Now: func() time.Time { return now }})
	require.NoError(t, err)
	child := func(s tracetest.SpanStub) sdktrace.ReadOnlySpan {
		s = stub(rng, "child", s)
		s.Parent = oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: s.SpanContext.TraceID(), SpanID: oteltrace.SpanID{9}})
		return s.Snapshot()
	}
	for range 100 {
		p.OnEnd(child(tracetest.SpanStub{}))
	}
	require.Len(t, rec.Ended(), 90)
	require.LessOrEqual(t, len(p.waiting)+len(p.decided), 20)
	now = now.Add(time.Hour)
	one := stub(rng, "child", tracetest.SpanStub{})
	for range 8 {
		p.OnEnd(child(one))
	}
	require.Len(t, rec.Ended(), 100, "those that waited too long were decided")
	require.NoError(t, p.Shutdown(t.Context()))
	require.Len(t, rec.Ended(), 105)
	require.Equal(t, int64(3), p.Stats().DroppedSpans)
	require.Equal(t, int64(101), p.Stats().Traces)
}

func TestConcurrentTraces(t *testing.T) {
	ex := tracetest.NewInMemoryExporter()
	p, err := New(sdktrace.NewSimpleSpanProcessor(ex), &Options{Rare: 1, MaxTraces: 50})
	require.NoError(t, err)
	tp := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				ctx, root := tp.Tracer("t").Start(context.Background(), "root")
				_, child := tp.Tracer("t").Start(ctx, "child")
				child.SetAttributes(money(1, fmt.Sprint(i))...)
				child.End()
				root.End()
				_ = p.Stats()
			}
		})
	}
	wg.Wait()
	require.Len(t, ex.GetSpans(), 3200)
	require.Equal(t, int64(1600), p.Stats().PicoUSD)
}

func TestOptions(t *testing.T) {
	_, err := New(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(tracetest.NewSpanRecorder(), &Options{OneIn: -1})
	require.ErrorIs(t, err, ErrOption)
}

func ExampleNew() {
	kept := tracetest.NewInMemoryExporter()
	sampler, err := New(sdktrace.NewSimpleSpanProcessor(kept), &Options{OneIn: 1000})
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(sampler))
	for i := range 20 {
		_, span := provider.Tracer("example").Start(context.Background(), "answer")
		if i == 7 {
			span.SetStatus(codes.Error, "timeout")
		}
		span.End()
	}
	fmt.Println(sampler.Stats().Kept[ReasonError])
	// Output: 1
}
