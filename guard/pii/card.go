package pii

import "github.com/prodailabs/prodai/guard/detect"

func cardRule() detect.Rule {
	return detect.Rule{
		Kind: KindCreditCard, Score: .95, Reason: "issuer's range and Luhn check", Threats: threats(),
		Starts: "23456", Max: 19 + 5*3 + 4, Match: matchCard,
	}
}

// matchCard takes 14 to 19 digits, plain or in groups with one kind of
// separator.
func matchCard(text string, at int, atEOF bool) int {
	if joined(text, at) {
		return 0
	}
	var digits [20]byte
	n, end, group := 0, at, 0
	last := at // after the last digit
	var sep byte
	for end < len(text) && n < len(digits) {
		if b := text[end]; detect.Digits[b] {
			digits[n] = b - '0'
			n++
			group++
			end++
			last = end
			continue
		}
		found, size := separator(text, end)
		if found == invisible {
			end += size
			continue
		}
		if found == 0 || group < 4 || group > 6 || sep != 0 && sep != found || n >= 19 {
			break
		}
		if end+size == len(text) && !atEOF {
			return detect.NeedMore
		}
		if end+size == len(text) || !detect.Digits[text[end+size]] {
			break
		}
		sep, group = found, 0
		end += size
	}
	if end == len(text) && !atEOF && n < len(digits) {
		return detect.NeedMore
	}
	if !issued(digits[:n]) || !luhn(digits[:n]) || sep != 0 && group < 3 {
		return 0
	}
	if n == 19 && sep == 0 && !context(text, at, cardWords) { // 64-bit numbers have 19 digits too
		return 0
	}
	return ended(text, at, last, atEOF)
}

var cardWords = []string{"card", "visa", "unionpay", "karte", "carte", "tarjeta", "pan"}

// issued reports whether a network issues numbers of this length and start
// (ISO/IEC 7812 issuer identification numbers).
func issued(d []byte) bool {
	if len(d) < 14 {
		return false
	}
	iin := int(d[0])*1000 + int(d[1])*100 + int(d[2])*10 + int(d[3])
	in := func(lo, hi int) bool { return iin >= lo && iin <= hi }
	switch len(d) {
	case 14: // Diners Club
		return in(3000, 3059) || in(3600, 3699) || in(3800, 3999)
	case 15: // American Express
		return in(3400, 3499) || in(3700, 3799)
	case 16: // Visa, Mastercard, Mir, Discover, JCB, UnionPay, Maestro
		return in(4000, 4999) || in(2200, 2204) || in(5100, 5599) || in(2221, 2720) || in(6011, 6011) || in(6440, 6599) ||
			in(3528, 3589) || in(6200, 6299) || in(5018, 5018) || in(5020, 5020) || in(5038, 5038) || in(6304, 6304) || in(6759, 6763)
	case 17, 18: // Mir
		return in(2200, 2204)
	case 19: // Visa, Mir, UnionPay
		return in(4000, 4999) || in(2200, 2204) || in(6200, 6299)
	}
	return false
}

// luhn is the check of ISO/IEC 7812-1, annex B.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i])
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return len(d) > 0 && sum%10 == 0
}
