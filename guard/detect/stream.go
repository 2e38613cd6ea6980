package detect

import (
	"strings"
	"unicode/utf8"
)

// A Stream redacts a text that comes in chunks. Together, Write and Close return
// what Redact returns for the whole text, for any chunks. It is not safe
// for concurrent use. Make one with [Detector.Stream] or [Vault.Stream].
type Stream struct {
	d       *Detector
	replace Replace
	found   func(Finding)
	buf     string // the last LookbehindBytes of what was emitted, then what is held
	held    int    // where the held part begins in buf
	offset  int    // position of buf in the whole text
}

// Stream returns a new redacting stream. A nil replace is [Label].
func (d *Detector) Stream(replace Replace) *Stream {
	if replace == nil {
		replace = Label
	}
	return &Stream{d: d, replace: replace}
}

// OnFinding makes the stream call f for each finding, with offsets in the whole
// text that was written. It returns the stream.
func (s *Stream) OnFinding(f func(Finding)) *Stream {
	s.found = f
	return s
}

// Write takes the next chunk and returns what can be emitted now, which may be
// nothing.
func (s *Stream) Write(chunk string) string { return s.advance(chunk, false) }

// Close returns what was still held. The stream starts anew after it.
func (s *Stream) Close() string {
	out := s.advance("", true)
	s.buf, s.held, s.offset = "", 0, 0
	return out
}

// Held returns the number of bytes that are held back at the moment.
func (s *Stream) Held() int { return len(s.buf) - s.held }

func (s *Stream) advance(chunk string, atEOF bool) string {
	s.buf += chunk
	limit := len(s.buf)
	if !atEOF {
		limit -= cutRune(s.buf[s.held:])
	}
	var b strings.Builder
	text, at := s.buf[:limit], s.held
	for at < limit {
		f, next := s.d.next(text, at, atEOF)
		if f.End == f.Start { // all decided up to next
			b.WriteString(text[at:next])
			at = next
			break
		}
		b.WriteString(text[at:f.Start])
		b.WriteString(s.replace(f, text[f.Start:f.End]))
		at = next
		if s.found != nil {
			f.Start, f.End = f.Start+s.offset, f.End+s.offset
			s.found(f)
		}
	}
	drop := max(0, at-LookbehindBytes)
	s.buf, s.held, s.offset = s.buf[drop:], at-drop, s.offset+drop
	return b.String()
}

// cutRune returns the length of an incomplete rune at the end of text.
func cutRune(text string) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		b := text[len(text)-n]
		if utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRuneInString(text[len(text)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
