package openaievals

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/eval"
)

// Match is the kind Match: the answer begins with one of the ideal answers. picked is
// the first such one. "Yesterday" matches "Yes": the rule is the framework's.
func Match(sampled string, ideals ...string) (picked string, ok bool) {
	for _, ideal := range ideals {
		if strings.HasPrefix(sampled, ideal) {
			return ideal, true
		}
	}
	return "", false
}

// Includes is the kind Includes: one of the ideal answers is in the answer.
func Includes(sampled string, o *IncludesOptions, ideals ...string) bool {
	fold := func(s string) string { return s }
	if o != nil && o.IgnoreCase {
		fold = strings.ToLower
	}
	return slices.ContainsFunc(ideals, func(ideal string) bool { return strings.Contains(fold(sampled), fold(ideal)) })
}

// IncludesOptions are the settings of [Includes]; nil means the defaults.
type IncludesOptions struct {
	// IgnoreCase compares in lower case. Default: false.
	IgnoreCase bool
}

// FuzzyMatch is the kind FuzzyMatch: after [eval.NormalizeAnswer] one of the two
// contains the other. An empty text matches only an empty one.
func FuzzyMatch(sampled, ideal string) bool {
	a, b := eval.NormalizeAnswer(sampled), eval.NormalizeAnswer(ideal)
	if a == "" || b == "" {
		return a == b
	}
	return strings.Contains(a, b) || strings.Contains(b, a)
}

// F1 is the best F1 of words over the ideal answers, the second number of FuzzyMatch.
func F1(sampled string, ideals ...string) float64 {
	best := 0.0
	for _, ideal := range ideals {
		a, b := strings.Fields(eval.NormalizeAnswer(sampled)), strings.Fields(eval.NormalizeAnswer(ideal))
		count := map[string]int{}
		for _, w := range b {
			count[w]++
		}
		same := 0.0
		for _, w := range a {
			if count[w] > 0 {
				count[w]--
				same++
			}
		}
		if same > 0 {
			p, r := same/float64(len(a)), same/float64(len(b))
			best = max(best, 2*p*r/(p+r))
		}
	}
	return best
}

// JSONMatch is the kind JsonMatch: the two values are equal in every part. An answer
// that isn't JSON counts as null, and null equals nothing, not even null. As in
// Python, numbers are compared by value, and true equals 1. An ideal answer that
// isn't JSON is an [ErrFormat].
func JSONMatch(sampled, ideal string) (bool, error) {
	want, err := pythonJSON(ideal)
	if err != nil {
		return false, fmt.Errorf("%w: the ideal answer %.40q is not JSON: %w", ErrFormat, ideal, err)
	}
	got, err := pythonJSON(sampled)
	if err != nil {
		got = nil
	}
	return equalJSON(got, want), nil
}

// notANumber marks the numbers that Python's JSON has and JSON doesn't.
const notANumber = "\ue000\ue001"

// pythonJSON reads JSON as Python does, with NaN, Infinity and -Infinity.
func pythonJSON(text string) (any, error) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if quoted {
			b.WriteByte(c)
			if c == '\\' && i+1 < len(text) {
				i++
				b.WriteByte(text[i])
			}
			quoted = c != '"'
			continue
		}
		quoted = c == '"'
		word := ""
		for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
			if strings.HasPrefix(text[i:], w) {
				word = w
			}
		}
		if word == "" {
			b.WriteByte(c)
			continue
		}
		b.WriteString(`"` + notANumber + word + `"`)
		i += len(word) - 1
	}
	d := json.NewDecoder(strings.NewReader(b.String()))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() || strings.TrimLeft(b.String()[d.InputOffset():], " \t\r\n") != "" {
		return nil, fmt.Errorf("more text after the value")
	}
	return v, nil
}

