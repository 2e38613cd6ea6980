package monitor

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/prodailabs/prodai/trace/jsonl"
)

// A Judge scores an answer, for example with a model. Package trace does not import
// eval: pass a function that calls a judge of eval/judge.
type Judge func(ctx context.Context, t *jsonl.Trace) (float64, error)

// OnlineOptions are the settings of [NewOnline].
type OnlineOptions struct {
	// Share is the share of traces that are judged, above 0 to 1. Default: 0.05.
	Share float64
	// Name is the name of the scores. Default: "judge".
	Name string
}

// An Online evaluates a sample of the traffic with a judge, and puts the scores on a
// board. Whether a trace is in the sample depends on its id alone, so all servers
// agree on it. It is safe for concurrent use if the judge is.
type Online struct {
	board *Board
	judge Judge
	o     OnlineOptions

	mu     sync.Mutex
	failed int
}

// NewOnline fails with [ErrOption].
func NewOnline(board *Board, judge Judge, o *OnlineOptions) (*Online, error) {
	if board == nil || judge == nil {
		return nil, optionError("the board or the judge of NewOnline is nil")
	}
	e := &Online{board: board, judge: judge}
	if o != nil {
		e.o = *o
	}
	e.o.Share, e.o.Name = cmp.Or(e.o.Share, 0.05), cmp.Or(e.o.Name, "judge")
	if !(e.o.Share > 0 && e.o.Share <= 1) {
		return nil, optionError("OnlineOptions.Share is %v: want above 0, at most 1", e.o.Share)
	}
	return e, nil
}

// Consider judges the trace if it is in the sample, and reports whether it was judged.
// A judge that fails says nothing about the answer: its error is returned and counted
// by Failed, and no score is added.
func (e *Online) Consider(ctx context.Context, t *jsonl.Trace) (judged bool, err error) {
	if t == nil || !sampled(t.ID, e.o.Share) {
		return false, nil
	}
	v, err := e.judge(ctx, t)
	if err == nil {
		err = e.board.Score(Score{TraceID: t.ID, Name: e.o.Name, Value: v, At: t.End})
	}
	if err != nil {
		e.mu.Lock()
		e.failed++
		e.mu.Unlock()
		return false, fmt.Errorf("monitor: the judge of trace %s: %w", t.ID, err)
	}
	return true, nil
}

// Failed is how many judgments failed.
func (e *Online) Failed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.failed
}

// sampled hashes an id (FNV-1a with a final mix), so that ids that are not random are
// sampled evenly too.
func sampled(id string, share float64) bool {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return float64(h>>11)/(1<<53) < share
}
