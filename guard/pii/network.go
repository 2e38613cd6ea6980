package pii

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	hexDigits = detect.NewClass("0-9A-Fa-f")
	addrBytes = detect.NewClass("0-9A-Fa-f:.")
)

func ipv4Rule() detect.Rule {
	return detect.Rule{
		Kind: KindIPv4, Score: .8, Reason: "four parts of 0 to 255", Threats: threats(),
		Starts: digitStarts, Max: (15+15)*widest + 6, Match: matchIPv4,
	}
}

// matchIPv4 finds an address, and both ends of a range of addresses.
func matchIPv4(text string, at int, atEOF bool) int {
	if !digitAt(text, at) || joined(text, at) && !afterIPv4(text, at) {
		return 0
	}
	end := ipv4End(text, at, atEOF)
	switch {
	case end <= 0:
		return end
	case isVersion(text, at):
		return 0
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
	end, last := at, at
	digits, value, zero := 0, 0, false // of the current part
	part := 1
	for {
		if end == len(text) {
			if !atEOF {
				return detect.NeedMore
			}
			break
		}
		b, size := char(text, end)
		switch {
		case detect.Digits[b]:
			if zero || digits == 3 {
				return 0
			}
			zero = digits == 0 && b == '0'
			value = value*10 + int(b-'0')
			digits++
			end += size
			last = end
			continue
		case b == '.' && part < 4:
			if digits == 0 || value > 255 || text[end] == middleDot[0] {
				return 0
			}
			part++
			digits, value, zero = 0, 0, false
			end += size
			continue
		case b == invisible && (digits > 0 || part > 1):
			end += size
			continue
		}
		break
	}
	if part < 4 || digits == 0 || value > 255 {
		return 0
	}
	return last
}

// middleDot is a sign of multiplication: 3·5·7·11 is not an address.
const middleDot = "\u00b7"

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

// maxIPv6 is the length of the longest form, eight groups with an IPv4 tail,
// and one byte more.
const maxIPv6 = 46

func ipv6Rule() detect.Rule {
	return detect.Rule{
		Kind: KindIPv6, Score: .9, Reason: "IPv6 address", Threats: threats(),
		Starts: "abcdefABCDEF:" + digitStarts, Max: (maxIPv6 + 2) * widest, Match: matchIPv6,
	}
}

func matchIPv6(text string, at int, atEOF bool) int {
	if at > 0 && (text[at-1] == ':' || joined(text, at)) {
		return 0
	}
	var buf [maxIPv6]byte
	var ends [maxIPv6]int // where each byte of buf ends in text
	n, end := 0, at
	for end < len(text) && n < maxIPv6 {
		b, size := text[end], 1
		if b >= utf8.RuneSelf {
			b, size = char(text, end)
		}
		if b == invisible && n > 0 {
			end += size
			continue
		}
		if !addrBytes[b] {
			break
		}
		end += size
		buf[n], ends[n] = b, end
		n++
	}
	switch {
	case end == len(text) && n < maxIPv6 && !atEOF:
		return detect.NeedMore
	case n < 3, end < len(text) && (detect.Word[text[end]] || wideAt(text, end)):
		return 0
	}
	for n > 0 && (buf[n-1] == '.' || buf[n-1] == ':' && !(n > 2 && buf[n-2] == ':')) {
		n-- // punctuation of the sentence
	}
	value := string(buf[:n])
	if colons, digit := count(value); colons < 2 || !digit {
		return 0 // a time of day, or a::b of some programming language
	}
	if a, err := netip.ParseAddr(value); err != nil || !a.Is6() {
		return 0
	}
	return ends[n-1] - at
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
		Starts: "abcdefABCDEF" + digitStarts, Max: 18*widest + 6, Match: matchMAC,
	}
}

// matchMAC finds six pairs with colons or hyphens. It also finds the form of Cisco: three
// groups of four with full stops and small letters.
func matchMAC(text string, at int, atEOF bool) int {
	if at+2 < len(text) && alnumBytes[text[at+2]] && !(at+4 < len(text) && text[at+4] == '.') && text[at+1] < utf8.RuneSelf || joined(text, at) {
		return 0 // a word, as nearly everywhere
	}
	var digits [12]byte
	var sep byte
	n, end, last, group := 0, at, at, 2
	separated := false // since the last digit
	for n < len(digits) {
		if end == len(text) {
			return undecided(atEOF)
		}
		b, size := char(text, end)
		switch {
		case hexDigits[b]:
			if sep != 0 && n%group == 0 && !separated || sep == 0 && n == 4 {
				return 0 // a separator is missing
			}
			digits[n] = upper(b)
			n++
			last, separated = end+size, false
		case b == invisible && n > 0:
		case (b == ':' || b == '-') && n%2 == 0 && n > 0 && (sep == 0 && n == 2 || sep == b) && !separated:
			sep, separated = b, true
		case b == '.' && n%4 == 0 && n > 0 && (sep == 0 || sep == b) && !separated:
			sep, group, separated = b, 4, true
		default:
			return 0
		}
		end += size
	}
	if sep == 0 || equalPairs(digits) || sep == '.' && (letterless(digits) || strings.ToLower(text[at:last]) != text[at:last]) {
		return 0
	}
	if last < len(text) && text[last] == sep && sep != '.' { // a longer fingerprint, or one broken at the line's end
		return 0
	}
	return ended(text, at, last, atEOF)
}

// equalPairs reports whether all pairs are equal: the broadcast address, the zero address,
// an example.
func equalPairs(d [12]byte) bool {
	for i := 2; i < len(d); i++ {
		if d[i] != d[i-2] {
			return false
		}
	}
	return true
}

func letterless(d [12]byte) bool { return detect.Digits.Run(string(d[:]), 0, len(d)) == len(d) }
