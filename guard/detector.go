package guard

import (
	"context"

	"github.com/prodailabs/prodai/guard/detect"
)

// FindWith makes a [Check].Find of a function that returns the findings of a whole
// text, such as the Find method of guard/injection's Detector. For a
// [detect.Detector], [DetectorCheck] is better: it also checks streams. A nil
// function gives a nil Find, which [New] refuses.
func FindWith(find func(text string) []Finding) func(context.Context, string) ([]Finding, error) {
	if find == nil {
		return nil
	}
	return func(_ context.Context, text string) ([]Finding, error) { return find(text), nil }
}

// DetectorCheck returns a check for the values that a [detect.Detector] finds, such
// as those that guard/pii and guard/secret make. (guard/injection's Detector is of
// another type: use [FindWith].) On a stream it passes exactly what it would pass
// of the whole text. A detector that is nil or has no rules gives a
// check that [New] refuses.
func DetectorCheck(name string, d *detect.Detector, policy Policy) Check {
	if d == nil || d.MaxHold() == 0 {
		return Check{Name: name, Policy: policy}
	}
	return Check{
		Name: name, Policy: policy, Find: FindWith(d.Find),
		Scan: func(context.Context) Scanner {
			s := &detectorScanner{}
			s.stream = d.Stream(detect.Label).OnFinding(func(f Finding) { s.found = append(s.found, f) })
			return s
		},
	}
}

// A detectorScanner takes the findings of a detector's stream, and how much it
// holds back. The stream's own redaction is not used.
type detectorScanner struct {
	stream *detect.Stream
	found  []Finding
	n      int // bytes written
}

func (s *detectorScanner) Write(piece string) ([]Finding, int, error) {
	s.found = nil
	s.n += len(piece)
	s.stream.Write(piece)
	return s.found, s.n - s.stream.Held(), nil
}

func (s *detectorScanner) Close() ([]Finding, error) {
	s.found = nil
	s.stream.Close()
	return s.found, nil
}
