package pii

import (
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

func e164Rule() detect.Rule {
	return detect.Rule{
		Kind: KindPhoneE164, Score: .9, Reason: "+ and 8 to 15 digits", Threats: threats(),
		Starts: "+" + wideStart, Max: 17*widest + 2, Match: matchE164,
	}
}

// matchE164 finds numbers in the form of ITU-T E.164: a plus sign and 8 to 15 digits.
func matchE164(text string, at int, atEOF bool) int {
	plus, size := char(text, at)
	if plus != '+' || at > 0 && (text[at-1] == '+' || text[at-1] == ')') {
		return 0
	}
	n, end, last := 0, at+size, at
	for end < len(text) && n < 16 {
		b, size := char(text, end)
		if b != invisible && !detect.Digits[b] || n == 0 && b == '0' {
			break
		}
		end += size
		if b != invisible {
			n++
			last = end
		}
	}
	if end == len(text) && n < 16 && !atEOF {
		return detect.NeedMore
	}
	if n < 8 || n > 15 {
		return 0
	}
	return ended(text, at, last, atEOF)
}

func phoneRule() detect.Rule {
	return detect.Rule{
		Kind: KindPhone, Score: .7, Reason: "telephone number by its grouping", Threats: threats(),
		Starts: "+(" + digitStarts, Max: maxPhone + widest + 2, Match: matchPhone,
	}
}

// maxPhone limits a number and its separators, in bytes. maxPhoneDigits limits its
// digits.
const (
	maxPhone       = 80
	maxPhoneDigits = 17
)

// phoneContext is the largest distance, in bytes, from the start of the word to the
// number.
const phoneContext = 24

var phoneWords = []string{"tel", "telephone", "telephones", "telefon", "telefonnummer", "telefone", "telefono", "teléfono", "téléphone", "tél", "tlf", "phone", "phones", "phonenumber",
	"mobile", "mobil", "mobilnummer", "mobiltelefon", "mobilephone", "móvil", "cell", "cellphone", "cellulare", "handy", "handynummer", "rufnummer", "call me", "call us",
	"fax", "telefax", "faxnummer", "whatsapp", "hotline", "sms", "電話", "电话", "전화", "手机", "手機", "携帯", "휴대폰", "celular", "gsm", "телефон", "тел"}

// versionWords are words for a version. The number after one of them is neither a
// telephone number nor an IP address.
var versionWords = []string{"version", "build", "release", "firmware", "revision", "ver", "rev", "v"}

// isVersion reports whether a word for a version is right before a number.
func isVersion(text string, at int) bool {
	end := len(strings.TrimRight(text[:at], " .:=#"))
	from := end
	for from > 0 && end-from < 10 && detect.Word[text[from-1]] {
		from--
	}
	return end > from && slices.Contains(versionWords, strings.ToLower(text[from:end]))
}

// near reports whether one of the words, whole, begins at most n bytes before a place, with
// no digit between the word and the place.
func near(text string, at, n int, words []string) bool {
	from := max(0, at-n)
	for from > 0 && from < at && detect.Word[text[from-1]] && detect.Word[text[from]] {
		from++ // the end of a longer word
	}
	return wordBefore(text[from:at], at-from, words)
}

// matchPhone finds digits in groups. A number that begins with + or 00 may have any groups.
// The North American form 3-3-4 and some forms of mobile numbers need no word before
// them. All other numbers need one.
func matchPhone(text string, at int, atEOF bool) int {
	first, _ := char(text, at)
	if first != '+' && first != '(' && !detect.Digits[first] || joined(text, at) || at > 0 && (text[at-1] == '+' || text[at-1] == '(') {
		return 0
	}
	g, end := groupsOf(text, at)
	if end >= len(text) && end-at < maxPhone && g.digits <= maxPhoneDigits && !atEOF {
		return detect.NeedMore
	}
	sizes := g.sizes
	american := g.n == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4 && g.digits == 10 && first != '0' && first != '1' ||
		g.n == 4 && sizes[0] == 1 && first == '1' && sizes[1] == 3 && sizes[2] == 3 && sizes[3] == 4
	if first == '(' {
		american = g.n == 3 && sizes[0] == 3 && sizes[1] == 3 && sizes[2] == 4
	}
	abroad := first == '0' && g.abroad()
	row := at > 1 && text[at-1] == ' ' && detect.Digits[text[at-2]] // one of a row of numbers
	switch {
	case g.open || g.digits < 7 || g.digits > 15 && !abroad:
		return 0
	case first == '+' && g.n > 1 && g.digits >= 8 && g.head[0] != '0':
	case !row && (abroad || g.mobile()), first == '(' && g.area():
	case american && !g.slash && g.last-at >= 12 && !g.blanks:
		if isVersion(text, at) {
			return 0
		}
	case first != '+' && near(text, at, phoneContext, phoneWords):
	default:
		return 0
	}
	return ended(text, at, g.last, atEOF)
}

// groups are the groups of digits of what may be a telephone number.
type groups struct {
	n, digits int
	sizes     [8]int  // of the first groups
	head      [3]byte // the first digits
	last      int     // the end of the last digit
	open      bool    // a bracket is not closed
	slash     bool    // a slash follows the first group
	blanks    bool    // only blanks separate the groups, as in a table
}

// abroad reports whether the groups are 00, the code of a country and a number: 0044 20
// 7946 0958. Groups that all have the same size are more often something else.
func (g *groups) abroad() bool {
	if g.head[0] != '0' || g.head[1] != '0' || g.n < 2 || g.n > len(g.sizes) || g.digits < 11 || g.digits > maxPhoneDigits || g.sizes[0] < 3 || g.sizes[0] > 5 {
		return false
	}
	country := g.head[2]
	if country == '0' || country == '1' && g.sizes[0] > 3 || country == '7' && g.sizes[0] > 4 {
		return false
	}
	equal := true
	for _, s := range g.sizes[:g.n] {
		if s < 2 {
			return false
		}
		equal = equal && s == g.sizes[0]
	}
	return !equal
}

// area reports whether the groups are the code of an area in brackets with the 0 that calls
// from other areas need, and a number: (02) 5550 1234, (0141) 496 0123.
func (g *groups) area() bool {
	return g.head[0] == '0' && g.head[1] != '0' && g.n > 1 && g.sizes[0] >= 2 && g.sizes[0] <= 5 && g.digits >= 9 && g.digits <= 11
}

// mobile reports whether the groups have the form of a country's mobile numbers: 0917 123
// 4567 in the Philippines, 090-1234-5678 in Japan, 06 12 34 56 78 in France, 07911 123456
// in the United Kingdom.
func (g *groups) mobile() bool {
	if g.head[0] != '0' || g.slash {
		return false
	}
	is := func(sizes ...int) bool { return g.n == len(sizes) && slices.Equal(g.sizes[:g.n], sizes) }
	switch g.head[1] {
	case '9':
		return is(4, 3, 4) || g.head[2] == '0' && is(3, 4, 4)
	case '7', '8':
		if g.head[2] == '0' && is(3, 4, 4) {
			return true
		}
		return g.head[1] == '7' && (is(5, 6) || is(5, 3, 3) || is(2, 2, 2, 2, 2))
	case '6':
		return is(2, 2, 2, 2, 2)
	}
	return false
}

// groupsOf reads groups of digits and returns where they end.
func groupsOf(text string, at int) (g groups, end int) {
	g.last, g.blanks = at, true
	group, seps := 0, 0
	bracket := false // the last character was a closing bracket
	for end := at; ; {
		if end >= len(text) || end-at >= maxPhone || g.digits > maxPhoneDigits {
			return g, end
		}
		b, size := char(text, end)
		switch {
		case b == invisible && g.digits > 0:
			end += size
			continue
		case detect.Digits[b]:
			if group == 0 {
				g.n++
			}
			if g.digits < len(g.head) {
				g.head[g.digits] = b
			}
			g.digits++
			group++
			end += size
			g.last = end
			if g.n <= len(g.sizes) {
				g.sizes[g.n-1] = group
			}
			seps, bracket = 0, false
			continue
		case b == '+' && end == at:
			end += size
			continue
		case b == '(' && !g.open && g.n <= 1 && seps <= 1:
			g.open = true
		case b == ')' && g.open && group > 0:
			g.open = false
		case (b == ' ' || b == '-' || b == '.') && seps == 0 && g.n > 0 && !g.open:
			seps++
		case b == ' ' && g.n > 0 && bracket:
		case b == '/' && seps == 0 && g.n == 1 && !g.open && !g.slash && g.sizes[0] > 2: // DIN 5008's old form: 030/1234567
			g.slash = true
			seps++
		default:
			return g, end
		}
		if b != ' ' && digitAt(text, end+size) {
			g.blanks = false
		}
		bracket = b == ')'
		group = 0
		end += size
	}
}
