package pii

import (
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

// ibanLengths is the number of characters by country, from the IBAN registry.
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29, "BY": 28,
	"CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18,
	"FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22,
	"IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
	"LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18,
	"NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18,
	"SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22,
	"VG": 24, "XK": 20, "YE": 30,
}

func ibanRule() detect.Rule {
	return detect.Rule{
		Kind: KindIBAN, Score: .99, Reason: "country's length and mod 97 check", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" + wideStart, Max: (34+8)*widest + 2, Match: matchIBAN,
	}
}

// matchIBAN finds the compact form, and groups of four characters with one separator
// between them (ISO 13616). In small letters a number needs a word such as "IBAN" before
// it.
func matchIBAN(text string, at int, atEOF bool) int {
	if text[at] < utf8.RuneSelf && at+2 < len(text) && text[at+2] < utf8.RuneSelf && !detect.Digits[text[at+2]] && text[at+1] < utf8.RuneSelf || joined(text, at) {
		return 0 // a word, as nearly everywhere
	}
	var head [4]byte // the country and the check digits
	n, end, want := 0, at, len(head)
	rest := 0 // the number read so far modulo 97, without the first four characters
	small, separated := false, false
	for n < want {
		if end == len(text) {
			return undecided(atEOF)
		}
		b, size := char(text, end)
		if n > 0 && (b == invisible || (b == ' ' || b == '-' || b == '.') && n%4 == 0 && !separated) {
			separated = b != invisible
			end += size
			continue
		}
		small = small || b != upper(b)
		b = upper(b)
		switch digit, letter := detect.Digits[b], b >= 'A' && b <= 'Z'; {
		case !digit && !letter, n < 2 && digit, n > 1 && n < 4 && letter:
			return 0
		case n < 4:
			head[n] = b
		default:
			rest = mod97(rest, b)
		}
		separated = false
		n++
		end += size
		if n == 4 {
			var ok bool
			if want, ok = ibanLengths[string(head[:2])]; !ok {
				return 0
			}
		}
	}
	for _, b := range head {
		rest = mod97(rest, b)
	}
	if rest != 1 || small && !context(text, at, ibanWords) {
		return 0
	}
	return ended(text, at, end, atEOF)
}

var ibanWords = []string{"iban", "account", "konto"}

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

// mod97 appends a digit, or a letter as two digits (A is 10), to a number taken
// mod 97 (ISO 7064).
func mod97(rest int, b byte) int {
	if detect.Digits[b] {
		return (rest*10 + int(b-'0')) % 97
	}
	return (rest*100 + int(b-'A') + 10) % 97
}
