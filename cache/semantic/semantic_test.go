package semantic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
)

// table embeds the texts that it has, and every other text by the fallback.
type table struct {
	vectors  map[string][]float32
	fallback []float32
	err      error
}

func (e table) EmbedQuery(_ context.Context, text string) ([]float32, error) {
	if v, ok := e.vectors[text]; ok {
		return v, e.err
	}
	return e.fallback, e.err
}

func (e table) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		v, err := e.EmbedQuery(ctx, t)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// one gives all texts the same vector, so that only the guard and the scope decide.
var one = table{fallback: []float32{1, 0}}

// echo answers with the number of the call.
type echo struct {
	mu    sync.Mutex
	calls int
}

func (e *echo) GenerateContent(ctx context.Context, _ []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: fmt.Sprint(e.calls), ReasoningContent: "why", StopReason: "stop",
		GenerationInfo: map[string]any{"PromptTokens": 7, "CompletionTokens": 3}}}}, nil
}

func (e *echo) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, e, prompt, options...)
}

func ask(t *testing.T, m *Model, text string) string {
	t.Helper()
	r, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, text)})
	require.NoError(t, err)
	return r.Choices[0].Content
}

func TestModelKeepsTheContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := New(next, one, .9, nil)
		require.NoError(tb, err)
		return m
	}, &modeltest.Options{MayCache: true})
}

func TestOptions(t *testing.T) {
	for _, threshold := range []float64{0, -1, 1.1, math.NaN(), math.Inf(1)} {
		_, err := New(&echo{}, one, threshold, nil)
		require.ErrorIs(t, err, ErrOption, threshold)
	}
	_, err := New(nil, one, .9, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(&echo{}, nil, .9, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(&echo{}, one, .9, &Options{MaxEntries: -1})
	require.ErrorIs(t, err, ErrOption)
}

func TestSimilarQuestion(t *testing.T) {
	m, err := New(&echo{}, one, .9, nil)
	require.NoError(t, err)
	require.Equal(t, "1", ask(t, m, "How do I reset my password?"))
	require.Equal(t, "1", ask(t, m, "how can I reset the password"))
	require.Equal(t, "2", ask(t, m, "How do I reset my password 2?"), "a number")
	require.Equal(t, Stats{Hits: 1, Misses: 2, Refused: 1, Stored: 2, TokensSaved: 10}, m.Stats())

	var streamed []string
	r, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "how can I reset password")},
		llms.WithStreamingFunc(func(_ context.Context, b []byte) error { streamed = append(streamed, string(b)); return nil }))
	require.NoError(t, err)
	require.Equal(t, []string{"1"}, streamed)
	require.True(t, usage.Cached(r))
	r.Choices[0].Content = "mutated"
	require.Equal(t, "1", ask(t, m, "how can I reset the password"), "callers must not share memory with the store")
}

func TestThreshold(t *testing.T) {
	e := table{vectors: map[string][]float32{"How big is it?": {1, 0}, "how big": {.9, float32(math.Sqrt(1 - .81))}}}
	for threshold, want := range map[float64]string{.89: "1", .91: "2"} {
		m, err := New(&echo{}, e, threshold, nil)
		require.NoError(t, err)
		ask(t, m, "How big is it?")
		require.Equal(t, want, ask(t, m, "how big"), threshold)
	}
}

// Only the last turn is compared: everything else must be equal.
func TestScope(t *testing.T) {
	talk := func(before, last string) []llms.MessageContent {
		return []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeSystem, before), llms.TextParts(llms.ChatMessageTypeHuman, last)}
	}
	m, err := New(&echo{}, one, .9, nil)
	require.NoError(t, err)
	get := func(messages []llms.MessageContent, o ...llms.CallOption) string {
		r, err := m.GenerateContent(t.Context(), messages, o...)
		require.NoError(t, err)
		return r.Choices[0].Content
	}
	require.Equal(t, "1", get(talk("cats", "how big are they")))
	require.Equal(t, "1", get(talk("cats", "how big are they?")))
	require.Equal(t, "2", get(talk("dogs", "how big are they")), "another conversation")
	require.Equal(t, "3", get(talk("cats", "how big are they"), llms.WithModel("x")), "another model")
	require.Equal(t, "4", get(talk("cats", "how big are they"), llms.WithMaxTokens(5)), "another option")
	require.Equal(t, "5", get(talk("cats", "how big are they"), llms.WithTemperature(.7)), "sampled")
	require.Equal(t, "6", get(talk("cats", "how big are they"), llms.WithTemperature(.7)), "sampled again")
	require.Equal(t, "7", get(talk("cats", strings.Repeat("how big ", 100))), "too long")
	image := []llms.MessageContent{{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("how big"), llms.ImageURLPart("x")}}}
	require.Equal(t, "8", get(image))
	require.Equal(t, "9", get(image))
	require.EqualValues(t, 5, m.Stats().Bypassed)
}

