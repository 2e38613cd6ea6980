package pii

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// Words for documents whose numbers have many forms and no known check digit.
var (
	passportWords = []string{"passport", "reisepass", "passnummer", "passeport", "pasaporte", "passaporto", "passaporte", "paspoort", "护照", "護照", "パスポート", "旅券番号", "여권"}
	licenseWords  = []string{"driving licence", "driving license", "driver licence", "driver license", "driver's licence", "driver's license", "drivers license", "drivers licence",
		"driver’s license", "driver’s licence", "license dl", "dl number", "dl no", "dl#", "führerschein", "permis de conduire", "permiso de conducir", "patente di guida", "rijbewijs", "驾驶证", "駕照", "運転免許"}
)

// documentContext is the largest distance, in bytes, from the start of the word to the
// number.
const documentContext = 40

func passportRule() detect.Rule {
	return documentRule(KindPassport, passportWords, 7, 9)
}

func licenseRule() detect.Rule {
	return documentRule(KindDriverLicense, licenseWords, 6, 18)
}

// documentRule finds capital letters and digits after one of the words. Five of them or
// more are digits: a word in capital letters is not a number.
func documentRule(kind string, words []string, shortest, longest int) detect.Rule {
	return detect.Rule{
		Kind: kind, Score: .7, Reason: "letters and digits after the document's name", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + digitStarts, Max: longest*2*widest + 2,
		Match: func(text string, at int, atEOF bool) int {
			if at > 0 && text[at-1] != '#' && joined(text, at) {
				return 0
			}
			n, digits, end, last := 0, 0, at, at
			for end < len(text) && n <= longest {
				b, size := char(text, end)
				digit := detect.Digits[b]
				switch {
				case digit || b >= 'A' && b <= 'Z':
					n++
					if digit {
						digits++
					}
					last = end + size
				case b == invisible && n > 0, b == '-' && n > 0 && end == last:
				default:
					size = 0
				}
				if size == 0 {
					break
				}
				end += size
			}
			if end == len(text) && n <= longest && !atEOF {
				return detect.NeedMore
			}
			if n < shortest || n > longest || digits < 5 || !near(text, at, documentContext, words) {
				return 0
			}
			return ended(text, at, last, atEOF)
		},
	}
}

var postcodeWords = []string{"postcode", "post code", "postal code"}

func postcodeRule() detect.Rule {
	return detect.Rule{
		Kind: KindUKPostcode, Score: .8, Reason: "form and the word before it", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPRSTUWYZabcdefghijklmnoprstuwyz", Max: 7 + 2*widest + 2, Match: matchPostcode,
	}
}

// matchPostcode finds postcodes such as SW1A 1AA: one or two letters, a digit, perhaps one
// more digit or letter, perhaps a blank, a digit and two letters.
func matchPostcode(text string, at int, atEOF bool) int {
	area := letters.Run(text, at, 2)
	if area == len(text) {
		return undecided(atEOF)
	}
	if !detect.Digits[text[area]] || joined(text, at) || !context(text, at, postcodeWords) {
		return 0
	}
	end := area + 1
	for _, more := range []bool{true, false} { // with and without a second character in the district
		if end == len(text) {
			return undecided(atEOF)
		}
		from := end
		if more {
			if !alnumBytes[text[from]] {
				continue
			}
			from++
		}
		switch n := inward(text, from, atEOF); {
		case n == detect.NeedMore:
			return n
		case n > 0:
			return ended(text, at, n, atEOF)
		}
	}
	return 0
}

// inward returns where the second part of a postcode ends, 0 if there is none. The letters
// CIKMOV are never in it.
func inward(text string, at int, atEOF bool) int {
	if at == len(text) {
		return undecided(atEOF)
	}
	if b, size := char(text, at); b == ' ' {
		at += size
	}
	if at == len(text) {
		return undecided(atEOF)
	}
	if !detect.Digits[text[at]] {
		return 0
	}
	end := letters.Run(text, at+1, 2)
	switch {
	case end < at+3 && end == len(text):
		return undecided(atEOF)
	case end < at+3 || strings.ContainsAny(text[at+1:end], "CIKMOVcikmov"):
		return 0
	}
	return end
}
