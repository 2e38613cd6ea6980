package embed

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/race"
)

var _ embeddings.Embedder = (*Embedder)(nil)

func model(t testing.TB) *Embedder {
	t.Helper()
	e, err := New()
	require.NoError(t, err)
	return e
}

func dot(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// TestGoldenVectors: the tokens of all rows, and the vectors of those that name this
// model. Rows without a name are of the table that shipped before.
func TestGoldenVectors(t *testing.T) {
	e := model(t)
	compared := 0
	golden.Rows(t, "static-en", "golden.jsonl", func(row struct {
		Model  string
		Text   string
		IDs    []int32
		Vector []float32
	}) error {
		if ids := e.vocab.AppendIDs(nil, row.Text); fmt.Sprint(ids) != fmt.Sprint(row.IDs) {
			return fmt.Errorf("%q: ids %v, want %v", row.Text, ids, row.IDs)
		}
		if row.Model != e.Name() {
			return nil
		}
		compared++
		got, err := e.EmbedQuery(t.Context(), row.Text)
		if err != nil {
			return err
		}
		cosine := dot(got, row.Vector)
		if dot(row.Vector, row.Vector) == 0 && dot(got, got) == 0 {
			cosine = 1
		}
		if !(math.Abs(cosine-1) <= 1e-3) {
			return fmt.Errorf("%q: cosine %v with the reference", row.Text, cosine)
		}
		return nil
	})
	if os.Getenv(golden.Env) == "" {
		require.Equal(t, 30, compared)
	}
}

// slow is the definition, in float64 and without optimizations.
func slow(e *Embedder, text string) []float64 {
	sum := make([]float64, e.dim)
	n := 0
	for _, id := range e.vocab.AppendIDs(nil, text) {
		if id == e.vocab.UnknownID() {
			continue
		}
		n++
		for i := range sum {
			sum[i] += float64(int8(e.rows[int(id)*e.dim+i])) * float64(e.scales[id])
		}
	}
	var length float64
	for i := range sum {
		if n > 0 {
			sum[i] /= float64(n)
		}
		length += sum[i] * sum[i]
	}
	if length > 0 {
		for i := range sum {
			sum[i] /= math.Sqrt(length)
		}
	}
	return sum
}

func FuzzAgainstTheDefinition(f *testing.F) {
	e := model(f)
	for _, s := range []string{"", "How do I rotate a key?", "返金は三十日以内です", "\xff\xfe", "[CLS] [UNK]", strings.Repeat("word ", 3000), "ᚠᛇᚻ", "🚀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, want := e.Append(nil, text), slow(e, text)
		for i := range want {
			if math.Abs(float64(got[i])-want[i]) > 1e-4 {
				t.Fatalf("dimension %d: got %v, want %v", i, got[i], want[i])
			}
		}
	})
}

func TestOddInput(t *testing.T) {
	e := model(t)
	zero := make([]float32, e.dim)
	for _, text := range []string{"", " \n", "\xff\xfe", "ᚠᛇᚻ"} { // nothing, blanks, no UTF-8, runes
		require.Equal(t, zero, e.Append(nil, text), "%q", text)
	}
	long := e.Append(nil, strings.Repeat("rotate the key. ", 100_000))
	require.InDelta(t, 1, dot(long, e.Append(nil, "rotate the key.")), 1e-4, "the mean of the same is the same")
	require.InDelta(t, 1, dot(e.Append(nil, "a\xffb key"), e.Append(nil, "ab key")), 1e-6)
	require.Empty(t, e.Append(nil, "x")[e.dim:])
}

func TestNoAllocationBesidesTheResult(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector makes sync.Pool forget on purpose")
	}
	e := model(t)
	dst := make([]float32, 0, e.dim)
	require.Zero(t, testing.AllocsPerRun(200, func() { e.Append(dst, "How do I rotate the API key of the gateway?") }))
	require.LessOrEqual(t, testing.AllocsPerRun(200, func() { _, _ = e.EmbedQuery(t.Context(), "How do I rotate it?") }), 1.0)
}

func TestContextAndConcurrency(t *testing.T) {
	e := model(t)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.EmbedDocuments(done, []string{"a"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = e.EmbedQuery(done, "a")
	require.ErrorIs(t, err, context.Canceled)
	want := e.Append(nil, "some words")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				got, err := e.EmbedDocuments(t.Context(), []string{"other", "some words"})
				require.NoError(t, err)
				require.Equal(t, want, got[1])
			}
		})
	}
	wg.Wait()
}

// file makes a safetensors file.
func file(header string, data int) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + strings.Repeat("\x01", data)
}

func TestLoadRefusesWhatDoesNotFit(t *testing.T) {
	vocab := "[UNK]\na\n"
	good := `{"embeddings":{"dtype":"I8","shape":[2,4],"data_offsets":[0,8]},"scales":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`
	e, err := Load(strings.NewReader(vocab), file(good, 16))
	require.NoError(t, err)
	require.Equal(t, 4, e.Dimensions())
	require.NotEqual(t, e.Name(), model(t).Name())
	for _, weights := range []string{
		"", "short", file("", 0), file(good, 15), file("{}", 0), file(`{"embeddings":7}`, 0),
		file(strings.Replace(good, "[2,4]", "[4,2]", 1), 16), file(strings.Replace(good, "[2,4]", "[8]", 1), 16),
		file(strings.Replace(good, "I8", "F64", 1), 16), file(strings.Replace(good, "[8,16]", "[16,8]", 1), 16),
		file(strings.Replace(good, "[2,4]", "[-2,-4]", 1), 16), file(strings.Replace(good, "[2,4]", "[4611686018427387904,8]", 1), 16),
		"\xff\xff\xff\xff\xff\xff\xff\xff{}",
	} {
		_, err := Load(strings.NewReader(vocab), weights)
		require.ErrorIs(t, err, ErrModel, "%q", weights)
	}
	_, err = Load(strings.NewReader("a\n"), file(good, 16))
	require.ErrorIs(t, err, ErrModel, "no unknown token")
}

func FuzzLoad(f *testing.F) {
	f.Add(file(`{"embeddings":{"dtype":"I8","shape":[2,4],"data_offsets":[0,8]},"scales":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}`, 16))
	f.Fuzz(func(t *testing.T, weights string) {
		e, err := Load(strings.NewReader("[UNK]\na\n"), weights)
		if err == nil {
			e.Append(nil, "a b")
		}
	})
}

// BenchmarkShortSentences prints sentences a second on one core.
func BenchmarkShortSentences(b *testing.B) {
	e := model(b)
	sentences := []string{"How do I rotate the API key?", "Refunds are issued within 30 days.", "The gateway timed out again.", "What does error E4502 mean?"}
	dst := make([]float32, 0, e.dim)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Append(dst, sentences[i%len(sentences)])
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sentences/s")
}

func ExampleEmbedder() {
	e, err := New()
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := e.EmbedDocuments(context.Background(), []string{
		"How do I get my money back?", "Refunds are issued within 30 days.", "The weather is fine today.",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Dimensions(), dot(v[0], v[1]) > dot(v[0], v[2]))
	// Output: 256 true
}
