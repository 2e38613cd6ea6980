package pii

import "github.com/prodailabs/prodai/guard/detect"

func cardRule() detect.Rule {
	return detect.Rule{
		Kind: KindCreditCard, Score: .95, Reason: "issuer's range and Luhn check", Threats: threats(),
		Starts: "1234568" + wideStart, Max: (19+5)*widest + 8, Match: matchCard,
	}
}

// matchCard finds 12 to 19 digits, plain or in groups. All groups have the same
// separator.
func matchCard(text string, at int, atEOF bool) int {
	if !digitAt(text, at) || joined(text, at) {
		return 0
	}
	var digits [20]byte
	n, end, group := 0, at, 0
	last := at // after the last digit
	var sep byte
	for end < len(text) && n < len(digits) {
		b, size := char(text, end)
		if detect.Digits[b] {
			digits[n] = b - '0'
			n++
			group++
			end += size
			last = end
			continue
		}
		if b == invisible {
			end += size
			continue
		}
		if b != ' ' && b != '-' && b != '.' || group < 4 || group > 6 || sep != 0 && sep != b || n >= 19 {
			break
		}
		if end+size == len(text) && !atEOF {
			return detect.NeedMore
		}
		if !digitAt(text, end+size) {
			break
		}
		sep, group = b, 0
		end += size
	}
	if end == len(text) && !atEOF && n < len(digits) {
		return detect.NeedMore
	}
	sure, ok := issued(digits[:n])
	if !ok || !luhn(digits[:n]) || sep != 0 && group < 3 {
		return 0
	}
	if (!sure || n == 19 && sep == 0) && !context(text, at, cardWords) { // 64-bit numbers have 19 digits too
		return 0
	}
	return ended(text, at, last, atEOF)
}

var cardWords = []string{"card", "visa", "unionpay", "rupay", "karte", "carte", "tarjeta", "pan"}

// issued reports whether a network issues numbers of this length and start (ISO/IEC 7812
// issuer identification numbers). sure is false where other numbers often have the same
// form: such a number needs a word for cards before it.
func issued(d []byte) (sure, ok bool) {
	if len(d) < 12 {
		return false, false
	}
	iin := int(d[0])*1000 + int(d[1])*100 + int(d[2])*10 + int(d[3])
	in := func(lo, hi int) bool { return iin >= lo && iin <= hi }
	maestro := in(5000, 5099) || in(5600, 5899) || in(6000, 6999)
	switch len(d) {
	case 12: // Maestro
		return false, maestro
	case 13: // Visa's old numbers, Maestro
		return false, in(4000, 4999) || maestro
	case 14: // Diners Club
		return true, in(3000, 3059) || in(3600, 3699) || in(3800, 3999)
	case 15: // American Express; JCB's old numbers
		return in(3400, 3499) || in(3700, 3799), in(3400, 3499) || in(3700, 3799) || in(1800, 1800) || in(2131, 2131)
	case 16: // Visa, Mastercard, Mir, Discover, JCB, UnionPay, Maestro, RuPay
		return !in(8172, 8201), in(4000, 4999) || in(2200, 2204) || in(5100, 5599) || in(2221, 2720) || in(6011, 6011) || in(6440, 6599) ||
			in(3528, 3589) || in(6200, 6299) || in(5018, 5018) || in(5020, 5020) || in(5038, 5038) || in(6304, 6304) || in(6759, 6763) ||
			in(5085, 5089) || in(6069, 6085) || in(8172, 8201)
	case 17, 18: // Mir
		return true, in(2200, 2204)
	case 19: // Visa, Mir, UnionPay
		return true, in(4000, 4999) || in(2200, 2204) || in(6200, 6299)
	}
	return false, false
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