type tenantKey struct{}

// Random questions of random tenants: an answer never crosses a tenant, even though all
// questions have the same vector and no guard looks at them.
func TestTenantsNeverMeet(t *testing.T) {
	next := &echo{}
	m, err := New(next, one, .01, &Options{
		Guard: func(string, string) string { return "" }, MaxEntries: 5,
		Tenant: func(ctx context.Context) string { s, _ := ctx.Value(tenantKey{}).(string); return s },
	})
	require.NoError(t, err)
	owner := map[string]string{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		tenant := strings.Repeat("a", random.IntN(9))
		ctx := context.WithValue(t.Context(), tenantKey{}, tenant)
		r, err := m.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, fmt.Sprint(random.IntN(20)))})
		require.NoError(t, err)
		answer := r.Choices[0].Content
		if usage.Cached(r) {
			require.Equal(t, owner[answer], tenant)
			require.NotEmpty(t, tenant)
		}
		owner[answer] = tenant
	}
	require.Positive(t, m.Stats().Hits)
	require.Equal(t, 5, m.Len())
	n, err := m.Delete(t.Context(), func(s Stored) bool { return s.Tenant != "" })
	require.NoError(t, err)
	require.Equal(t, 5, n)
	require.Zero(t, m.Len())
	require.Empty(t, m.o.Index.(*Scan).scopes, "vectors stay behind")
}

// An answer that is on its way while its user's answers are deleted isn't stored.
func TestDeleteReachesCallsInProgress(t *testing.T) {
	var m *Model
	erase := func(user string) int {
		n, err := m.Delete(t.Context(), func(s Stored) bool { return s.Attributes["user"] == user })
		require.NoError(t, err)
		return n
	}
	m, err := New(during(func() { erase("bob"); erase("ann") }), one, .9, &Options{
		Attributes: func(context.Context) map[string]string { return map[string]string{"user": "ann"} }})
	require.NoError(t, err)
	ask(t, m, "q")
	require.Zero(t, m.Len())
	require.Empty(t, m.asking)
	m.next = &echo{}
	ask(t, m, "q")
	require.Zero(t, erase("bob"))
	require.Equal(t, 1, erase("ann"))
}

// A during is a model that does something while it is asked.
type during func()

func (d during) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	d()
	return (&echo{}).GenerateContent(ctx, messages, options...)
}

func (d during) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

func TestExpiry(t *testing.T) {
	now := time.Unix(0, 0)
	m, err := New(&echo{}, one, .9, &Options{TTL: time.Minute, Now: func() time.Time { return now }})
	require.NoError(t, err)
	require.Equal(t, "1", ask(t, m, "how big"))
	now = now.Add(time.Minute - 1)
	require.Equal(t, "1", ask(t, m, "how big"))
	now = now.Add(1)
	require.Equal(t, "2", ask(t, m, "how big"))
	require.Equal(t, 1, m.Len())
}

func TestVerify(t *testing.T) {
	for want, verify := range map[string]func() (bool, error){
		"1": func() (bool, error) { return true, nil },
		"2": func() (bool, error) { return false, nil },
		"3": func() (bool, error) { return true, errors.New("down") },
	} {
		next := &echo{}
		m, err := New(next, one, .9, &Options{Verify: func(context.Context, string, string) (bool, error) { return verify() }})
		require.NoError(t, err)
		ask(t, m, "how big is a cat")
		if got := ask(t, m, "how big is the cat"); want == "1" {
			require.Equal(t, "1", got)
		} else {
			require.Equal(t, "2", got)
		}
	}
}

