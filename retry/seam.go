package retry

import (
	"strings"
	"unicode/utf8"
)

const (
	// seamWindow is how much of an answer's end is searched for the repetition, and so
	// how much of a continuation may be held back.
	seamWindow = 2 << 10
	// leastEcho is the shortest text that counts as a repetition where the engine
	// promised to continue exactly. A good continuation may repeat a little: "1" after
	// "1" makes eleven, and a table's rule goes on as it began. An engine that doesn't
	// continue repeats whole sentences.
	leastEcho = 32
	// anchorLength is about how much a model is asked to repeat.
	anchorLength = 60
)

// A seam is where a continuation is joined to what was said. Chunks go in as they
// come, and come out when the repetition, if there is one, has been cut off.
type seam struct {
	said   string // as the model was shown it
	unseen string // the rest of it, which the model was not shown: see shown
	anchor string // if not empty, what the continuation must repeat at least
	held   []byte
	open   bool // the seam has been passed
}

// newSeam returns the seam after what was said.
func newSeam(said string, anchored bool) *seam {
	s := &seam{said: shown(said)}
	s.unseen = said[len(s.said):]
	if anchored {
		s.anchor = anchorOf(s.said)
	}
	return s
}

const whitespace = " \t\r\n"

// shown returns the part of said that a model is shown. It leaves out the
// whitespace at the end, which Anthropic refuses and tokenizers join to the next
// word, and a character that was cut in two.
func shown(said string) string {
	last := len(said)
	for last > 0 && len(said)-last < utf8.UTFMax {
		if last--; utf8.RuneStart(said[last]) {
			break
		}
	}
	if !utf8.FullRuneInString(said[last:]) {
		said = said[:last]
	}
	return strings.TrimRight(said, whitespace)
}

// anchorOf returns the last words of said.
func anchorOf(said string) string {
	if len(said) <= anchorLength {
		return strings.TrimLeft(said, whitespace)
	}
	tail := said[len(said)-anchorLength:]
	if i := strings.IndexAny(tail, whitespace); i >= 0 && i < anchorLength/2 {
		return strings.TrimLeft(tail[i:], whitespace)
	}
	for len(tail) > 0 && !utf8.RuneStart(tail[0]) { // one long word: at least whole characters
		tail = tail[1:]
	}
	return tail
}

// take gets the next chunk and returns what may be passed on. After the seam that
// is the chunk itself. take reports false if this is not a continuation.
func (s *seam) take(chunk []byte) ([]byte, bool) {
	if s.open {
		return chunk, true
	}
	s.held = append(s.held, chunk...)
	return s.cut(false)
}

// end returns what was still held when the continuation ended.
func (s *seam) end() ([]byte, bool) {
	if s.open {
		return nil, true
	}
	return s.cut(true)
}

func (s *seam) cut(final bool) ([]byte, bool) {
	text, least := string(s.held), min(leastEcho, max(leastEcho/4, len(s.said)))
	if s.anchor != "" {
		text, least = strings.TrimLeft(text, whitespace), len(s.anchor)
	}
	n, more := overlap(s.said, text, least)
	if more && !final {
		return nil, len(s.held) <= 2*seamWindow // blanks before the repetition are allowed, up to a limit
	}
	if s.anchor != "" && n == 0 {
		return nil, false
	}
	text = text[n:]
	if n, more = overlap(s.unseen, text, 1); more && !final {
		return nil, true
	}
	if n == 0 && strings.TrimRight(s.unseen, whitespace) != "" {
		return nil, false // half a character was said, and the text doesn't begin with the other half
	}
	s.open, s.held = true, nil
	return []byte(text[n:]), true
}

// overlap returns the length of the longest end of said, of least bytes or
// more, that text begins with, and whether there could be a longer one if text
// went on.
func overlap(said, text string, least int) (n int, more bool) {
	said = said[max(0, len(said)-seamWindow):]
	for start := range len(said) {
		end := said[start:]
		switch {
		case len(end) < least:
			return 0, false
		case len(end) > len(text):
			if strings.HasPrefix(end, text) {
				return 0, true
			}
		case strings.HasPrefix(text, end):
			return len(end), false
		}
	}
	return 0, false
}
