package injection

// leet reads digits and signs in words as the letters they look like. 1 is i or
// l; a second reading takes the likelier one where they differ.
func leet(m *mapped, emit func(string, mapped)) {
	plain, likely := newBuilder(m, len(m.text)), newBuilder(m, len(m.text))
	s := m.text
	differ, done := false, 0
	for i := 0; i < len(s); i++ {
		l, ok := leetLetter(s, i)
		if !ok {
			continue
		}
		plain.keep(done, i)
		likely.keep(done, i)
		plain.add(string(rune(l)), i, i+1)
		if s[i] == '1' || s[i] == '!' || s[i] == '|' {
			if other := likelier(likely.out, s, i); other != l {
				l, differ = other, true
			}
		}
		likely.add(string(rune(l)), i, i+1)
		done = i + 1
	}
	if done == 0 {
		return
	}
	plain.keep(done, len(s))
	emit("leet", plain.mapped())
	if differ {
		likely.keep(done, len(s))
		emit("leet", likely.mapped())
	}
}

// leetLetter returns the letter that s[i] replaces. A sign counts only next to
// a letter or a digit.
func leetLetter(s string, i int) (byte, bool) {
	var l byte
	switch s[i] {
	case '0':
		l = 'o'
	case '1', '!', '|':
		l = 'i'
	case '3':
		l = 'e'
	case '4', '@':
		l = 'a'
	case '5', '$':
		l = 's'
	case '7', '+':
		l = 't'
	case '8':
		l = 'b'
	case '6', '9':
		l = 'g'
	default:
		return 0, false
	}
	if classes[s[i]]&isDigit != 0 {
		return l, true
	}
	after := i+1 < len(s) && classes[s[i+1]]&(isLetter|isDigit) != 0
	before := i > 0 && classes[s[i-1]]&(isLetter|isDigit) != 0
	return l, after && (before || s[i] != '!' && s[i] != '|') || before && s[i] != '!'
}

// likelier chooses between i and l by the letters around.
func likelier(before []byte, s string, i int) byte {
	last, next := gap, gap
	if n := len(before); n > 0 {
		last = letter(before[n-1])
	}
	if i+1 < len(s) {
		b := s[i+1]
		if l, ok := leetLetter(s, i+1); ok {
			b = l
		}
		next = letter(b)
	}
	const li, ll = 'i' - 'a', 'l' - 'a'
	if follows(last, ll)+follows(ll, next) > follows(last, li)+follows(li, next) {
		return 'l'
	}
	return 'i'
}