func TestShadow(t *testing.T) {
	var seen []Comparison
	m, err := New(&echo{}, one, .9, &Options{Shadow: func(_ context.Context, c Comparison) { seen = append(seen, c) }})
	require.NoError(t, err)
	require.Equal(t, "1", ask(t, m, "how big is a cat"))
	require.Equal(t, "2", ask(t, m, "how big is the cat"))
	require.Len(t, seen, 1)
	require.Equal(t, "1", seen[0].Answer.Choices[0].Content)
	require.Equal(t, "2", seen[0].Fresh.Choices[0].Content)
	require.Equal(t, "how big is a cat", seen[0].Stored)
	require.InDelta(t, 1, seen[0].Score, 1e-6)
	require.EqualValues(t, 1, m.Stats().Shadowed)
}

// An embedder that is down, or that returns no direction, never fails a call.
func TestEmbedderDown(t *testing.T) {
	for _, e := range []table{{err: errors.New("down")}, {fallback: []float32{0, 0}}, {fallback: []float32{float32(math.NaN())}}, {}} {
		m, err := New(&echo{}, e, .9, nil)
		require.NoError(t, err)
		require.Equal(t, "1", ask(t, m, "q"))
		require.Equal(t, "2", ask(t, m, "q"))
		require.Zero(t, m.Len())
	}
}

func TestConcurrent(t *testing.T) {
	m, err := New(&echo{}, one, .9, &Options{MaxEntries: 3, Guard: func(a, b string) string {
		if a != b {
			return "other"
		}
		return ""
	}})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 100 {
				_, _ = m.Call(t.Context(), fmt.Sprint((i*k)%7)) // only the races matter
				_, _ = m.Delete(t.Context(), func(s Stored) bool { return k%10 == 0 && s.Question == "1" })
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, m.Len(), 3)
	require.Equal(t, len(m.entries), len(m.byText))
}

type adversarial struct {
	Pair
	Wordllama float64 `json:"cos_wordllama256"`
	MiniLM    float64 `json:"cos_minilm"`
}

// At most one of the opposites passes the guard, whatever the cosine. The paraphrases
// that it refuses are counted too.
func TestGoldenAdversarial(t *testing.T) {
	wrong, opposites, lost, paraphrases := 0, 0, 0, 0
	golden.Rows(t, "cache", "semantic_adversarial.jsonl", func(row adversarial) error {
		why := Agree(row.A, row.B)
		if back := Agree(row.B, row.A); (back == "") != (why == "") {
			return fmt.Errorf("one way %q, back %q: %s", why, back, row.A)
		}
		switch {
		case row.Same:
			paraphrases++
			if why != "" {
				lost++
			}
		default:
			opposites++
			if why == "" {
				wrong++
				t.Logf("passes: %s | %s", row.A, row.B)
			}
		}
		return nil
	})
	t.Logf("%d of %d opposites pass; %d of %d paraphrases are refused", wrong, opposites, lost, paraphrases)
	require.LessOrEqual(t, wrong, 1)
	require.Less(t, 2*lost, paraphrases, "the guard refuses most paraphrases")
}

func TestAgree(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"how to reset my password", "How can I reset the password?", ""},
		{"Can I pay with PayPal?", "can i pay with paypal", ""},
		{"What isn't covered?", "What is covered?", "negation"},
		{"Can’t I cancel?", "Can I cancel?", "negation"},
		{"two tickets", "2 tickets", ""},
		{"two tickets", "three tickets", "numbers"},
		{"how to lock a file", "how to unlock a file", "opposites"},
		{"fly to Rome from Oslo", "fly to Oslo from Rome", "names"},
		{"convert python to java", "convert java to python", "order"},
		{"who beat alice", "who did alice beat", "roles"},
		{"delete my account", "delete my photo", "one word"},
		{"buy a ticket", "purchase a ticket", ""},
		{"who are gentiles", "where are gentiles from", "kind of question"},
		{"can I earn money online", "how can I earn money online", "kind of question"},
		{"can you tell me where it is", "where is it", ""},
		{"what is the address of it", "where is the address of it", ""},
		{"What is ethics?", "What is ethics? Why?", "parts"},
		{"", "", ""},
		{"\xff\xfe 1", "\xff\xfe 1", ""},
	} {
		require.Equal(t, c.want, Agree(c.a, c.b), "%q %q", c.a, c.b)
	}
}

func FuzzAgree(f *testing.F) {
	f.Add("How do I turn on dark mode?", "don’t")
	f.Fuzz(func(t *testing.T, a, b string) {
		if why := Agree(a, a); why != "" {
			t.Errorf("%q differs from itself: %s", a, why)
		}
		if (Agree(a, b) == "") != (Agree(b, a) == "") {
			t.Errorf("%q %q: the order matters", a, b)
		}
	})
}

