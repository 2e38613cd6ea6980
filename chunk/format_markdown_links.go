package chunk

import "strings"

// definitions returns how many bytes of a paragraph are definitions of links, such
// as "[name]: /url 'title'", before its text. (CommonMark 0.31.2, section 4.7.)
func definitions(paragraph string) int {
	at := 0
	for {
		n := definition(paragraph[at:])
		if n == 0 {
			return at
		}
		at += n
	}
}

// definition returns the length of the definition that text begins with, with its
// line end, or 0.
func definition(text string) int {
	s := linkScanner{text: text}
	s.spaces()
	if !s.label() || !s.byte(':') {
		return 0
	}
	s.gap()
	if !s.destination() {
		return 0
	}
	end, whole := s.at, false
	if line, ok := s.lineEnd(); ok {
		end, whole = line, true
	}
	before := s.at
	if s.gap(); s.at > before && s.title() {
		if line, ok := s.lineEnd(); ok {
			return line
		}
	}
	if !whole {
		return 0
	}
	return end
}

// A linkScanner is a place in a text.
type linkScanner struct {
	text string
	at   int
}

func (s *linkScanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *linkScanner) byte(c byte) bool {
	if s.at >= len(s.text) || s.text[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *linkScanner) spaces() {
	for c := s.peek(); c == ' ' || c == '\t'; c = s.peek() {
		s.at++
	}
}

// gap moves over spaces, tabs and one line end.
func (s *linkScanner) gap() {
	s.spaces()
	s.byte('\r')
	s.byte('\n')
	s.spaces()
}

// lineEnd returns the place after the line if only blanks are left of it.
func (s *linkScanner) lineEnd() (int, bool) {
	t := *s
	t.spaces()
	if t.at == len(t.text) {
		return t.at, true
	}
	if t.byte('\r') {
		t.byte('\n')
		return t.at, true
	}
	return t.at + 1, t.peek() == '\n'
}

// label moves over "[name]".
func (s *linkScanner) label() bool {
	const longest = 999
	if !s.byte('[') {
		return false
	}
	start := s.at
	for ; s.at < len(s.text) && s.at-start <= 4*longest; s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '[':
			return false
		case ']':
			name := s.text[start:s.at]
			s.at++
			return strings.TrimSpace(name) != "" && runesOf(name)(name) <= longest
		}
	}
	return false
}

// destination moves over an address, in angle brackets or without.
func (s *linkScanner) destination() bool {
	if s.byte('<') {
		for ; s.at < len(s.text); s.at++ {
			switch s.text[s.at] {
			case '\\':
				s.at++
			case '<', '\n', '\r':
				return false
			case '>':
				s.at++
				return true
			}
		}
		return false
	}
	start, depth := s.at, 0
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c <= ' ' || c == 0x7f:
			return s.at > start && depth == 0
		case c == '\\' && s.at+1 < len(s.text) && s.text[s.at+1] > ' ':
			s.at++
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return s.at > start && depth == 0
}

// title moves over a title in quotes or brackets.
func (s *linkScanner) title() bool {
	open := s.peek()
	end := open
	switch open {
	case '"', '\'':
	case '(':
		end = ')'
	default:
		return false
	}
	for s.at++; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++
		case end:
			s.at++
			return true
		case '(':
			if open == '(' {
				return false
			}
		}
	}
	return false
}
