package inspectai

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

var (
	escaped   = regexp.MustCompile(`\\([$,£€*_])`)
	currency  = regexp.MustCompile(`[$,£€*_]`)
	fullStops = regexp.MustCompile(`\.(?:(\P{Nd})|\z)`)
	plain     = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$`)
	grouped   = regexp.MustCompile(`(\d)_(\d)`)
)

// numericText removes what is written around a number.
func numericText(s string) string {
	s = currency.ReplaceAllString(escaped.ReplaceAllString(s, "$1"), "")
	for {
		next := fullStops.ReplaceAllString(s, "$1")
		if next == s {
			return s
		}
		s = next
	}
}

// normalNumber writes a number with five digits, as Python's format ".5g".
func normalNumber(s string, trim numberTrim) string {
	text := s
	if trim {
		text = trimNumber(s)
	}
	f, ok := number(text)
	if !ok {
		return s
	}
	return general(f, 5)
}

type numberTrim bool

// general is C's %g, which Go's 'g' is not: it keeps a fixed form from 1e-4 on.
func general(f float64, digits int) string {
	e := strconv.FormatFloat(f, 'e', digits-1, 64)
	at := strings.IndexByte(e, 'e')
	exponent, err := strconv.Atoi(e[at+1:])
	if err != nil || exponent < -4 || exponent >= digits {
		m := e[:at]
		if strings.Contains(m, ".") {
			m = strings.TrimRight(strings.TrimRight(m, "0"), ".")
		}
		return m + e[at:]
	}
	out := strconv.FormatFloat(f, 'f', digits-1-exponent, 64)
	if strings.Contains(out, ".") {
		out = strings.TrimRight(strings.TrimRight(out, "0"), ".")
	}
	return out
}

// pythonFloat is Python's str of a float.
func pythonFloat(f float64) string {
	exponent := 0
	if f != 0 {
		exponent = int(math.Floor(math.Log10(math.Abs(f))))
	}
	if exponent < -4 || exponent >= 16 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	out := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(out, ".") {
		out += ".0"
	}
	return out
}

// float reads what Python's float reads, if it is finite: digits of any script, and
// underscores between digits.
func float(s string) (float64, bool) {
	s = strings.Map(func(r rune) rune {
		if d, ok := digit(r); ok {
			return d
		}
		return r
	}, strip(s))
	for grouped.MatchString(s) {
		s = grouped.ReplaceAllString(s, "$1$2")
	}
	if !plain.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func digit(r rune) (rune, bool) {
	if r < 0x80 {
		return r, false
	}
	if !unicode.Is(unicode.Nd, r) {
		return r, false
	}
	zero := r
	for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	// Unicode has each script's digits in a row of ten that begins at its zero; where
	// rows touch, they begin at a multiple of ten from the first.
	for _, part := range unicode.Nd.R16 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			zero = r - (r-rune(part.Lo))%10
		}
	}
	for _, part := range unicode.Nd.R32 {
		if rune(part.Lo) <= r && r <= rune(part.Hi) {
			zero = r - (r-rune(part.Lo))%10
		}
	}
	return '0' + r - zero, true
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹"

// number reads a number as the scorer match does: float, a Unicode minus, one vulgar
// fraction at the end (2½), and a superscript exponent (3²). Chinese numerals, which
// the framework reads too, are not read.
func number(s string) (float64, bool) {
	if f, ok := float(s); ok {
		return f, true
	}
	s = strip(s)
	negative := false
	for {
		r, rest, ok := cutRune(s)
		if !ok || !strings.ContainsRune("+-＋－−﹣⁻⁺", r) {
			break
		}
		negative = negative != strings.ContainsRune("-－−﹣⁻", r)
		s = strip(rest)
	}
	exponent := 1.0
	if base := strings.TrimRight(s, superscripts); base != s && base != "" {
		digits := norm.NFKC.String(s[len(base):])
		if inner, ok := strings.CutSuffix(base, "⁻"); ok {
			base, digits = inner, "-"+digits
		}
		v, err := strconv.ParseFloat(digits, 64)
		if err != nil || base == "" {
			return 0, false
		}
		s, exponent = base, v
	}
	value, ok := withFraction(s)
	if !ok {
		return 0, false
	}
	if negative {
		value = -value
	}
	value = math.Pow(value, exponent)
	return value, !math.IsNaN(value) && !math.IsInf(value, 0)
}

func cutRune(s string) (rune, string, bool) {
	r, size := utf8.DecodeRuneInString(s)
	return r, s[size:], size > 0
}

func withFraction(s string) (float64, bool) {
	runes := []rune(s)
	if len(runes) == 0 {
		return 0, false
	}
	top, bottom, ok := strings.Cut(norm.NFKC.String(string(runes[len(runes)-1])), "⁄")
	if !ok {
		if strings.ContainsAny(s, "+-") {
			return 0, false // the sign is read already
		}
		return float(s)
	}
	a, errA := strconv.ParseFloat(top, 64)
	b, errB := strconv.ParseFloat(bottom, 64)
	if errA != nil || errB != nil || b == 0 {
		return 0, false
	}
	whole := 0.0
	if len(runes) > 1 {
		if whole, ok = float(string(runes[:len(runes)-1])); !ok {
			return 0, false
		}
	}
	return whole + a/b, true
}
