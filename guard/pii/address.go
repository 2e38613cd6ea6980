package pii

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

// maxAddress limits a street address, in bytes.
const maxAddress = 96

var (
	englishStreet = []string{"street", "st", "avenue", "ave", "road", "rd", "lane", "ln", "drive", "dr", "boulevard", "blvd", "court", "ct", "square", "sq", "terrace", "close", "crescent", "gardens", "parkway", "pkwy", "highway", "hwy", "quay"}
	frenchStreet  = []string{"rue", "avenue", "boulevard", "place", "chemin", "quai", "impasse", "allée"}
	germanStreet  = []string{"straße", "strasse", "str.", "weg", "allee", "platz", "gasse", "ufer", "damm"}
	romanceStreet = []string{"calle", "carrer", "avenida", "plaza", "via", "viale", "piazza", "corso", "rua", "largo"}
)

// numberFirstAddressRule finds addresses that begin with the house number: "221B Baker
// Street", "12 bis rue des Lilas".
func numberFirstAddressRule() detect.Rule {
	return detect.Rule{
		Kind: KindStreetAddress, Score: .6, Reason: "house number and street", Threats: threats(),
		Starts: "123456789", Max: maxAddress + 2,
		Match: func(text string, at int, atEOF bool) int {
			if joined(text, at) {
				return 0
			}
			w := words{text: text, at: at, atEOF: atEOF}
			number := w.next()
			if w.more || !houseNumber(number) {
				return w.none()
			}
			word := w.next()
			if strings.EqualFold(word, "bis") || strings.EqualFold(word, "ter") {
				word = w.next()
			}
			french := slices.Contains(frenchStreet, strings.ToLower(word))
			end := 0
			for i := 0; i < 5 && !w.more && word != ""; i++ {
				name := strings.ToLower(strings.TrimSuffix(word, "."))
				switch {
				case french && i > 0 && capital(word):
					end = w.end
				case !french && i > 0 && i < 4 && slices.Contains(englishStreet, name) && capital(word):
					return w.end - at
				case !french && !capital(word) && !ordinal(word):
					return w.none()
				}
				if end > 0 && w.punctuated() {
					break
				}
				word = w.next()
			}
			if w.more {
				return detect.NeedMore
			}
			return max(0, end-at)
		},
	}
}

// streetFirstAddressRule finds addresses that begin with the street: "Hauptstraße 5",
// "Calle de Alcalá 12". The street must have a word such as "straße" or "calle" in it:
// "Unter den Linden 77" is not found.
func streetFirstAddressRule() detect.Rule {
	return detect.Rule{
		Kind: KindStreetAddress, Score: .6, Reason: "street and house number", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Max: maxAddress + 2,
		Match: func(text string, at int, atEOF bool) int {
			if joined(text, at) {
				return 0
			}
			w := words{text: text, at: at, atEOF: atEOF}
			first := strings.ToLower(w.next())
			romance := slices.Contains(romanceStreet, first)
			if w.more {
				return detect.NeedMore
			}
			if !romance && !strings.ContainsAny(first, "sgwpdu") { // no German ending without one of these
				return 0
			}
			german := slices.ContainsFunc(germanStreet, func(e string) bool { return strings.HasSuffix(first, e) && len(first) > len(e) })
			for i := 0; (romance || german) && i < 4; i++ {
				word := w.next()
				switch {
				case w.more:
					return detect.NeedMore
				case houseNumber(word) && (german && i == 0 || romance && i > 0):
					return w.end - at
				case german || word == "":
					return 0
				}
			}
			return 0
		},
	}
}

func houseNumber(s string) bool {
	n := detect.Digits.Run(s, 0, 5)
	return n > 0 && s[0] != '0' && (n == len(s) || n == len(s)-1 && letters[s[n]])
}

func capital(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

func ordinal(s string) bool {
	d, ok := dayOrYear(s)
	return ok && d > 0 && letters[s[len(s)-1]]
}

// words reads words that blanks separate. The comma after a word is not a part of it.
type words struct {
	text  string
	at    int
	end   int // after the last word
	atEOF bool
	more  bool // the text ended inside a word, and more text may come
}

func (w *words) next() string {
	for n := 0; w.at < len(w.text) && n < 2; n++ {
		size := blankLen(w.text, w.at)
		if w.text[w.at] == ',' {
			size = 1
		}
		if size == 0 {
			break
		}
		w.at += size
	}
	start := w.at
	for w.at < len(w.text) && w.text[w.at] > ' ' && w.text[w.at] != ',' && !(w.text[w.at] < utf8.RuneSelf && strings.IndexByte("\"()<>[]{}|;:!?`", w.text[w.at]) >= 0) &&
		(w.text[w.at] < utf8.RuneSelf || blankLen(w.text, w.at) == 0) {
		w.at++
	}
	if w.at == len(w.text) && !w.atEOF {
		w.more = true
		return ""
	}
	w.end = w.at
	word := w.text[start:w.at]
	if strings.HasSuffix(word, ".") && len(word) > 5 { // the full stop ends the sentence, not an abbreviation
		w.end--
		word = word[:len(word)-1]
	}
	return word
}

func (w *words) punctuated() bool { return w.at < len(w.text) && blankLen(w.text, w.at) == 0 }

func (w *words) none() int {
	if w.more {
		return detect.NeedMore
	}
	return 0
}
