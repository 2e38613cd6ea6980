package jsonl

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/trace"
)

func lines(spans ...string) string { return strings.Join(spans, "\n") }

// TestRecordReadsEveryField: also under the names of other profiles, and exactly.
func TestRecordReadsEveryField(t *testing.T) {
	line := `{"name":"chat m","status":"Error","links":[{"span_id":"x"},{"span_id":"first","attributes":{"retry.attempt":2}}],"attributes":{
		"gen_ai.operation.name":"chat","gen_ai.system":"openai","gen_ai.request.model":"m","gen_ai.response.model":"m-1","prodai.tenant":"acme","user.id":"u","prodai.feature":"f",
		"gen_ai.conversation.id":"c","gen_ai.prompt.name":"p","gen_ai.prompt.version":"7","prodai.prompt.hash":"h","error.type":"429","gen_ai.response.finish_reasons":["stop",3],
		"gen_ai.usage.input_tokens":10,"gen_ai.usage.output_tokens":5,"gen_ai.usage.cache_read.input_tokens":4,"gen_ai.usage.cache_write.input_tokens":3,"gen_ai.usage.reasoning.output_tokens":2,
		"prodai.cost.pico_usd":9007199254740993,"gen_ai.response.time_to_first_chunk":1,"prodai.stream.max_gap":0.5,"prodai.stream.chunks":8,"prodai.stream.stalls":1,"SampleRate":10,"prodai.from_cache":true,"prodai.usage.estimated":true}}`
	n := 0
	for r, err := range Records(strings.NewReader(strings.ReplaceAll(line, "\n", ""))) {
		n++
		require.NoError(t, err)
		require.Equal(t, "chat openai m m-1 acme u f c p 7 h 429 first", strings.Join([]string{r.Operation, r.Provider, r.Model, r.Answered, r.Tenant, r.User, r.Feature, r.Conversation, r.Prompt, r.PromptVersion, r.PromptHash, r.ErrorType, r.RetryOf()}, " "))
		require.Equal(t, Usage{10, 5, 4, 3, 2}, r.Usage)
		require.Equal(t, int64(9007199254740993), r.CostPicoUSD, "more digits than a float64 has")
		require.Equal(t, []any{time.Second, 500 * time.Millisecond, 8, 1, int64(10)}, []any{r.FirstChunk, r.MaxGap, r.Chunks, r.Stalls, r.Weight})
		require.True(t, r.UsageKnown && r.CostKnown && r.FromCache && r.Estimated && r.Failed() && r.Billable())
		require.Equal(t, []string{"stop"}, r.FinishReasons)
	}
	require.Equal(t, 1, n)
	empty := (&Span{Attributes: map[string]any{trace.SpanCostPicoUSD: -1, trace.SpanInputTokens: 1.5, trace.SpanFirstChunk: math.Inf(1), trace.SpanTenant: 3, trace.SpanSampleRate: int64(0)}}).Record()
	require.False(t, empty.CostKnown || empty.UsageKnown)
	require.Equal(t, int64(1), empty.Weight)
	require.Zero(t, empty.FirstChunk)
}

// TestSumsEqualTheSumOfSpans: for any grouping, exactly, in any order of the lines;
// and what the spans of a live program say is what the file says.
func TestSumsEqualTheSumOfSpans(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var records []Record
		var cost, weighted, tokens int64
		for range 200 {
			r := (&Span{}).Record()
			r.Operation = []string{"chat", "embeddings", "retrieval", ""}[rng.IntN(4)]
			r.Tenant, r.Feature, r.Model, r.PromptVersion = fmt.Sprint(rng.IntN(3)), fmt.Sprint(rng.IntN(5)), fmt.Sprint(rng.IntN(2)), fmt.Sprint(rng.IntN(4))
			r.CostPicoUSD, r.CostKnown, r.Weight, r.Usage.Input = rng.Int64N(1e12), true, 1+rng.Int64N(20), rng.Int64N(1000)
			records = append(records, r)
			if r.Billable() {
				cost, weighted, tokens = cost+r.CostPicoUSD, weighted+r.CostPicoUSD*r.Weight, tokens+r.Usage.Input
			}
		}
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		for _, by := range []func(*Record) string{ByTenant, ByUser, ByFeature, ByModel, ByProvider, ByPrompt, Together} {
			totals, err := Sum(all(records), by)
			require.NoError(t, err)
			var got Total
			for _, g := range totals {
				got.PicoUSD, got.EstimatedPicoUSD, got.Input = got.PicoUSD+g.PicoUSD, got.EstimatedPicoUSD+g.EstimatedPicoUSD, got.Input+g.Input
			}
			require.Equal(t, []int64{cost, weighted, tokens}, []int64{got.PicoUSD, got.EstimatedPicoUSD, got.Input})
		}
	}
}

