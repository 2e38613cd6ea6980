package rag

import (
	"context"
	"fmt"
	"math"
	"strings"
	"unicode"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/internal/sentence"
)

// OfflineOptions are the settings of [NewOffline]; nil means the defaults.
type OfflineOptions struct {
	// Embedder compares sentences by the cosine of their vectors. Default: nil,
	// sentences are compared by the words that they share.
	Embedder embeddings.Embedder
	// Cut is the support from which a sentence counts as supported. Default: 0.6 for
	// words, 0.7 for vectors.
	Cut float64
}

// An Offline computes rough forms of the RAG metrics without a model: by shared
// words, or by vectors. Sentences take the place of statements, and "shares words
// with" takes the place of "is supported by". So it doesn't see a negation, and
// doesn't know a synonym. The notes show how well it correlates with a model's
// verdicts. Use it where a lab or a test must run without a model, and don't report
// its numbers under the names of the others. It is safe for concurrent use if its
// embedder is.
type Offline struct{ o OfflineOptions }

// NewOffline returns the offline metrics.
func NewOffline(o *OfflineOptions) (*Offline, error) {
	f := &Offline{}
	if o != nil {
		f.o = *o
	}
	if f.o.Cut == 0 {
		f.o.Cut = 0.6
		if f.o.Embedder != nil {
			f.o.Cut = 0.7
		}
	}
	if !(f.o.Cut > 0 && f.o.Cut <= 1) {
		return nil, fmt.Errorf("%w: OfflineOptions.Cut is %v: want above 0 and at most 1", ErrOption, f.o.Cut)
	}
	return f, nil
}

func (f *Offline) result(metric string) Result {
	kind := "words"
	if f.o.Embedder != nil {
		kind = "vectors"
	}
	return Result{Metric: "offline_" + metric, Judge: judge.Version{Model: "offline-" + kind, Prompt: fmt.Sprint("1/", f.o.Cut)}}
}

func (f *Offline) done(r Result, score float64, err error) (Result, error) {
	if err != nil {
		return r, fmt.Errorf("rag: %s: %w", r.Metric, err)
	}
	r.Outcome, r.Score = judge.OutcomeScored, score
	return r, nil
}

// Faithfulness is the share of the answer's sentences that a sentence of the passages,
// or two in a row, supports. A number that the passages don't have is not supported.
func (f *Offline) Faithfulness(ctx context.Context, item judge.Item) (Result, error) {
	r := f.result("faithfulness")
	err := need(item, "Output", "Context")
	if err == nil {
		r.Verdicts, err = f.supported(ctx, item.Output, item.Context)
	}
	if err != nil {
		return f.done(r, 0, err)
	}
	score, err := judge.Faithfulness(oks(r.Verdicts))
	return f.done(r, score, err)
}

// ContextRecall is the share of the reference's sentences that the passages support.
func (f *Offline) ContextRecall(ctx context.Context, item judge.Item) (Result, error) {
	r := f.result("context_recall")
	err := need(item, "Reference", "Context")
	if err == nil {
		r.Verdicts, err = f.supported(ctx, item.Reference, item.Context)
	}
	if err != nil {
		return f.done(r, 0, err)
	}
	score, err := judge.ContextRecall(oks(r.Verdicts))
	return f.done(r, score, err)
}

