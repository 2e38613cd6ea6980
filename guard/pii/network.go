package pii

import (
	"net/netip"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	hexDigits = detect.NewClass("0-9A-Fa-f")
	addrBytes = detect.NewClass("0-9A-Fa-f:.")
)

func ipv4Rule() detect.Rule {
	return detect.Rule{
		Kind: KindIPv4, Score: .8, Reason: "four parts of 0 to 255", Threats: threats(),
		Starts: "0123456789", Max: 18 + 16, Match: matchIPv4,
	}
}

// matchIPv4 takes an address, and both ends of a range of them.
func matchIPv4(text string, at int, atEOF bool) int {
	if joined(text, at) && !afterIPv4(text, at) {
		return 0
	}
	end := ipv4End(text, at, atEOF)
	switch {
	case end <= 0:
		return end
	case end < len(text) && (text[end] == ':' || text[end] == '/'): // a port or a prefix length may follow
		return end - at
	case end < len(text) && text[end] == '-':
		switch n := ipv4End(text, end+1, atEOF); {
		case n == detect.NeedMore:
			return n
		case n > 0:
			return end - at
		}
	}
	return ended(text, at, end, atEOF)
}

// ipv4End returns where the address at a place ends, 0 if there is none.
func ipv4End(text string, at int, atEOF bool) int {
	end := at
	for part := 0; part < 4; part++ {
		if part > 0 {
			if end == len(text) {
				return undecided(atEOF)
			}
			if text[end] != '.' {
				return 0
			}
			end++
		}
		stop := detect.Digits.Run(text, end, 4)
		if stop == len(text) && stop-end < 4 && !atEOF {
			return detect.NeedMore
		}
		if !byteValue(text[end:stop]) {
			return 0
		}
		end = stop
	}
	return end
}

// afterIPv4 reports whether the hyphen before a place has an address before it.
func afterIPv4(text string, at int) bool {
	if text[at-1] != '-' {
		return false
	}
	from := at - 1
	for from > 0 && at-from < 17 && (detect.Digits[text[from-1]] || text[from-1] == '.') {
		from--
	}
	return ipv4End(text[:at-1], from, true) == at-1 && !joined(text, from)
}

func undecided(atEOF bool) int {
	if atEOF {
		return 0
	}
	return detect.NeedMore
}

func byteValue(s string) bool {
	if s == "" || len(s) > 3 || len(s) > 1 && s[0] == '0' {
		return false
	}
	v := 0
	for _, b := range []byte(s) {
		v = v*10 + int(b-'0')
	}
	return v <= 255
}

// maxIPv6 is the length of the longest form, eight groups with an IPv4 tail,
// and one byte more.
const maxIPv6 = 46

func ipv6Rule() detect.Rule {
	return detect.Rule{
		Kind: KindIPv6, Score: .9, Reason: "IPv6 address", Threats: threats(),
		Starts: "0123456789abcdefABCDEF:", Max: maxIPv6 + 2, Match: matchIPv6,
	}
}

func matchIPv6(text string, at int, atEOF bool) int {
	if at > 0 && (text[at-1] == ':' || joined(text, at)) {
		return 0
	}
	end := addrBytes.Run(text, at, maxIPv6)
	if end == len(text) && end-at < maxIPv6 && !atEOF {
		return detect.NeedMore
	}
	if end < len(text) && detect.Word[text[end]] {
		return 0
	}
	for end > at && (text[end-1] == '.' || text[end-1] == ':' && !(end-at > 2 && text[end-2] == ':')) {
		end-- // punctuation of the sentence
	}
	value := text[at:end]
	if colons, digit := count(value); colons < 2 || !digit {
		return 0 // a time of day, or a::b of some programming language
	}
	if a, err := netip.ParseAddr(value); err != nil || !a.Is6() {
		return 0
	}
	return end - at
}

func count(s string) (colons int, digit bool) {
	for i := range len(s) {
		if s[i] == ':' {
			colons++
		}
		digit = digit || detect.Digits[s[i]]
	}
	return colons, digit
}

func macRule() detect.Rule {
	return detect.Rule{
		Kind: KindMAC, Score: .9, Reason: "six hexadecimal pairs", Threats: threats(),
		Starts: "0123456789abcdefABCDEF", Max: 20, Match: matchMAC,
	}
}

func matchMAC(text string, at int, atEOF bool) int {
	if joined(text, at) {
		return 0
	}
	end := at
	var sep byte
	for pair := 0; pair < 6; pair++ {
		if pair > 0 {
			if end == len(text) {
				return undecided(atEOF)
			}
			if b := text[end]; b != ':' && b != '-' || sep != 0 && sep != b {
				return 0
			}
			sep = text[end]
			end++
		}
		stop := hexDigits.Run(text, end, 2)
		if stop-end < 2 {
			if stop == len(text) {
				return undecided(atEOF)
			}
			return 0
		}
		end = stop
	}
	if value := text[at:end]; strings.Trim(value, "fF:-") == "" || strings.Trim(value, "0:-") == "" {
		return 0 // the broadcast address, and no address
	}
	if end < len(text) && text[end] == sep { // a longer fingerprint, or one broken at the line's end
		return 0
	}
	return ended(text, at, end, atEOF)
}
