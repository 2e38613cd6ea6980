package fault

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// tooLong is used for a wait that is too long for a time.Duration.
const tooLong = time.Duration(math.MaxInt64)

// decimal parses an unsigned decimal number, with a fraction or an exponent,
// and returns it times unit, saturated. Signs, blanks, underscores, hex, other
// scripts' digits, "inf" and "nan" are refused, all of which strconv.ParseFloat
// or a peer's parser would take.
func decimal(s string, unit time.Duration) (time.Duration, bool) {
	whole, fraction, exponent, ok := splitDecimal(s)
	if !ok {
		return 0, false
	}
	if exponent {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil && !math.IsInf(f, 1) { // the value is still right after a range error
			return 0, false
		}
		return saturate(f * float64(unit)), true
	}
	// Without an exponent the value is exact: a server's 36981.723541104 s is
	// that many nanoseconds.
	n, err := strconv.ParseInt("0"+whole, 10, 64)
	if err != nil || n > int64(tooLong)/int64(unit) {
		return tooLong, true
	}
	d := time.Duration(n) * unit
	if fraction != "" {
		f, _ := strconv.ParseFloat("0."+fraction, 64)
		part := time.Duration(math.Round(f * float64(unit)))
		if d > tooLong-part {
			return tooLong, true
		}
		d += part
	}
	return d, true
}

func splitDecimal(s string) (whole, fraction string, exponent, ok bool) {
	i := digits(s)
	whole, s = s[:i], s[i:]
	if strings.HasPrefix(s, ".") {
		i = digits(s[1:])
		fraction, s = s[1:1+i], s[1+i:]
	}
	if whole == "" && fraction == "" {
		return "", "", false, false
	}
	if s == "" {
		return whole, fraction, false, true
	}
	if s[0] != 'e' && s[0] != 'E' {
		return "", "", false, false
	}
	s = s[1:]
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return whole, fraction, true, s != "" && digits(s) == len(s)
}

// digits returns how many ASCII digits s begins with.
func digits(s string) int {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i
}

func saturate(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return tooLong
	}
	return time.Duration(math.Round(ns))
}

// span parses the longest run of numbers with units that s begins with:
// "2h3m4.5s", "1d2h", "20ms", "6 seconds". It returns what follows, and
// whether there was at least one number with a unit.
func span(s string) (d time.Duration, rest string, ok bool) {
	rest = s
	for {
		t := rest
		if ok { // "1 minute 30 seconds", "1 minute and 30 seconds"
			t = strings.TrimPrefix(strings.TrimLeft(t, " ,"), "and ")
		}
		i := 0
		for i < len(t) && ('0' <= t[i] && t[i] <= '9' || t[i] == '.' && i+1 < len(t) && '0' <= t[i+1] && t[i+1] <= '9') {
			i++
		}
		number := t[:i]
		t = strings.TrimLeft(t[i:], " ")
		j := 0
		for j < len(t) && (t[j] >= 0x80 || 'a' <= t[j]|0x20 && t[j]|0x20 <= 'z') {
			j++
		}
		unit := unitOf(strings.ToLower(t[:j]))
		if i == 0 || unit == 0 {
			return d, rest, ok
		}
		part, valid := decimal(number, unit)
		if !valid {
			return d, rest, ok
		}
		if d > tooLong-part {
			d = tooLong
		} else {
			d += part
		}
		rest, ok = t[j:], true
	}
}

func unitOf(word string) time.Duration {
	switch word {
	case "ns":
		return time.Nanosecond
	case "us", "µs", "μs":
		return time.Microsecond
	case "ms", "millis", "millisecond", "milliseconds":
		return time.Millisecond
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return 24 * time.Hour
	}
	return 0
}