func all(records []Record) func(func(Record, error) bool) {
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestSumReportsWhatItCannotRead(t *testing.T) {
	bad := strings.Repeat("not json\n", 12)
	totals, err := Sum(Records(strings.NewReader(bad+`{"attributes":{"gen_ai.operation.name":"chat","prodai.cost.pico_usd":5}}`)), Together)
	require.ErrorContains(t, err, "line 1:")
	require.ErrorContains(t, err, "2 lines more")
	require.Equal(t, []Total{{Calls: 1, PicoUSD: 5, EstimatedPicoUSD: 5}}, totals)
	big := Record{Operation: "chat", CostPicoUSD: math.MaxInt64, CostKnown: true, Weight: 1}
	_, err = Sum(all([]Record{big, big}), Together)
	require.ErrorIs(t, err, ErrOverflow)
	big.Weight = 3
	_, err = Sum(all([]Record{big}), Together)
	require.ErrorIs(t, err, ErrOverflow)
	_, err = Sum(nil, nil)
	require.ErrorIs(t, err, ErrOption)
}

func node(trace, id, parent string, at int) Record {
	start := time.Unix(int64(at), 0)
	return Record{Span: Span{TraceID: trace, SpanID: id, ParentID: parent, Start: start, End: start.Add(time.Second)}}
}

func shape(t *Trace) string {
	var b strings.Builder
	for _, n := range t.Waterfall() {
		fmt.Fprintf(&b, "%s%s", strings.Repeat(".", n.Depth), n.SpanID)
		if n.Orphan {
			b.WriteString("!")
		}
		b.WriteString(" ")
	}
	return strings.TrimSpace(b.String())
}

// TestTraces: trees in the order of a waterfall; lost parents, circles and double ids
// lose no span.
func TestTraces(t *testing.T) {
	traces := Traces([]Record{
		node("t", "b", "a", 3), node("t", "c", "a", 2), node("t", "d", "c", 4), node("t", "a", "", 1), node("t", "lost", "gone", 9),
		node("loop", "x", "y", 1), node("loop", "y", "x", 0), node("loop", "z", "x", 2), node("loop", "self", "self", 5),
		node("twice", "a", "", 7), node("twice", "a", "", 8), node("twice", "b", "a", 9),
	})
	require.Len(t, traces, 3)
	require.Equal(t, "self! y! .x ..z", shape(traces[0]))
	require.Equal(t, "a .c ..d .b lost!", shape(traces[1]))
	require.Equal(t, "a .b a", shape(traces[2]))
	require.Equal(t, 3*time.Second, traces[1].Waterfall()[2].Offset)
	require.Equal(t, 9*time.Second, traces[1].Duration())
	require.Empty(t, Traces(nil))
}

func TestADeepTraceIsNoProblem(t *testing.T) {
	var records []Record
	n := 100_000
	if race.Enabled {
		n = 5000
	}
	for i := range n {
		records = append(records, node("t", fmt.Sprint(i), fmt.Sprint(i-1), 1))
	}
	traces := Traces(records)
	require.Len(t, traces[0].Waterfall(), n)
}

func TestTraceCost(t *testing.T) {
	a := node("t", "a", "", 1)
	a.Operation, a.CostPicoUSD, a.CostKnown, a.Weight = "chat", 5, true, 1
	b := node("t", "b", "a", 2)
	b.Operation, b.Weight = "chat", 1
	pico, unpriced, err := Traces([]Record{a, b})[0].Cost()
	require.NoError(t, err)
	require.Equal(t, []any{int64(5), 1}, []any{pico, unpriced})
}

// write writes n spans of tenants t0, t1, t2 in batches of one.
func write(t *testing.T, f *File, n int) {
	t.Helper()
	e, err := New(f)
	require.NoError(t, err)
	p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(e))
	for i := range n {
		_, s := p.Tracer("t").Start(t.Context(), "chat m")
		s.SetAttributes(attribute.String(trace.SpanOperation, "chat"), attribute.Int(trace.SpanCostPicoUSD, 7), attribute.String(trace.SpanTenant, fmt.Sprint("t", i%3)))
		s.End()
	}
	require.Zero(t, e.Lost())
}