// angles embeds "a<i>" and "b<i>" on an axis of their own, at a cosine apart.
func angles(cosines []float64) (table, []Pair) {
	e, pairs := table{vectors: map[string][]float32{}}, []Pair{}
	for i, c := range cosines {
		a, b := make([]float32, 2*len(cosines)), make([]float32, 2*len(cosines))
		a[2*i], b[2*i], b[2*i+1] = 1, float32(c), float32(math.Sqrt(1-c*c))
		p := Pair{A: fmt.Sprint("a", i), B: fmt.Sprint("b", i), Same: true}
		e.vectors[p.A], e.vectors[p.B] = a, b
		pairs = append(pairs, p)
	}
	return e, pairs
}

func TestEvaluate(t *testing.T) {
	e, pairs := angles([]float64{.995, .95, .91, .85, .5})
	pairs[1].Same = false
	ev, err := Evaluate(t.Context(), e, pairs, nil)
	require.NoError(t, err)
	r := ev.At(.9)
	require.Equal(t, []int{5, 4, 3, 2, 1}, []int{r.Questions, r.Answerable, r.Hits, r.Right, r.False()})
	require.InDelta(t, 2./3, r.Precision(), 1e-12)
	require.InDelta(t, .5, r.Recall(), 1e-12)
	require.InDelta(t, .6, r.HitRate(), 1e-12)
	// The Clopper-Pearson interval of 2 of 3, as SciPy's binomtest gives it.
	require.InDelta(t, .0942993, r.Low, 1e-6)
	require.InDelta(t, .9915962, r.High, 1e-6)
	require.True(t, math.IsNaN(ev.At(1.1).Precision()))

	guarded, err := Evaluate(t.Context(), e, pairs, func(asked, _ string) string {
		if asked == "b1" {
			return "no"
		}
		return ""
	})
	require.NoError(t, err)
	require.Zero(t, guarded.At(.9).False())
	require.Equal(t, 2, guarded.At(.9).Right)

	_, err = Evaluate(t.Context(), nil, pairs, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Evaluate(t.Context(), e, nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = Evaluate(t.Context(), table{err: errors.New("down")}, pairs, nil)
	require.ErrorContains(t, err, "down")
}

func TestCalibrate(t *testing.T) {
	var cosines []float64
	for i := range 240 {
		cosines = append(cosines, []float64{.93, .81}[i%2])
	}
	e, pairs := angles(cosines)
	for i := range pairs {
		pairs[i].Same = i%2 == 0 || i%4 == 1 // half of those at .81 are wrong
	}
	ev, err := Evaluate(t.Context(), e, pairs, nil)
	require.NoError(t, err)
	r, err := ev.Calibrate(.06, .95) // 120 hits without a wrong one, among 16 thresholds
	require.NoError(t, err)
	require.InDelta(t, .825, r.Threshold, 1e-9)
	require.Equal(t, 120, r.Hits)
	_, err = ev.Calibrate(.02, .95)
	require.ErrorIs(t, err, ErrNoThreshold)
	_, err = ev.Calibrate(math.NaN(), .95)
	require.ErrorIs(t, err, ErrOption)
	none, err := Evaluate(t.Context(), e, pairs[:20], nil)
	require.NoError(t, err)
	_, err = none.Calibrate(.1, .95)
	require.ErrorIs(t, err, ErrNoThreshold, "ten hits prove nothing")
}

// Scan gives the k nearest, whatever the order in which they were added.
func TestScan(t *testing.T) {
	s := NewScan()
	for i := range 50 {
		angle := float64((i*37)%50) / 50
		s.Add(cache.Key{1}, uint64((i*37)%50), []float32{float32(math.Cos(angle)), float32(math.Sin(angle))})
	}
	s.Add(cache.Key{2}, 99, []float32{1, 0})
	s.Add(cache.Key{1}, 98, []float32{1, 0, 0})
	var ids []uint64
	for _, m := range s.Nearest(cache.Key{1}, []float32{1, 0}, 3) {
		ids = append(ids, m.ID)
	}
	require.Equal(t, []uint64{0, 1, 2}, ids)
	require.Empty(t, s.Nearest(cache.Key{1}, []float32{1, 0}, 0))
}
