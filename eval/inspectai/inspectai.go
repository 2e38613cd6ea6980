package inspectai

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
)

// ErrOption is wrapped by every error about an option or a required argument.
var ErrOption = errors.New("inspectai: invalid option")

// A Score is what a scorer returns.
type Score struct {
	Correct bool
	// Answer is what was taken for the answer, and Found whether there was one.
	Answer string
	Found  bool
}

// A Location says where [Match] looks for the target. Default: [LocationEnd].
type Location string

// The locations.
const (
	LocationEnd   Location = "end"
	LocationBegin Location = "begin"
	LocationAny   Location = "any"
	LocationExact Location = "exact"
)

// MatchOptions are the settings of [Match]; nil means the defaults.
type MatchOptions struct {
	// Location of the target in the output. Default: [LocationEnd].
	Location Location
	// MatchCase compares upper and lower case. Default: false, case is ignored.
	MatchCase bool
	// Numeric compares numbers by value, if the target is one. Default: false.
	Numeric bool
}

// Match is the scorer match: the target is at a place of the output, without blanks
// and punctuation around it. The first target that matches decides.
func Match(output string, targets []string, o *MatchOptions) (Score, error) {
	var opts MatchOptions
	if o != nil {
		opts = *o
	}
	if opts.Location == "" {
		opts.Location = LocationEnd
	}
	if !slices.Contains([]Location{LocationEnd, LocationBegin, LocationAny, LocationExact}, opts.Location) {
		return Score{}, fmt.Errorf("%w: MatchOptions.Location is %q: want end, begin, any or exact", ErrOption, opts.Location)
	}
	var last Score
	for _, t := range targets {
		last.Found = true
		last.Answer, last.Correct = opts.match(output, t)
		if last.Correct {
			break
		}
	}
	return last, nil
}

func (o *MatchOptions) match(value, target string) (answer string, ok bool) {
	v, t := strip(value), strip(target)
	answer = v
	if !o.MatchCase {
		v, t = fold(v), fold(t)
	}
	if o.Numeric {
		t = numericText(t)
		if _, ok := number(trimNumber(t)); ok {
			return o.numeric(numericText(v), normalNumber(t, true), answer)
		}
	}
	v, t = trimPunctuation(v), trimPunctuation(t)
	switch o.Location {
	case LocationBegin:
		return answer, strings.HasPrefix(v, t)
	case LocationExact:
		return answer, v == t
	case LocationAny:
		return answer, strings.Contains(v, t)
	}
	return answer, strings.HasSuffix(v, t)
}

func (o *MatchOptions) numeric(v, t, answer string) (string, bool) {
	words := strings.FieldsFunc(v, space)
	switch o.Location {
	case LocationExact:
		v = normalNumber(v, false)
		return v, v == t
	case LocationAny:
		for _, w := range words {
			if _, ok := number(trimNumber(w)); ok && normalNumber(w, true) == t {
				return t, true
			}
		}
		return answer, false
	case LocationEnd:
		slices.Reverse(words)
	}
	v = ""
	for _, w := range words {
		if _, ok := number(trimNumber(w)); ok {
			v = normalNumber(w, true)
			break
		}
	}
	return v, v == t
}

// IncludesOptions are the settings of [Includes]; nil means the defaults.
type IncludesOptions struct {
	// MatchCase compares upper and lower case. Default: false, case is ignored.
	MatchCase bool
}

// Includes is the scorer includes: a target is somewhere in the output.
func Includes(output string, targets []string, o *IncludesOptions) Score {
	var last Score
	for _, t := range targets {
		last.Found = true
		last.Answer = output
		if o == nil || !o.MatchCase {
			last.Answer, t = fold(output), fold(t)
		}
		if last.Correct = strings.Contains(last.Answer, t); last.Correct {
			break
		}
	}
	return last
}

// Pattern is the scorer pattern: a regular expression takes the answer out of the
// output, and it must be one of the targets, in any case. With several groups, one of
// them must be. Without a group it is the whole match.
func Pattern(output string, targets []string, pattern *regexp.Regexp) (Score, error) {
	if pattern == nil {
		return Score{}, fmt.Errorf("%w: the pattern is nil", ErrOption)
	}
	at := pattern.FindStringSubmatchIndex(output)
	if at == nil {
		return Score{}, nil
	}
	if len(at) > 2 {
		at = at[2:]
	}
	for i := 0; i < len(at); i += 2 {
		if at[i] >= 0 && oneOf(output[at[i]:at[i+1]], targets) {
			m := output[at[i]:at[i+1]]
			return Score{Correct: m != "", Answer: m, Found: true}, nil
		}
	}
	if len(at) == 2 && at[0] >= 0 {
		return Score{Answer: output[at[0]:at[1]], Found: true}, nil
	}
	return Score{}, nil
}

func oneOf(answer string, targets []string) bool {
	answer = strings.ToLower(answer) // as Python's lower, which folds less than strings.EqualFold
	return slices.ContainsFunc(targets, func(t string) bool { return strings.ToLower(t) == answer })
}

