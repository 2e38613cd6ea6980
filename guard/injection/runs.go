package injection

import (
	"encoding/ascii85"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// minRun is the shortest run of bytes without a blank that is tried as an
// encoding: eight bytes in base64.
const minRun = 11

// encodedRuns tries each long run without blanks as base64 (both alphabets,
// with and without padding), base32, hexadecimal and ascii85. Lines of one block
// belong together.
func encodedRuns(m *mapped, emit func(string, mapped)) {
	s := m.text
	for i := 0; i < len(s); {
		for i < len(s) && s[i] <= ' ' {
			i++
		}
		start := i
		for i < len(s) && s[i] > ' ' {
			i++
		}
		end := i
		for end-start >= 60 && end+1 < len(s) && s[end] == '\n' && s[end+1] > ' ' { // a wrapped block
			next := end + 1
			for next < len(s) && s[next] > ' ' {
				next++
			}
			if inAlphabet(s[end+1:next]) != next-end-1 || next < len(s) && s[next] != '\n' {
				break // a line of prose follows
			}
			end = next
		}
		i = max(i, end)
		if end-start >= minRun {
			encodedRun(m, start, end, emit)
		}
	}
}

func encodedRun(m *mapped, start, end int, emit func(string, mapped)) {
	run := m.text[start:end]
	if plain := strings.TrimSuffix(strings.TrimPrefix(run, "<~"), "~>"); len(plain) >= 15 {
		from := start + strings.Index(run, plain)
		if out, ok := decodeAscii85(plain); ok {
			emitBytes(m, from, from+len(plain), out, "ascii85", emit)
			return
		}
	}
	// The other alphabets may be quoted, assigned or followed by punctuation.
	for at := start; at < end; {
		n := inAlphabet(m.text[at:end])
		if n >= minRun {
			word := m.text[at : at+n]
			switch {
			case try(m, at, word, "hex", decodeHex, emit):
			case try(m, at, word, "base32", decodeBase32, emit):
			default:
				try(m, at, word, "base64", decodeBase64, emit)
			}
		}
		at += max(n, 1)
	}
}

func try(m *mapped, at int, word, name string, decode func(string) ([]byte, bool), emit func(string, mapped)) bool {
	out, ok := decode(word)
	if !ok || !readable(out) {
		return false
	}
	emitBytes(m, at, at+len(word), out, name, emit)
	return true
}

// emitBytes spreads the decoded bytes evenly over the encoded ones, which is
// exact to a group for all of these encodings.
func emitBytes(m *mapped, start, end int, out []byte, name string, emit func(string, mapped)) {
	b := newBuilder(m, len(out))
	size := end - start
	for i := range out {
		b.add(string(out[i:i+1]), start+i*size/len(out), min(end, start+((i+1)*size+len(out)-1)/len(out)))
	}
	emit(name, b.mapped())
}

// inAlphabet returns the length of the run of base64 bytes, both alphabets,
// with padding and newlines, that s starts with.
func inAlphabet(s string) int {
	for i := range len(s) {
		b := s[i]
		if classes[b]&(isLetter|isDigit) == 0 && b != '+' && b != '/' && b != '-' && b != '_' && b != '=' && b != '\n' {
			return i
		}
	}
	return len(s)
}

func decodeBase64(s string) ([]byte, bool) {
	s = strings.NewReplacer("-", "+", "_", "/", "\n", "").Replace(s)
	if _, after, ok := strings.Cut(strings.TrimRight(s, "="), "="); ok { // key=value
		s = after
	}
	s = strings.TrimRight(s, "=")
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	if len(s) < 8 {
		return nil, false
	}
	out, err := base64.RawStdEncoding.DecodeString(s)
	return out, err == nil
}

func decodeBase32(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.ReplaceAll(s, "\n", ""), "=")
	if len(s) < 16 {
		return nil, false
	}
	out, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	return out, err == nil
}

func decodeHex(s string) ([]byte, bool) {
	s = strings.TrimPrefix(strings.ReplaceAll(s, "\n", ""), "0x")
	out, err := hex.DecodeString(s)
	return out, err == nil && len(out) >= 5
}

// decodeAscii85 takes the Adobe alphabet. Almost any run of ASCII is in it, so
// the result must be plain text altogether.
func decodeAscii85(s string) ([]byte, bool) {
	for i := range len(s) {
		if s[i] > 'z' || s[i] < '!' || s[i] > 'u' && s[i] != 'z' {
			return nil, false
		}
	}
	out := make([]byte, 4*len(s))
	n, _, err := ascii85.Decode(out, []byte(s), true)
	if err != nil {
		return nil, false
	}
	out = out[:n]
	blanks := 0
	for _, b := range out {
		if b < ' ' && b != '\n' || b > '~' {
			return nil, false
		}
		if b == ' ' {
			blanks++
		}
	}
	return out, n >= 8 && readable(out) && (blanks > 0 || n < 16)
}
