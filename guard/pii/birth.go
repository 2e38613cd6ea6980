package pii

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

var birthWords = []string{"born", "birth", "dob", "d.o.b", "geboren", "geb.", "geburts", "né le", "née le", "naissance", "nacid", "nacimiento", "nato il", "nata il", "nascita", "nasc", "geboortedatum", "urodz", "рожд", "생년월일"}

// Words for birth in Chinese and Japanese, which write no blanks: before a date, and
// after it.
var (
	cjkBefore = []string{"生年月日", "出生", "生日", "誕生日", "生まれ"}
	cjkAfter  = []string{"生", "出生"}
)

func birthRule() detect.Rule {
	return detect.Rule{
		Kind: KindDateOfBirth, Score: .85, Reason: "a date after a word for birth", Threats: threats(),
		Starts: digitStarts + "ADFJMNOSadfjmnos", Max: maxDate*widest + 12, Match: matchBirth,
	}
}

// eras are the Japanese eras in which living people were born.
var eras = []string{"大正", "昭和", "平成", "令和"}

// eraRules find dates with the year of a Japanese era, such as 昭和60年3月12日, next to a
// word for birth.
func eraRules() []detect.Rule {
	var rules []detect.Rule
	for _, era := range eras {
		r := birthRule()
		r.Starts, r.Prefix, r.Max = "", era, r.Max+len(era)
		r.Match = func(text string, at int, atEOF bool) int {
			from := at + len(era)
			v, whole := dateView(text, from, atEOF)
			if !whole {
				return detect.NeedMore
			}
			year := detect.Digits.Run(v.text, 0, 2)
			if year == 0 || !strings.HasPrefix(v.text[year:], "/") {
				return 0
			}
			n := dateLength("1900" + v.text[year:]) // any year will do: only the length is needed
			if n == 0 {
				return 0
			}
			return born(text, at, v, n-4+year, atEOF)
		}
		rules = append(rules, r)
	}
	return rules
}

// maxDate limits a date, in characters. "23rd of September, 1985" has 23.
const maxDate = 28

// dateBytes are the characters of a date. The mark ! means 日, with which a Chinese or
// Japanese date ends.
var dateBytes = detect.NewClass("A-Za-z0-9./,' !-")

func matchBirth(text string, at int, atEOF bool) int {
	if b := text[at]; b == wideStart[0] && !digitAt(text, at) || letters[b] && len(text) >= at+3 && text[at+1] < utf8.RuneSelf && text[at+2] < utf8.RuneSelf && !isMonth(text[at:at+3]) {
		return 0
	}
	if digits := detect.Digits.Run(text, at, 5); digits-at == 3 || digits-at == 5 {
		return 0 // neither a day nor a year
	} else if digits < len(text) && digits > at && text[digits] < utf8.RuneSelf && !context(text, at, birthWords) && !cjkBorn(text, at) {
		return 0
	}
	v, whole := dateView(text, at, atEOF)
	if !whole {
		if context(text, at, birthWords) || cjkBorn(text, at) || mayBeCJK(v) {
			return detect.NeedMore
		}
		return 0
	}
	n := dateLength(v.text)
	if n == 0 {
		return 0
	}
	return born(text, at, v, n, atEOF)
}

// mayBeCJK reports whether v is a date that begins with a year and 年, or may become one
// when more text comes.
func mayBeCJK(v plainView) bool {
	year := detect.Digits.Run(v.text, 0, 5)
	return year > 0 && (year == len(v.text) || v.text[year] == '/' && v.ends[year]-v.ends[year-1] > 1)
}

// born returns the length in bytes of the date that is the first n characters of v, or 0
// if no word next to it means birth.
func born(text string, at int, v plainView, n int, atEOF bool) int {
	if n < len(v.text) && v.text[n] == '!' {
		n++
	}
	end := v.ends[n-1]
	if context(text, at, birthWords) || cjkBorn(text, at) {
		return end - at
	}
	if v.text[n-1] != '!' || !mayBeCJK(v) {
		return 0
	}
	for _, w := range cjkAfter {
		if strings.HasPrefix(text[end:], w) {
			return end - at
		}
		if !atEOF && strings.HasPrefix(w, text[end:]) {
			return detect.NeedMore
		}
	}
	return 0
}

// cjkBorn reports whether a Chinese or Japanese word for birth is before a date, in the
// same clause.
func cjkBorn(text string, at int) bool {
	from := at
	for from > 0 && text[from-1] >= utf8.RuneSelf || from > 0 && from == at && text[from-1] <= ' ' {
		from--
	}
	before := strings.TrimSpace(text[from:at])
	for _, w := range cjkBefore {
		if i := strings.LastIndex(before, w); i >= 0 && !strings.ContainsAny(before[i+len(w):], "，。、；") && !strings.HasSuffix(before[:i], "日") {
			return true
		}
	}
	return false
}

// A plainView is a part of a text in which char has replaced each character.
type plainView struct {
	text string
	ends [maxDate]int // where each byte of text ends in the original
}

// dateView reads at most maxDate characters of a date. It replaces them as char does,
// drops the marks of Latin letters, and writes 年 and 月 as a stroke. whole is false if
// the date may go on in text that has not come yet.
func dateView(text string, at int, atEOF bool) (v plainView, whole bool) {
	var buf [maxDate]byte
	n, end := 0, at
	for end < len(text) && n < maxDate {
		b, size := char(text, end)
		if size == 0 {
			var r rune
			r, size = utf8.DecodeRuneInString(text[end:])
			if b = dateRune(r); b == 0 {
				break
			}
		}
		if b != invisible && !dateBytes[b] {
			break
		}
		end += size
		if b != invisible {
			buf[n] = b
			n++
			v.ends[n-1] = end
		}
		if b == '!' {
			break
		}
	}
	v.text = string(buf[:n])
	return v, atEOF || end < len(text) || n == maxDate
}

// dateRune returns what a character means in a date, if char has no answer for it. 0 means
// that it is not a part of a date.
func dateRune(r rune) byte {
	switch r {
	case '年', '月', '년', '월':
		return '/'
	case '日', '일':
		return '!'
	case 'ä', 'á', 'à', 'Ä':
		return 'a'
	case 'é', 'è', 'ê':
		return 'e'
	case 'û', 'ú', 'ü':
		return 'u'
	}
	return 0
}

// dateLength returns the length of the date that s starts with, or 0. A date is three
// numbers with separators, or a day, the name of a month and a year in any order.
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
		"avr", "jui", "fev", "aou", // French
		"ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott": // Spanish, Italian
		return true
	}
	return false
}
