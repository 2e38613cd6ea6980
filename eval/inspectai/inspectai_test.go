package inspectai_test

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/inspectai"
	"github.com/prodailabs/prodai/internal/golden"
)

type targets []string

func (t *targets) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = targets{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

var digits = regexp.MustCompile(`(\p{Nd}+)`)

func score(name, output string, t []string) (inspectai.Score, error) {
	options := map[string]*inspectai.MatchOptions{
		"match_end": nil, "match_begin": {Location: inspectai.LocationBegin}, "match_any": {Location: inspectai.LocationAny}, "match_exact": {Location: inspectai.LocationExact},
		"match_numeric": {Numeric: true}, "match_any_numeric": {Location: inspectai.LocationAny, Numeric: true}, "match_case": {MatchCase: true},
	}
	if o, ok := options[name]; ok {
		return inspectai.Match(output, t, o)
	}
	switch name {
	case "includes":
		return inspectai.Includes(output, t, nil), nil
	case "includes_case":
		return inspectai.Includes(output, t, &inspectai.IncludesOptions{MatchCase: true}), nil
	case "exact":
		return inspectai.Exact(output, t), nil
	case "pattern_num":
		return inspectai.Pattern(output, t, digits)
	}
	return inspectai.Answer(output, t, inspectai.AnswerKind(strings.TrimPrefix(name, "answer_")))
}

func TestGoldenInspect(t *testing.T) {
	type row struct {
		Output string
		Target targets
		Scores map[string]struct {
			Value  any
			Answer *string
		}
	}
	golden.Rows(t, "eval", "inspect_scorers.jsonl", func(r row) error {
		for name, want := range r.Scores {
			if name == "f1" {
				if got := inspectai.F1(r.Output, r.Target); math.Abs(got-want.Value.(float64)) > 1e-9 {
					return fmt.Errorf("f1: got %v, want %v", got, want.Value)
				}
				continue
			}
			got, err := score(name, r.Output, r.Target)
			if err != nil {
				return err
			}
			if got.Correct != (want.Value == "C") || got.Found != (want.Answer != nil) || got.Found && got.Answer != *want.Answer {
				return fmt.Errorf("%s of %q and %q: got %+v, want %v", name, r.Output, r.Target, got, want)
			}
		}
		return nil
	})
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		output, target string
		want           bool
	}{
		{"It costs $1,234.50.", "1234.5", true}, {"about 1_000", "1000", true}, {"2½", "2.5", true}, {"3²", "9", true}, {"−5", "-5", true}, {"４２", "42", true},
		{"<42", "42", false}, {"60%", "60", false}, {"1e3", "1000", true}, {"inf", "inf", true}, {"25", "5", false}, {"0.00001", "1e-05", true}, {"1234567", "1234600", true},
		{"½", "0.5", true}, {"2⁻¹", "0.5", true}, {"٤٢", "42", true},
	} {
		s, err := inspectai.Match(c.output, []string{c.target}, &inspectai.MatchOptions{Numeric: true})
		require.NoError(t, err)
		assert.Equal(t, c.want, s.Correct, "%+v", c)
	}
}

func TestWhatCannotWork(t *testing.T) {
	_, err := inspectai.Match("x", nil, &inspectai.MatchOptions{Location: "middle"})
	require.ErrorIs(t, err, inspectai.ErrOption)
	_, err = inspectai.Pattern("x", nil, nil)
	require.ErrorIs(t, err, inspectai.ErrOption)
	_, err = inspectai.Answer("x", nil, "poem")
	require.ErrorIs(t, err, inspectai.ErrOption)
	s, err := inspectai.Match("x", nil, nil)
	require.NoError(t, err)
	assert.Equal(t, inspectai.Score{}, s)
	assert.Zero(t, inspectai.F1("", nil))
}

func FuzzScorers(f *testing.F) {
	f.Add("ANSWER: A\nANSWER: b.", "b")
	f.Add("$1,2_3.½²", "−12³")
	f.Fuzz(func(t *testing.T, output, target string) {
		for _, name := range []string{"match_end", "match_begin", "match_any", "match_exact", "match_numeric", "match_any_numeric", "match_case", "includes", "exact", "pattern_num", "answer_letter", "answer_word", "answer_line"} {
			if _, err := score(name, output, []string{target}); err != nil {
				t.Fatal(err)
			}
		}
		if v := inspectai.F1(output, []string{target}); !(v >= 0 && v <= 1) {
			t.Fatal(v)
		}
	})
}

func ExampleMatch() {
	s, err := inspectai.Match("I think the answer is 1,234.50", []string{"1234.5"}, &inspectai.MatchOptions{Numeric: true})
	fmt.Println(s.Correct, s.Answer, err)
	// Output: true 1234.5 <nil>
}
