package fault

import (
	"net/http"
	"strings"
	"time"
)

// RetryAfter returns the wait that a response's headers ask for, and whether they
// ask for one. retry-after-ms (OpenAI, Azure) is used before Retry-After. If it
// can't be read, Retry-After is used.
//
// Retry-After is delay-seconds or an HTTP-date in any of its three forms (RFC 9110
// §10.2.3, §5.6.7). A fraction and an exponent ("0.5", "1e1") are accepted too,
// because the official SDKs send and accept them. A date in the past is 0. A wait
// too long for a time.Duration is cut to the longest one. A number with a sign,
// with grouped digits, in hexadecimal or not in ASCII is ignored.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	if d, ok := decimal(trim(h.Get("retry-after-ms")), time.Millisecond); ok {
		return d, true
	}
	value := trim(h.Get("retry-after"))
	if d, ok := decimal(value, time.Second); ok {
		return d, true
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

func trim(s string) string { return strings.Trim(s, " \t") }
