package guard

import "context"

// A finding is a finding of another package: the same fields under another name,
// such as detect.Finding of guard/detect. It spares the detectors this import.
type finding interface {
	~struct {
		Kind    string
		Start   int
		End     int
		Score   float64
		Reason  string
		Threats []string
	}
}

// FindWith makes a [Check].Find of a detector's function: the Find of guard/pii's
// and guard/secret's detectors, and of guard/injection's.
func FindWith[F finding](find func(text string) []F) func(context.Context, string) ([]Finding, error) {
	return func(_ context.Context, text string) ([]Finding, error) {
		var all []Finding
		for _, f := range find(text) {
			all = append(all, Finding(f))
		}
		return all, nil
	}
}

// A Stream redacts a text that comes in pieces, as detect.Stream does. A check
// needs only what it finds and how much it holds back.
type Stream interface {
	Write(piece string) string
	Close() string
	Held() int // bytes that aren't decided
}

// ScanWith makes a [Check].Scan of a detector's stream:
//
//	guard.ScanWith(func(found func(detect.Finding)) guard.Stream {
//		return detector.Stream(detect.Label).OnFinding(found)
//	})
func ScanWith[F finding](start func(found func(F)) Stream) func(context.Context) Scanner {
	return func(context.Context) Scanner {
		s := &streamScanner[F]{}
		s.stream = start(func(f F) { s.found = append(s.found, Finding(f)) })
		return s
	}
}

type streamScanner[F finding] struct {
	stream Stream
	found  []Finding
	n      int
}

func (s *streamScanner[F]) Write(piece string) ([]Finding, int, error) {
	s.found = nil
	s.n += len(piece)
	s.stream.Write(piece)
	return s.found, s.n - s.stream.Held(), nil
}

func (s *streamScanner[F]) Close() ([]Finding, error) {
	s.found = nil
	s.stream.Close()
	return s.found, nil
}
