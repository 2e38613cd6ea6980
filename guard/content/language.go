package content

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/internal/norm"
)

// Each line of languages.tsv has a language's code, its most frequent trigrams with
// their counts in the Universal Declaration of Human Rights, and how many it has.
//
//go:embed languages.tsv
var languageTable string

// A profile is the log probability of a language's trigrams.
type profile struct {
	code  string
	log   map[string]float64
	other float64 // of a trigram that is not in the table
}

var profiles = sync.OnceValue(func() []profile {
	var all []profile
	for line := range strings.Lines(languageTable) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		total, _ := strconv.ParseFloat(f[2], 64)
		p := profile{code: f[0], log: map[string]float64{}, other: math.Log(.5 / total)}
		for item := range strings.SplitSeq(f[1], "|") {
			digits := strings.IndexFunc(item, unicode.IsDigit)
			n, _ := strconv.ParseFloat(item[digits:], 64)
			p.log[strings.ReplaceAll(item[:digits], "_", " ")] = math.Log(n / total)
		}
		all = append(all, p)
	}
	return all
})

// ownScript has the languages that are known by their script alone.
var ownScript = []struct {
	code   string
	script *unicode.RangeTable
}{
	{"ja", unicode.Hiragana}, {"ja", unicode.Katakana}, {"ko", unicode.Hangul}, {"zh", unicode.Han}, {"el", unicode.Greek}, {"he", unicode.Hebrew}, {"th", unicode.Thai},
	{"bn", unicode.Bengali}, {"ta", unicode.Tamil}, {"te", unicode.Telugu}, {"ka", unicode.Georgian}, {"hy", unicode.Armenian},
}

// Languages returns the codes (ISO 639-1) that [Language] can return, sorted.
func Languages() []string {
	var out []string
	for _, p := range profiles() {
		out = append(out, p.code)
	}
	for _, s := range ownScript {
		out = append(out, s.code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// minLetters and minMargin are when a guess is made: below, the answer is unknown. They
// were set on the texts of the Declaration.
const minLetters, minMargin = 16, .06

// maxSample bounds the letters that are looked at.
const maxSample = 4000

// Language returns the code of the language that a text is in, and false if the text
// is too short, or between two languages. Code blocks and links are left out. The same
// text gives the same answer each time: equal scores are in the order of the table.
func Language(text string) (string, bool) {
	letters := map[string]int{}
	total := 0
	clean := strings.ToLower(norm.NFC.String(quotedCode.ReplaceAllString(text, " ")))
	if len(clean) > 4*maxSample {
		clean = atRune(clean, 4*maxSample)
	}
	for _, r := range clean {
		if !unicode.IsLetter(r) {
			continue
		}
		total++
		for _, s := range ownScript {
			if unicode.Is(s.script, r) {
				letters[s.code]++
				break
			}
		}
	}
	if code, ok := byScript(letters, total); ok {
		return code, true
	}
	if total < minLetters {
		return "", false
	}
	best, second, code := math.Inf(-1), math.Inf(-1), ""
	grams := trigrams(clean)
	for _, p := range profiles() {
		sum := 0.0
		for _, g := range grams {
			if v, ok := p.log[g]; ok {
				sum += v
			} else {
				sum += p.other
			}
		}
		switch sum /= float64(max(1, len(grams))); {
		case sum > best:
			best, second, code = sum, best, p.code
		case sum > second:
			second = sum
		}
	}
	return code, best-second >= minMargin && best > -8.8
}

// byScript decides the languages with a script of their own.
func byScript(letters map[string]int, total int) (string, bool) {
	if kana := letters["ja"]; kana > 0 && (kana+letters["zh"])*2 > total && kana*10 > letters["zh"] {
		return "ja", true
	}
	for _, s := range ownScript {
		if n := letters[s.code]; n >= 2 && n*2 > total {
			return s.code, true
		}
	}
	return "", false
}

// trigrams returns the trigrams of the words of a text, with a blank at both ends.
func trigrams(text string) []string {
	var out []string
	for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		r := []rune(" " + w + " ")
		for i := 0; i+3 <= len(r) && len(out) < maxSample; i++ {
			out = append(out, string(r[i:i+3]))
		}
	}
	return out
}

// LanguageCheck returns a check that finds texts in another language than the listed
// ones. A text whose language is unknown passes. A code that [Languages] does not have
// is an error that wraps [ErrOption].
func LanguageCheck(allowed ...string) (guard.Check, error) {
	known := Languages()
	for _, code := range allowed {
		if !slices.Contains(known, code) {
			return guard.Check{}, fmt.Errorf("%w: the language %q: want one of %v", ErrOption, code, known)
		}
	}
	if len(allowed) == 0 {
		return guard.Check{}, fmt.Errorf("%w: no language is allowed", ErrOption)
	}
	return guard.Check{Name: "language", Find: func(_ context.Context, text string) ([]guard.Finding, error) {
		code, ok := Language(text)
		if !ok || slices.Contains(allowed, code) {
			return nil, nil
		}
		return []guard.Finding{{Kind: "LANGUAGE", End: len(text), Score: 1, Reason: "the text is in the language " + code}}, nil
	}}, nil
}
