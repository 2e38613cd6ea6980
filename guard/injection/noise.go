package injection

import "strings"

// noise takes out the markup of markdown and HTML, and gives each comment a
// reading of its own: what no reader sees, a model still reads.
func noise(m *mapped, emit func(string, mapped)) {
	s := m.text
	b := newBuilder(m, len(s))
	done := 0
	drop := func(from, to int) {
		b.keep(done, from)
		done = to
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "<!--"):
			end := strings.Index(s[i+4:], "-->")
			if end < 0 {
				end = len(s) - i - 4
			}
			if end > 0 {
				emit("comment", m.part(i+4, i+4+end))
			}
			to := min(len(s), i+4+end+3)
			drop(i, i+4)
			if to == len(s) && !strings.HasSuffix(s, "-->") {
				i = to
				continue
			}
			drop(to-3, to)
			i = to
		case s[i] == '<' && i+1 < len(s) && (classes[s[i+1]]&isLetter != 0 || s[i+1] == '/'):
			end := strings.IndexByte(s[i:min(len(s), i+512)], '>')
			if end < 0 {
				i++
				continue
			}
			drop(i, i+end+1)
			i += end + 1
		case (s[i] == '*' || s[i] == '_' || s[i] == '~') && i+1 < len(s) && s[i+1] == s[i]:
			n := i
			for n < len(s) && s[n] == s[i] {
				n++
			}
			drop(i, n)
			i = n
		case s[i] == '`', s[i] == '*' && (i == 0 || boundary(s[i-1]) != (i+1 == len(s) || boundary(s[i+1]))):
			drop(i, i+1)
			i++
		default:
			i++
		}
	}
	if done == 0 {
		return
	}
	b.keep(done, len(s))
	emit("markup", b.mapped())
}
