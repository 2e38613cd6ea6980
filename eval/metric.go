package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// A Metric measures what a system produced against what was wanted, through
// sufficient statistics: numbers per segment that add up. The value of a
// corpus is a function of their sum, so that a loop, a stream, shards that are
// merged, a bootstrap that resamples segments and a permutation test that
// swaps them are all the same code:
//
//	value = m.Value(Σ stats of the segments)
//
// BLEU's statistics are lengths and n-gram counts; those of a metric that is a
// mean of per-segment scores are the score and a one. Corpus BLEU is not the
// mean of sentence BLEUs, and this is why the interface has two methods where
// a naive one would have a single Score.
//
// An implementation is safe for concurrent use.
type Metric interface {
	// Signature names the metric and every choice that changes its value.
	Signature() Signature
	// Width is the number of statistics of a segment, at least 1.
	Width() int
	// Stats writes the statistics of one segment to dst, which has length
	// Width. A [SkipError] says that the metric doesn't apply to the case; it
	// is then neither passed nor failed.
	Stats(ctx context.Context, c *Case, o *Output, dst []float64) error
	// Value turns a sum of statistics into the metric's value. The sum of no
	// segment is all zeros; its value is defined, never NaN, unless the
	// metric's comment says otherwise.
	Value(sum []float64) float64
}

// A Kind says what a case is in the dataset for.
type Kind string

// The kinds of a case. A suite reports them apart, since they answer different
// questions: a system that gained on golden cases and lost a regression case
// got worse.
const (
	Golden      Kind = "golden"      // what users ask, with the answer wanted
	Adversarial Kind = "adversarial" // made to break the system
	Regression  Kind = "regression"  // a bug that was fixed once and must stay fixed
	Edge        Kind = "edge"        // empty, huge, foreign, malformed: the rim of the input space
)

// kinds lists the kinds in the order reports show them.
var kinds = []Kind{Golden, Adversarial, Regression, Edge}

// Valid says whether k is one of the four kinds.
func (k Kind) Valid() bool {
	for _, known := range kinds {
		if k == known {
			return true
		}
	}
	return false
}

// A Case is one row of a dataset: an input and what a good answer looks like.
// Which fields are filled depends on the metrics that will read it.
type Case struct {
	ID         string            `json:"id,omitempty"`         // stable name; dataset.ID derives one from the content
	Kind       Kind              `json:"kind,omitempty"`       // empty means golden
	Input      string            `json:"input"`                // what the system is asked
	References []string          `json:"references,omitempty"` // acceptable answers; a label or a JSON value is a reference too
	Relevant   map[string]int    `json:"relevant,omitempty"`   // judged documents: id -> grade, 0 or less is not relevant
	Calls      []Call            `json:"calls,omitempty"`      // the tool calls wanted, in order
	Context    []string          `json:"context,omitempty"`    // passages that the answer may rest on
	Tags       map[string]string `json:"tags,omitempty"`       // slices to report by: language, topic, source
}

// An Output is what the system under test produced for a case, and what it
// took.
type Output struct {
	Text         string        `json:"text"`
	Retrieved    []Retrieved   `json:"retrieved,omitempty"` // documents with scores, in any order
	Calls        []Call        `json:"calls,omitempty"`     // tool calls made, in order
	Samples      []string      `json:"samples,omitempty"`   // further answers to the same input, for pass@k and diversity
	LogProbs     []float64     `json:"logprobs,omitempty"`  // natural logs, one a token of Text
	Confidence   *float64      `json:"confidence,omitempty"`
	Latency      time.Duration `json:"latency,omitempty"` // the runner fills it when it is zero
	InputTokens  int64         `json:"input_tokens,omitempty"`
	OutputTokens int64         `json:"output_tokens,omitempty"`
	CostPicoUSD  int64         `json:"cost_pico_usd,omitempty"`
}

// A Call is a tool call: the tool's name and its arguments as JSON text.
type Call struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments,omitempty"`
}

// A Retrieved is a document that a retriever returned.
type Retrieved struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

// Errors that callers branch on. They come wrapped with what was wrong and
// where.
var (
	ErrNoReferences = errors.New("eval: no references")
	ErrLengths      = errors.New("eval: lengths differ")
	ErrEmpty        = errors.New("eval: no segments")
	ErrInvalidUTF8  = errors.New("eval: text is not valid UTF-8")
	ErrNotFinite    = errors.New("eval: number is NaN or infinite")
	ErrOption       = errors.New("eval: invalid option")
	ErrSignature    = errors.New("eval: signatures differ")
	ErrCase         = errors.New("eval: invalid case")
	ErrDuplicate    = errors.New("eval: duplicate")
)

// A SkipError says that a metric doesn't apply to a case: no references, no
// ranking, no confidence. The runner counts it apart from scores, because a
// check that didn't run must never look like one that passed.
type SkipError struct {
	Reason string
	Err    error // one of the package's errors, or nil
}

func (e *SkipError) Error() string { return "eval: skipped: " + e.Reason }
func (e *SkipError) Unwrap() error { return e.Err }

func skip(reason string) error { return &SkipError{Reason: reason} }

var errNoReferences = &SkipError{Reason: "the case has no references", Err: ErrNoReferences}

// checkTexts refuses what no reference implementation defines: text that is no
// text. (Python's strings can't hold it.)
func checkTexts(hyp string, refs []string) error {
	if !utf8.ValidString(hyp) {
		return fmt.Errorf("%w: the output %.20q", ErrInvalidUTF8, hyp)
	}
	if len(refs) == 0 {
		return errNoReferences
	}
	for i, r := range refs {
		if !utf8.ValidString(r) {
			return fmt.Errorf("%w: reference %d, %.20q", ErrInvalidUTF8, i, r)
		}
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// A mean is a metric whose corpus value is the mean of its segments' values.
type mean struct {
	sig   Signature
	value func(ctx context.Context, c *Case, o *Output) (float64, error)
}

// NewMean returns the metric whose value is the mean of f over the segments:
// the shortest way to a metric of one's own. f returns an error made by [Skip]
// where it doesn't apply.
func NewMean(sig Signature, f func(ctx context.Context, c *Case, o *Output) (float64, error)) (Metric, error) {
	if sig.Metric == "" || f == nil {
		return nil, fmt.Errorf("%w: a metric needs a name and a function", ErrOption)
	}
	return &mean{sig, f}, nil
}

// Skip returns the [SkipError] with this reason.
func Skip(reason string) error { return skip(reason) }

func (m *mean) Signature() Signature { return m.sig }
func (m *mean) Width() int           { return 2 }

func (m *mean) Stats(ctx context.Context, c *Case, o *Output, dst []float64) error {
	v, err := m.value(ctx, c, o)
	if err != nil {
		return err
	}
	if !finite(v) {
		return fmt.Errorf("%w: %s gave %v", ErrNotFinite, m.sig.Metric, v)
	}
	dst[0], dst[1] = v, 1
	return nil
}

func (m *mean) Value(sum []float64) float64 { return ratio(sum[0], sum[1]) }

// ratio is a/b, and 0 for an empty denominator: the convention of every
// reference implementation here.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
