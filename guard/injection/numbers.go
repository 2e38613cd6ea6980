package injection

import (
	"strconv"
	"strings"
)

// minNumbers is how many numbers in a row are taken for text.
const minNumbers = 5

// numberRuns reads rows of numbers as bytes: 69 67, 0x69 0x67, \x69, 01101001,
// 105 103, separated by blanks or commas.
func numberRuns(m *mapped, emit func(string, mapped)) {
	s := m.text
	type token struct{ start, end int }
	var row []token
	flush := func() {
		if len(row) >= minNumbers {
			for _, base := range []struct {
				name string
				of   func(string) (byte, bool)
			}{{"binary", binaryByte}, {"hex", hexByte}, {"decimal", decimalByte}} {
				b := newBuilder(m, len(row))
				for _, t := range row {
					v, ok := base.of(s[t.start:t.end])
					if !ok {
						b = nil
						break
					}
					b.add(string([]byte{v}), t.start, t.end)
				}
				if b != nil && readable(b.out) {
					emit(base.name, b.mapped())
					break
				}
			}
		}
		row = row[:0]
	}
	for i := 0; i < len(s); {
		if s[i] <= ' ' || s[i] == ',' || s[i] == ';' {
			i++
			continue
		}
		start := i
		for i < len(s) && s[i] > ' ' && s[i] != ',' && s[i] != ';' {
			i++
		}
		if i-start <= 8 && numeric(s[start:i]) {
			row = append(row, token{start, i})
		} else {
			flush()
		}
	}
	flush()
}

func numeric(s string) bool {
	for i := range len(s) {
		b := s[i] | 0x20
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') && b != 'x' && s[i] != '\\' {
			return false
		}
	}
	return true
}

func binaryByte(s string) (byte, bool) {
	v, err := strconv.ParseUint(s, 2, 8)
	return byte(v), err == nil && (len(s) == 8 || len(s) == 7)
}

func hexByte(s string) (byte, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "0x"), "\\x")
	v, err := strconv.ParseUint(s, 16, 8)
	return byte(v), err == nil && len(s) == 2
}

func decimalByte(s string) (byte, bool) {
	v, err := strconv.ParseUint(s, 10, 8)
	return byte(v), err == nil
}
