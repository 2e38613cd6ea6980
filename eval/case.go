package eval

import (
	"time"
)

// A Kind is what a case is in the dataset for. Default: [KindGolden].
type Kind string

// The kinds of a case. A suite reports them apart, since they answer different
// questions: a system that got better on golden cases and fails a regression case
// got worse.
const (
	KindGolden      Kind = "golden"      // what users ask, with a checked answer
	KindAdversarial Kind = "adversarial" // made to break the system
	KindRegression  Kind = "regression"  // a bug that was fixed once and must stay fixed
	KindEdge        Kind = "edge"        // unusual but possible input: empty, huge, another script, malformed
)

// kinds lists the kinds in the order reports show them.
var kinds = []Kind{KindGolden, KindAdversarial, KindRegression, KindEdge}

// Valid reports whether k is one of the four kinds.
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
	Calls      []Call            `json:"calls,omitempty"`      // the expected tool calls, in order
	Context    []string          `json:"context,omitempty"`    // passages that the answer may rest on
	Tags       map[string]string `json:"tags,omitempty"`       // slices to report by: language, topic, source
}

// An Output is what the system under test produced for a case, with its latency,
// tokens and cost.
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
	CostPicoUSD  int64         `json:"cost_pico_usd,omitempty"` // 0 means unknown, unless CostKnown is set
	CostKnown    bool          `json:"cost_known,omitempty"`    // CostPicoUSD is the cost, also where it is 0: a local model, a cache
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
