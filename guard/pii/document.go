package pii

import "github.com/prodailabs/prodai/guard/detect"

// Words for documents whose numbers have neither one form nor a known check.
var (
	passportWords = []string{"passport", "reisepass", "passnummer", "passeport", "pasaporte", "passaporto", "passaporte", "paspoort", "护照", "護照", "パスポート", "旅券番号", "여권"}
	licenseWords  = []string{"driving licence", "driving license", "driver licence", "driver license", "driver's licence", "driver's license", "drivers license", "drivers licence",
		"driver’s license", "driver’s licence", "license dl", "dl number", "dl no", "dl#", "führerschein", "permis de conduire", "permiso de conducir", "patente di guida", "rijbewijs", "驾驶证", "駕照", "運転免許"}
)

// documentContext is how many bytes before a number its word may begin.
const documentContext = 40

func passportRule() detect.Rule {
	return documentRule(KindPassport, passportWords, 7, 9)
}

func licenseRule() detect.Rule {
	return documentRule(KindDriverLicense, licenseWords, 6, 18)
}

// documentRule takes capital letters and digits after one of the words. The first group
// has a digit, or no group has: a word in capital letters is not a number.
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