// An AnswerKind is what follows "ANSWER:".
type AnswerKind string

// The kinds.
const (
	AnswerLetter AnswerKind = "letter"
	AnswerWord   AnswerKind = "word"
	AnswerLine   AnswerKind = "line"
)

const blank = `[\s\x0b\x1c-\x1f\x{85}\p{Z}]`

var (
	marker = regexp.MustCompile(`(?i)ANSWER` + blank + `*:`)
	letter = regexp.MustCompile(`^(?i)ANSWER` + blank + `*:` + blank + `*([A-Za-z])([^\pL\pN_]|\z)`)
	word   = regexp.MustCompile(`^(?i)ANSWER` + blank + `*:` + blank + `*([^\s\x0b\x1c-\x1f\x{85}\p{Z}]+?)[.,;:!?]?` + blank + `*?(?:\n|\z)`)
	line   = regexp.MustCompile(`(?i)ANSWER` + blank + `*:` + blank + `*([^\n]+)` + blank + `*\z`)
)

// Answer is the scorer answer: what the last "ANSWER:" of the output says must be one
// of the targets, in any case.
func Answer(output string, targets []string, kind AnswerKind) (Score, error) {
	switch kind {
	case AnswerLine:
		return Pattern(output, targets, line)
	case AnswerLetter, AnswerWord:
	default:
		return Score{}, fmt.Errorf("%w: the kind is %q: want letter, word or line", ErrOption, kind)
	}
	marks := marker.FindAllStringIndex(output, -1)
	if len(marks) == 0 {
		return Score{}, nil
	}
	form := letter
	if kind == AnswerWord {
		form = word
	}
	// An earlier mark has a later one after it, so only the last one can be it.
	m := form.FindStringSubmatch(output[marks[len(marks)-1][0]:])
	if m == nil {
		return Score{}, nil
	}
	return Score{Correct: oneOf(m[1], targets), Answer: m[1], Found: true}, nil
}

// F1 is the scorer f1: the best F1 of words over the targets, rounded to two decimals.
func F1(output string, targets []string) float64 {
	best := 0.0
	answer := counts(output)
	for _, t := range targets {
		target := counts(t)
		if len(target) == 0 {
			continue
		}
		same, na, nt := 0.0, 0.0, 0.0
		for w, n := range answer {
			same += float64(min(n, target[w]))
			na += float64(n)
		}
		for _, n := range target {
			nt += float64(n)
		}
		p, r := 1.0, same/nt
		if na > 0 {
			p = same / na
		}
		if p+r > 0 {
			best = max(best, 2*p*r/(p+r))
		}
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(best, 'f', 2, 64), 64) // as Python's round
	if err != nil {
		return best
	}
	return v
}

// Exact is the scorer exact: output and a target are equal after normalization. A
// target without a word, such as "the", matches nothing.
func Exact(output string, targets []string) Score {
	s := Score{Answer: output, Found: true}
	got := normal(output)
	for _, t := range targets {
		want := normal(t)
		s.Correct = s.Correct || want != "" && want == got
	}
	return s
}

func counts(text string) map[string]int {
	out := map[string]int{}
	for _, w := range strings.FieldsFunc(normal(text), space) {
		out[w]++
	}
	return out
}

// normal cuts a text at blanks and hyphens, and writes each number in one form.
func normal(text string) string {
	var out []string
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '-' }) {
		w = withoutPunctuation(fold(w))
		if f, ok := float(w); ok {
			w = pythonFloat(f)
		}
		w = strings.Join(strings.FieldsFunc(articles(w), space), " ")
		if w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " ")
}

func withoutPunctuation(w string) string {
	if _, ok := float(w); ok {
		return w
	}
	if inner := trimPunctuation(w); inner != w {
		if _, ok := float(inner); ok {
			return inner
		}
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(punctuation, r) {
			return -1
		}
		return r
	}, w)
}

// articles replaces a, an and the where they are whole words.
func articles(text string) string {
	runes := []rune(text)
	inWord := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsNumber(runes[i]) || runes[i] == '_')
	}
	var b strings.Builder
	for i := 0; i < len(runes); {
		found := 0
		if !inWord(i - 1) {
			for _, a := range []string{"an", "a", "the"} {
				if n := len(a); found == 0 && i+n <= len(runes) && string(runes[i:i+n]) == a && !inWord(i+n) {
					found = n
				}
			}
		}
		if found > 0 {
			b.WriteByte(' ')
			i += found
			continue
		}
		b.WriteRune(runes[i])
		i++
	}
	return b.String()
}

const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

func space(r rune) bool               { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
func strip(s string) string           { return strings.TrimFunc(s, space) }
func fold(s string) string            { return cases.Fold().String(s) }
func trimPunctuation(s string) string { return strings.Trim(s, " \t\n\r\x0b\x0c"+punctuation) }
func trimNumber(s string) string      { return strings.Trim(s, "!?:;()[]{}'\"`") }
