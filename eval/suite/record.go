package suite

import "github.com/prodailabs/prodai/eval"

// A Record has all that a run knows about one case. It is a line of the journal.
type Record struct {
	Index   int          `json:"index"` // of the case in the dataset
	Case    *eval.Case   `json:"case"`
	Slices  []string     `json:"slices,omitempty"`
	Output  *eval.Output `json:"output,omitempty"`
	Error   string       `json:"error,omitempty"` // the system's
	Stack   string       `json:"stack,omitempty"` // of the system's panic
	Results []Result     `json:"results,omitempty"`
}

// A Result is what one metric measured on one case. Exactly one of Stats,
// Skipped and Failed is set.
type Result struct {
	Metric  string    `json:"metric"` // Signature.Name
	Stats   []float64 `json:"stats,omitempty"`
	Value   float64   `json:"value"` // of this case alone
	Skipped string    `json:"skipped,omitempty"`
	Failed  string    `json:"failed,omitempty"`
	Stack   string    `json:"stack,omitempty"` // of the metric's panic
}

// Scored reports whether the metric has a value for the case.
func (r *Result) Scored() bool { return r.Skipped == "" && r.Failed == "" }
