package llama

import (
	"strings"
	"unicode/utf8"
)

// A textStream turns tokens' bytes into chunks of whole characters that contain no stop
// word and no begin of one.
type textStream struct {
	stops []string
	held  string
	text  strings.Builder
	done  bool
	emit  func(chunk string) error
}

// push takes the bytes of a token. done is true afterwards if a stop word appeared.
func (s *textStream) push(bytes string) error {
	s.held += bytes
	cut := -1
	for _, w := range s.stops {
		if i := strings.Index(s.held, w); i >= 0 && (cut < 0 || i < cut) {
			cut = i
		}
	}
	if cut >= 0 {
		s.done = true
		out := s.held[:cut]
		s.held = ""
		return s.send(out)
	}
	keep := incomplete(s.held)
	for _, w := range s.stops {
		for n := min(len(w)-1, len(s.held)); n > keep; n-- {
			if strings.HasSuffix(s.held, w[:n]) {
				keep = n
				break
			}
		}
	}
	out := s.held[:len(s.held)-keep]
	s.held = s.held[len(s.held)-keep:]
	return s.send(out)
}

// flush sends what was held back.
func (s *textStream) flush() error {
	out := s.held
	s.held = ""
	return s.send(out)
}

func (s *textStream) send(chunk string) error {
	if chunk == "" {
		return nil
	}
	chunk = strings.ToValidUTF8(chunk, "\ufffd")
	s.text.WriteString(chunk)
	if s.emit == nil {
		return nil
	}
	return s.emit(chunk)
}

// incomplete returns how many bytes at the end are the begin of a character.
func incomplete(s string) int {
	for n := 1; n < utf8.UTFMax && n <= len(s); n++ {
		if c := s[len(s)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRuneInString(s[len(s)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
