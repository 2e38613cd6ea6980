package pii

import (
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var birthWords = []string{"born", "birth", "dob", "d.o.b", "geboren", "geb.", "geburts", "né le", "née le", "naissance", "nacid", "nacimiento", "nato il", "nata il", "nascita", "nasc", "geboortedatum", "urodz", "рожд", "生年月日", "出生"}

func birthRule() detect.Rule {
	return detect.Rule{
		Kind: KindDateOfBirth, Score: .85, Reason: "a date behind a word for birth", Threats: threats(),
		Starts: "0123456789" + "ADFJMNOSadfjmnos", Max: 32, Match: matchBirth,
	}
}

// maxDate bounds "23rd of September, 1985" and the like.
const maxDate = 28

var dateBytes = detect.NewClass("A-Za-z0-9./,' -")

func matchBirth(text string, at int, atEOF bool) int {
	if letters[text[at]] && len(text) >= at+3 && !isMonth(text[at:at+3]) || !context(text, at, birthWords) {
		return 0
	}
	end := dateBytes.Run(text, at, maxDate)
	if end == len(text) && end-at < maxDate && !atEOF {
		return detect.NeedMore
	}
	return dateLength(text[at:end])
}

// dateLength returns the length of the date that s starts with, or 0: three
// numbers with separators, or a day, a month's name and a year in any order.
func dateLength(s string) int {
	var numbers []int
	month := false
	at, end := 0, 0
	for parts := 0; parts < 3; {
		stop := at
		for stop < len(s) && detect.Word[s[stop]] {
			stop++
		}
		switch word := s[at:stop]; {
		case word == "":
			return 0
		case isMonth(word):
			if month {
				return 0
			}
			month = true
			parts++
		case strings.EqualFold(word, "of") || strings.EqualFold(word, "de"):
		default:
			n, ok := dayOrYear(word)
			if !ok {
				return 0
			}
			numbers = append(numbers, n)
			parts++
		}
		end, at = stop, stop
		for at < len(s) && !detect.Word[s[at]] && at-stop < 2 {
			at++
		}
		if parts < 3 && at == stop {
			return 0
		}
	}
	year := slices.IndexFunc(numbers, func(n int) bool { return n >= 1880 && n < 2100 })
	if year < 0 && !month {
		year = len(numbers) - 1 // two digits, at the end
	}
	if year < 0 {
		return 0
	}
	rest := slices.Delete(numbers, year, year+1)
	if slices.Min(rest) < 1 || slices.Max(rest) > 31 || !month && slices.Min(rest) > 12 {
		return 0
	}
	return end
}

func dayOrYear(word string) (int, bool) {
	digits := strings.TrimRight(strings.ToLower(word), "sthndr")
	if digits == "" || len(digits) > 4 || detect.Digits.Run(digits, 0, 4) != len(digits) || len(word)-len(digits) > 2 {
		return 0, false
	}
	return num(digits, 0, len(digits)), true
}

func isMonth(word string) bool {
	if len(word) < 3 || !letters[word[0]] {
		return false
	}
	first := [3]byte{word[0] | 0x20, word[1] | 0x20, word[2] | 0x20} // in small letters
	switch string(first[:]) {
	case "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", // English
		"mai", "okt", "dez", // German
		"avr", "jui", // French
		"ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott": // Spanish, Italian
		return true
	}
	return false
}
