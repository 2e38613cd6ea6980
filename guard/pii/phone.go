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
	g, end := groupsOf(text, at)
	if end == len(text) && end-at < maxPhone && !atEOF {
		return detect.NeedMore
	}
	sizes := g.sizes
	international := text[at] == '+'
	american := g.n == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4 && g.digits == 10 && text[at] != '0' && text[at] != '1' ||
		g.n == 4 && sizes[0] == 1 && text[at] == '1' && sizes[1] == 3 && sizes[2] == 3 && sizes[3] == 4
	if text[at] == '(' {
		american = g.n == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4
	}
	switch {
	case g.open || g.digits < 7 || g.digits > 15:
		return 0
	case international && g.n > 1 && g.digits >= 8 && text[at+1] != '0':
	case american && !g.slash && g.last-at >= 12 && !plainBlanks(text[at:g.last]):
	case text[at] != '+' && wordBefore(text[max(0, at-phoneContext):at], min(at, phoneContext), phoneWords):
	default:
		return 0
	}
	return ended(text, at, g.last, atEOF)
}

// groups are the groups of digits of what may be a telephone number.
type groups struct {
	n, digits int
	sizes     [8]int // of the first groups
	last      int    // the end of the last digit
	open      bool   // a bracket is not closed
	slash     bool   // a slash follows the first group
}

// groupsOf reads groups of digits and returns where they end.
func groupsOf(text string, at int) (g groups, end int) {
	g.last = at
	group, seps := 0, 0
	var size int // of the byte or character at end
	for end := at; ; end += size {
		if end >= len(text) || end-at >= maxPhone {
			return g, end
		}
		b := text[end]
		size = 1
		if b >= utf8.RuneSelf {
			if b, size = separator(text, end); b == invisible && g.digits > 0 {
				continue
			}
		}
		switch {
		case detect.Digits[b]:
			if group == 0 {
				g.n++
			}
			g.digits++
			group++
			g.last = end + 1
			if g.n <= len(g.sizes) {
				g.sizes[g.n-1] = group
			}
			seps = 0
			continue
		case b == '+' && end == at:
			continue
		case b == '(' && !g.open && g.n <= 1 && seps <= 1:
			g.open = true
		case b == ')' && g.open && group > 0:
			g.open = false
		case (b == ' ' || b == '-' || b == '.') && seps == 0 && g.n > 0 && !g.open:
			seps++
		case b == ' ' && g.n > 0 && text[end-1] == ')':
		case b == '/' && seps == 0 && g.n == 1 && !g.open && !g.slash && g.sizes[0] > 2: // DIN 5008's old form: 030/1234567
			g.slash = true
			seps++
		default:
			return g, end
		}
		group = 0
	}
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
