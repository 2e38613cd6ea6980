package flood

import "github.com/prodailabs/prodai/guard"

// window is how many bytes of a stream pass from one inspection to the next.
const window = 2 * minRepeat

// A scanner inspects a stream by overlapping windows. All that was written counts
// as decided, so nothing is held back; a finding covers what was written last.
type scanner struct {
	limits *Options
	buf    []byte // the end of the text, up to three windows
	n      int    // bytes written
	seen   int    // bytes written at the last inspection
}

func (s *scanner) Write(piece string) ([]guard.Finding, int, error) {
	from := s.n
	s.buf = append(s.buf, piece...)
	s.n += len(piece)
	if s.n-s.seen < window {
		return nil, s.n, nil
	}
	return s.inspect(from), s.n, nil
}

func (s *scanner) Close() ([]guard.Finding, error) {
	if s.n == s.seen {
		return nil, nil
	}
	return s.inspect(s.n), nil
}

func (s *scanner) inspect(from int) []guard.Finding {
	found := s.limits.find(string(s.buf))
	for i := range found {
		found[i].Start, found[i].End = from, s.n
	}
	s.seen = s.n
	s.buf = s.buf[max(0, len(s.buf)-2*window):]
	return found
}