func equalJSON(a, b any) bool {
	if a == nil || b == nil {
		return false
	}
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return false
		}
		for k := range y {
			if _, both := x[k]; !both {
				return false // a missing key counts as null
			}
		}
		for k := range x {
			if !equalJSON(x[k], y[k]) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equalJSON)
	case string:
		if y, ok := b.(string); ok && !strings.HasPrefix(x, notANumber) {
			return x == y
		}
	}
	x, xok := numberOf(a)
	y, yok := numberOf(b)
	switch {
	case !xok || !yok:
		return false
	case x.exact != nil && y.exact != nil:
		return x.exact.Cmp(y.exact) == 0
	case x.exact == nil && y.exact == nil:
		return x.float == y.float // infinities; NaN equals nothing
	}
	return false
}

type pythonNumber struct {
	exact *big.Rat
	float float64 // NaN or an infinity, if exact is nil
}

func numberOf(v any) (pythonNumber, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return pythonNumber{exact: big.NewRat(1, 1)}, true
		}
		return pythonNumber{exact: new(big.Rat)}, true
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			r, ok := new(big.Rat).SetString(string(v))
			return pythonNumber{exact: r}, ok
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return pythonNumber{float: f}, math.IsInf(f, 0)
		}
		return pythonNumber{exact: new(big.Rat).SetFloat64(f)}, true
	case string:
		if word, ok := strings.CutPrefix(v, notANumber); ok {
			f, err := strconv.ParseFloat(word, 64)
			return pythonNumber{float: f}, err == nil
		}
	}
	return pythonNumber{}, false
}

// InvalidChoice is the choice of a grader's reply that has none.
const InvalidChoice = "__invalid__"

// A ChoiceMatch says when a line is a choice. Default: [ChoiceMatchStartsOrEndsWith].
type ChoiceMatch string

// The framework's rules.
const (
	ChoiceMatchInclude          ChoiceMatch = "include" // the line is in the choice, and not the reverse
	ChoiceMatchExact            ChoiceMatch = "exact"
	ChoiceMatchEndsWith         ChoiceMatch = "endswith"
	ChoiceMatchStartsOrEndsWith ChoiceMatch = "starts_or_endswith"
)

func (m ChoiceMatch) matches(line, choice string) bool {
	switch m {
	case ChoiceMatchInclude:
		return strings.Contains(choice, line)
	case ChoiceMatchExact:
		return line == choice
	case ChoiceMatchEndsWith:
		return strings.HasSuffix(line, choice)
	}
	return strings.HasPrefix(line, choice) || strings.HasSuffix(line, choice)
}

// punctuation is Python's string.punctuation.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// Choice reads a grader's reply as the framework does: line by line, without
// punctuation, and from the last line on if evalType begins with "cot_classify". The
// first line that matches a choice decides. It returns [InvalidChoice] if none does.
// The choice A is found in a line "Answer": the rule is the framework's, and [judge]
// reads more strictly.
//
// [judge]: https://pkg.go.dev/github.com/prodailabs/prodai/eval/judge
func Choice(text, evalType string, match ChoiceMatch, choices []string) string {
	lines := strings.Split(strip(text), "\n")
	if strings.HasPrefix(evalType, "cot_classify") {
		slices.Reverse(lines)
	}
	for _, line := range lines {
		line = strings.Map(func(r rune) rune {
			if r < 0x80 && strings.ContainsRune(punctuation, r) {
				return -1
			}
			return r
		}, strip(line))
		if line == "" {
			continue
		}
		for _, c := range choices {
			if match.matches(line, c) {
				return c
			}
		}
	}
	return InvalidChoice
}

// strip is Python's str.strip.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}

// ChoiceScore returns a choice's score. An invalid choice has the lowest score, as in
// the framework: a grader that fails counts against the system. ok is false for a
// choice without a score.
func ChoiceScore(choice string, scores map[string]float64) (score float64, ok bool) {
	if len(scores) == 0 {
		return 0, false
	}
	if choice == InvalidChoice {
		score = math.Inf(1)
		for _, s := range scores {
			score = min(score, s)
		}
		return score, true
	}
	score, ok = scores[choice]
	return score, ok
}