// ContextPrecision counts a passage as useful if it supports a sentence of the
// reference.
func (f *Offline) ContextPrecision(ctx context.Context, item judge.Item) (Result, error) {
	r := f.result("context_precision")
	if err := need(item, "Reference", "Context"); err != nil {
		return f.done(r, 0, err)
	}
	for _, p := range item.Context {
		found, err := f.supported(ctx, item.Reference, []string{p})
		if err != nil {
			return f.done(r, 0, err)
		}
		v := Verdict{Text: p}
		for _, s := range found {
			v.OK = v.OK || s.OK
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	return f.done(r, judge.ContextPrecision(oks(r.Verdicts)), nil)
}

// FactualCorrectness is the F1 over sentences: those of the answer that the reference
// supports, and the reverse.
func (f *Offline) FactualCorrectness(ctx context.Context, item judge.Item) (Result, error) {
	r := f.result("factual_correctness")
	if err := need(item, "Output", "Reference"); err != nil {
		return f.done(r, 0, err)
	}
	right, err := f.supported(ctx, item.Output, []string{item.Reference})
	if err != nil {
		return f.done(r, 0, err)
	}
	found, err := f.supported(ctx, item.Reference, []string{item.Output})
	if err != nil {
		return f.done(r, 0, err)
	}
	r.Verdicts = append(right, found...)
	var c judge.Claims
	for _, v := range right {
		if v.OK {
			c.TruePositive++
		} else {
			c.FalsePositive++
		}
	}
	for _, v := range found {
		if !v.OK {
			c.FalseNegative++
		}
	}
	score, err := judge.FactualCorrectness(c, 1)
	return f.done(r, score, err)
}

// AnswerRelevancy is the share of the question's words that are in the answer, or the
// cosine of the two vectors.
func (f *Offline) AnswerRelevancy(ctx context.Context, item judge.Item) (Result, error) {
	r := f.result("answer_relevancy")
	if err := need(item, "Input", "Output"); err != nil {
		return f.done(r, 0, err)
	}
	if f.o.Embedder != nil {
		score, err := similarity(ctx, f.o.Embedder, judge.Item{Output: item.Output, Reference: item.Input})
		return f.done(r, score, err)
	}
	question := content(item.Input)
	if len(question) == 0 {
		return f.done(r, 0, fmt.Errorf("%w: the question has no word but function words", ErrUndefined))
	}
	return f.done(r, share(question, content(item.Output)), nil)
}

// supported looks for each sentence of a text in the sources.
func (f *Offline) supported(ctx context.Context, text string, sources []string) ([]Verdict, error) {
	claims := sentences(text)
	var evidence []string
	for _, s := range sources {
		parts := sentences(s)
		evidence = append(evidence, parts...)
		for i := range len(parts) - 1 {
			evidence = append(evidence, parts[i]+" "+parts[i+1])
		}
	}
	out := make([]Verdict, len(claims))
	if f.o.Embedder != nil {
		return out, f.bySimilarity(ctx, claims, evidence, out)
	}
	bags := make([]map[string]bool, len(evidence))
	for i, e := range evidence {
		bags[i] = content(e)
	}
	for i, c := range claims {
		words, best := content(c), 0.0
		for _, b := range bags {
			if numbersIn(words, b) && (!negated(words) || negated(b)) {
				best = max(best, share(words, b))
			}
		}
		out[i] = Verdict{Text: c, OK: best >= f.o.Cut, Reason: fmt.Sprintf("%.2f of its words", best)}
	}
	return out, nil
}

func (f *Offline) bySimilarity(ctx context.Context, claims, evidence []string, out []Verdict) error {
	if len(claims) == 0 || len(evidence) == 0 {
		return nil
	}
	vectors, err := vectorsOf(ctx, f.o.Embedder, append(append([]string(nil), claims...), evidence...))
	if err != nil {
		return err
	}
	for i, c := range claims {
		best := math.Inf(-1)
		for _, v := range vectors[len(claims):] {
			cos, err := cosine(vectors[i], v)
			if err != nil {
				return err
			}
			best = max(best, cos)
		}
		out[i] = Verdict{Text: c, OK: best >= f.o.Cut, Reason: fmt.Sprintf("cosine %.2f", best)}
	}
	return nil
}

func sentences(text string) []string {
	var out []string
	for _, s := range sentence.Split(text) {
		if t := text[s.Start:s.End]; len(content(t)) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// functionWords carry no content in an English sentence.
var functionWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields("a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it its may me my of on or our she should so than that the their them then there these they this those to was we were what when where which who why will with would you your") {
		out[w] = true
	}
	return out
}()

// content returns the stems of a text's content words, and its numbers.
func content(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '.' && r != '\''
	}) {
		w = strings.Trim(w, ".'")
		w = strings.TrimSuffix(w, "'s")
		if w != "" && !functionWords[w] {
			out[eval.PorterStem(w, eval.PorterNLTK)] = true
		}
	}
	return out
}

func share(words, in map[string]bool) float64 {
	n := 0.0
	for w := range words {
		if in[w] {
			n++
		}
	}
	return n / float64(max(len(words), 1))
}

func negated(words map[string]bool) bool {
	for _, w := range []string{"not", "never", "no", "cannot", "without", "isn't", "aren't", "doesn't", "don't", "can't", "won't"} {
		if words[w] {
			return true
		}
	}
	return false
}

// numbersIn reports whether each number among the words is in the evidence.
func numbersIn(words, evidence map[string]bool) bool {
	for w := range words {
		if unicode.IsDigit([]rune(w)[0]) && !evidence[w] {
			return false
		}
	}
	return true
}

func vectorsOf(ctx context.Context, e embeddings.Embedder, texts []string) ([][]float32, error) {
	vectors, err := e.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	if len(vectors) != len(texts) {
		return nil, fmt.Errorf("embed: %d vectors for %d texts", len(vectors), len(texts))
	}
	return vectors, nil
}

func similarity(ctx context.Context, e embeddings.Embedder, item judge.Item) (float64, error) {
	if err := need(item, "Output", "Reference"); err != nil {
		return 0, err
	}
	v, err := vectorsOf(ctx, e, []string{item.Output, item.Reference})
	if err != nil {
		return 0, err
	}
	return cosine(v[0], v[1])
}

func cosine(a, b []float32) (float64, error) {
	return judge.AnswerRelevancy(a, [][]float32{b}, []bool{false})
}

// ContextRecallOf is RAGAS's context recall without a model: the share of the
// reference passages that a retrieved passage is like, by [eval.LevenshteinSimilarity]
// above 0.5. It needs the passages that should have been found, and no answer.
func ContextRecallOf(retrieved, reference []string) (float64, error) {
	found := make([]bool, len(reference))
	for i, want := range reference {
		for _, got := range retrieved {
			found[i] = found[i] || eval.LevenshteinSimilarity(got, want) > 0.5
		}
	}
	return judge.ContextRecall(found)
}

// ContextPrecisionOf is RAGAS's context precision without a model: a retrieved
// passage is useful if a reference passage is like it, from 0.5 on.
func ContextPrecisionOf(retrieved, reference []string) float64 {
	useful := make([]bool, len(retrieved))
	for k, got := range retrieved {
		for _, want := range reference {
			useful[k] = useful[k] || eval.LevenshteinSimilarity(got, want) >= 0.5
		}
	}
	return judge.ContextPrecision(useful)
}