// TestRotation: no span is lost or cut when files change, old files go, and another
// program's files stay.
func TestRotation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "spans.jsonl")
	other := filepath.Join(dir, "spans-other.jsonl")
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	now := time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC)
	f, err := OpenFile(path, &FileOptions{MaxBytes: 2000, Keep: -1, Sync: SyncWrite, Now: func() time.Time { return now }}) // the clock does not move
	require.NoError(t, err)
	write(t, f, 100)
	require.NoError(t, f.Err())
	require.NoError(t, f.Close())
	require.NoError(t, f.Close())
	_, err = f.Write([]byte("x\n"))
	require.Error(t, err)
	full, err := fullFiles(path)
	require.NoError(t, err)
	require.Greater(t, len(full), 10)
	totals, err := Sum(ReadFile(path), ByTenant)
	require.NoError(t, err)
	require.Len(t, totals, 3)
	require.Equal(t, int64(34*7), totals[0].PicoUSD)
	require.Equal(t, 100, totals[0].Calls+totals[1].Calls+totals[2].Calls)

	f, err = OpenFile(path, &FileOptions{MaxAge: time.Hour, Keep: 2, Now: func() time.Time { return now }})
	require.NoError(t, err)
	write(t, f, 1)
	now = now.Add(time.Hour)
	write(t, f, 1)
	require.NoError(t, f.Close())
	full, err = fullFiles(path)
	require.NoError(t, err)
	require.Len(t, full, 2)
	require.FileExists(t, other)
	_, err = OpenFile("", nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = OpenFile(path, &FileOptions{MaxBytes: -1})
	require.ErrorIs(t, err, ErrOption)
	for _, err := range ReadFile(filepath.Join(dir, "none.jsonl")) {
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

// TestACrashCutsOneLine: at any byte, all whole lines before and all lines after the
// restart are read.
func TestACrashCutsOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.jsonl")
	f, err := OpenFile(path, nil)
	require.NoError(t, err)
	write(t, f, 2)
	require.NoError(t, f.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	first := strings.IndexByte(string(whole), '\n') + 1
	for cut := first; cut < len(whole); cut += 31 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		f, err := OpenFile(path, nil)
		require.NoError(t, err)
		write(t, f, 1)
		require.NoError(t, f.Close())
		good, bad := 0, 0
		for _, err := range ReadFile(path) {
			if err != nil {
				bad++
			} else {
				good++
			}
		}
		require.Equal(t, 2, good, "cut at %d", cut)
		require.LessOrEqual(t, bad, 1)
	}
}

func TestARotationThatFailsLosesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	require.NoError(t, os.Mkdir(dir, 0o700))
	f, err := OpenFile(filepath.Join(dir, "s.jsonl"), &FileOptions{MaxBytes: 10})
	require.NoError(t, err)
	_, err = f.Write([]byte("{}\n"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(dir, dir+"2")) // the path is gone
	_, err = f.Write([]byte(`{"name":"long enough"}` + "\n"))
	require.Error(t, err)
	require.ErrorIs(t, f.Err(), os.ErrNotExist)
	require.NoError(t, os.Rename(dir+"2", dir))
	_, err = f.Write([]byte("{}\n"))
	require.NoError(t, err, "it goes on when the path is back")
	data, err := os.ReadFile(filepath.Join(dir, "s.jsonl"))
	require.NoError(t, err)
	require.Equal(t, "{}\n{}\n", string(data))
	require.NoError(t, f.Close())
}

func ExampleSum() {
	file := strings.NewReader(lines(
		`{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"acme","prodai.cost.pico_usd":151200000}}`,
		`{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"acme","error.type":"429"},"status":"Error"}`,
		`{"attributes":{"gen_ai.operation.name":"chat","prodai.tenant":"umbra","prodai.cost.pico_usd":228000000}}`))
	totals, err := Sum(Records(file), ByTenant)
	for _, t := range totals {
		fmt.Println(t.Key, t.Calls, t.Failed, t.Unpriced, t.PicoUSD)
	}
	fmt.Println(err)
	// Output:
	// umbra 1 0 0 228000000
	// acme 2 1 1 151200000
	// <nil>
}

func FuzzTraces(f *testing.F) {
	f.Add("a,b;b,a;c,c;d,")
	f.Fuzz(func(t *testing.T, edges string) {
		var records []Record
		for i, e := range strings.Split(edges, ";") {
			id, parent, _ := strings.Cut(e, ",")
			records = append(records, node("t", id, parent, len(edges)-i))
		}
		n := 0
		for _, tr := range Traces(records) {
			n += len(tr.Waterfall())
		}
		require.Equal(t, len(records), n)
	})
}
