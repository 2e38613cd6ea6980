package pii

import (
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

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

const maxPhone = 44

// phoneContext is how many bytes before a number a word may stand.
const phoneContext = 24

var phoneWords = []string{"tel", "telephone", "telephones", "telefon", "telefonnummer", "telefone", "telefono", "teléfono", "téléphone", "tél", "tlf", "phone", "phones", "phonenumber",
	"mobile", "mobil", "mobilnummer", "mobiltelefon", "mobilephone", "móvil", "cell", "cellphone", "cellulare", "handy", "handynummer", "rufnummer", "call me", "call us",
	"fax", "telefax", "faxnummer", "whatsapp", "hotline", "sms", "電話", "电话", "전화"}

// matchPhone takes digits in groups. With a + in front any grouping will do,
// the North American 3-3-4 needs no word before it, all else does.
func matchPhone(text string, at int, atEOF bool) int {
	if joined(text, at) || at > 0 && (text[at-1] == '+' || text[at-1] == '(') {
		return 0
	}
	var digits, groups, group int
	var sizes [8]int
	seps := 0
	end, last := at, at // last: after the last digit
	open, slash := false, false
	size := 1
scan:
	for ; end < len(text) && end-at < maxPhone; end += size {
		b := text[end]
		size = 1
		if b >= utf8.RuneSelf {
			if b, size = separator(text, end); b == invisible && digits > 0 {
				continue
			}
		}
		switch {
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
		case b == '/' && seps == 0 && groups == 1 && !open && !slash && sizes[0] > 2: // DIN 5008's old form: 030/1234567
			slash = true
			seps++
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
	case american && !slash && last-at >= 12 && !plainBlanks(text[at:last]):
	case text[at] != '+' && wordBefore(text[max(0, at-phoneContext):at], min(at, phoneContext), phoneWords):
	default:
		return 0
	}
	return ended(text, at, last, atEOF)
}

// plainBlanks reports whether only blanks separate the digits: such a row of
// numbers is more often a table than a telephone number.
func plainBlanks(s string) bool {
	for i := 0; i < len(s); {
		sep, size := separator(s, i)
		if !detect.Digits[s[i]] && sep != ' ' && sep != invisible {
			return false
		}
		i += max(size, 1)
	}
	return true
}
