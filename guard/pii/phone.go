package pii

import "github.com/prodailabs/prodai/guard/detect"

func e164Rule() detect.Rule {
	return detect.Rule{
		Kind: KindPhoneE164, Score: .9, Reason: "+ and 8 to 15 digits", Threats: threats(),
		Starts: "+", Max: 18, Match: matchE164,
	}
}

// matchE164 takes the form of ITU-T E.164.
func matchE164(text string, at int, atEOF bool) int {
	if at > 0 && (text[at-1] == '+' || text[at-1] == ')') {
		return 0
	}
	end := detect.Digits.Run(text, at+1, 16)
	if end == len(text) && end-at < 17 && !atEOF {
		return detect.NeedMore
	}
	if n := end - at - 1; n < 8 || n > 15 || text[at+1] == '0' {
		return 0
	}
	return ended(text, at, end, atEOF)
}

func phoneRule() detect.Rule {
	return detect.Rule{
		Kind: KindPhone, Score: .7, Reason: "telephone number by its grouping", Threats: threats(),
		Starts: "+(0123456789", Max: maxPhone + 2, Match: matchPhone,
	}
}

const maxPhone = 30

// phoneContext is how many bytes before a number a word may stand.
const phoneContext = 24

var phoneWords = []string{"tel", "phone", "mobile", "mobil", "cell", "call me", "call us", "fax", "whatsapp", "handynummer", "telefon", "tél", "teléfono", "móvil", "cellulare", "hotline", "電話", "电话", "sms"}

// matchPhone takes digits in groups. With a + in front any grouping will do,
// the North American 3-3-4 needs no word before it, all else does.
func matchPhone(text string, at int, atEOF bool) int {
	if joined(text, at) || at > 0 && (text[at-1] == '+' || text[at-1] == '(') {
		return 0
	}
	var digits, groups, group int
	var sizes [8]int
	seps := 0
	end, last := at, at // last: behind the last digit
	open := false
scan:
	for ; end < len(text) && end-at < maxPhone; end++ {
		switch b := text[end]; {
		case detect.Digits[b]:
			if group == 0 {
				groups++
			}
			digits++
			group++
			last = end + 1
			if groups <= len(sizes) {
				sizes[groups-1] = group
			}
			seps = 0
			continue
		case b == '+' && end == at:
			continue
		case b == '(' && !open && groups <= 1 && seps <= 1:
			open = true
		case b == ')' && open && group > 0:
			open = false
		case (b == ' ' || b == '-' || b == '.') && seps == 0 && groups > 0 && !open:
			seps++
		case b == ' ' && groups > 0 && text[end-1] == ')':
		default:
			break scan
		}
		group = 0
	}
	if end == len(text) && end-at < maxPhone && !atEOF {
		return detect.NeedMore
	}
	international := text[at] == '+'
	american := groups == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4 && digits == 10 && text[at] != '0' && text[at] != '1' ||
		groups == 4 && sizes[0] == 1 && text[at] == '1' && sizes[1] == 3 && sizes[2] == 3 && sizes[3] == 4
	if text[at] == '(' {
		american = groups == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4
	}
	switch {
	case open || digits < 7 || digits > 15:
		return 0
	case international && groups > 1 && digits >= 8 && text[at+1] != '0':
	case american && last-at >= 12 && !plainBlanks(text[at:last]):
	case text[at] != '+' && context(text[max(0, at-phoneContext):at], min(at, phoneContext), phoneWords):
	default:
		return 0
	}
	return ended(text, at, last, atEOF)
}

// plainBlanks reports whether only blanks separate the digits: such a row of
// numbers is more often a table than a telephone number.
func plainBlanks(s string) bool {
	for i := range len(s) {
		if !detect.Digits[s[i]] && s[i] != ' ' {
			return false
		}
	}
	return true
}
