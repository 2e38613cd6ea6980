package report

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/suite"
)

const nasty = "</script><img src=x onerror=alert(1)> a|b `c` \x1b[31m\x00"

func testReport(t *testing.T) *suite.Report {
	t.Helper()
	exact, err := eval.NewExactMatch(nil)
	require.NoError(t, err)
	chrf, err := eval.NewChrF(nil)
	require.NoError(t, err)
	report, err := suite.Run(t.Context(), suite.Suite{
		Name: "trivia <1>", Version: "sha256:0123456789abcdef0123456789abcdef",
		Metrics: []eval.Metric{exact, chrf},
		Cases: func(yield func(*eval.Case, error) bool) {
			for i := range 20 {
				c := &eval.Case{ID: fmt.Sprint("c", i), Kind: eval.KindGolden, Input: fmt.Sprint("question ", i), References: []string{fmt.Sprint("answer ", i)}}
				switch i {
				case 3:
					c.Input = nasty
				case 4:
					c.References = nil
				}
				if i%4 == 0 {
					c.Kind = eval.KindRegression
				}
				if !yield(c, nil) {
					return
				}
			}
		},
		System: func(_ context.Context, c *eval.Case) (*eval.Output, error) {
			switch {
			case c.ID == "c7":
				return nil, errors.New("boom " + nasty)
			case c.Input == nasty:
				return &eval.Output{Text: nasty}, nil
			case strings.HasSuffix(c.ID, "5"):
				return &eval.Output{Text: "no idea"}, nil
			}
			return &eval.Output{Text: "answer " + strings.TrimPrefix(c.ID, "c"), OutputTokens: 3, CostPicoUSD: 2e6}, nil
		},
	}, &suite.Options{Thresholds: []suite.Threshold{{Metric: "exact_match", Value: 0.5}, {Metric: "chrF2", Value: 99}}})
	require.NoError(t, err)
	return report
}

func TestTerminalAndMarkdown(t *testing.T) {
	r := testReport(t)
	var text, md bytes.Buffer
	require.NoError(t, Terminal(&text, r))
	require.NoError(t, Markdown(&md, r))
	for _, want := range []string{"trivia <1>: FAILED: 2 of 3 gates", "exact_match", "kind=regression", "FAIL  chrF2 >= 99", "ok    exact_match >= 0.5", "dataset sha256:0123456789ab…", "20 cases, 1 system errors"} {
		require.Contains(t, text.String(), want)
	}
	require.NotContains(t, md.String(), "<1>")
	for line := range strings.Lines(md.String()) {
		if strings.HasPrefix(line, "|") {
			require.True(t, strings.HasSuffix(line, "|\n"), line)
		}
	}
	var fails bytes.Buffer
	require.NoError(t, Failures(&fails, r, suite.Threshold{Metric: "exact_match", Value: 1}, 3))
	require.Equal(t, 3, strings.Count(fails.String(), "\nc")+1)
	require.NotContains(t, fails.String(), "\x1b", "an output must not reach the terminal's controls")
	require.ErrorIs(t, Failures(&fails, r, suite.Threshold{Metric: "x"}, 3), ErrOption)
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JUnit(&b, testReport(t), []suite.Threshold{{Metric: "exact_match", Value: 1}}))
	var got junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &got))
	require.Equal(t, 23, got.Tests)
	require.Equal(t, 1, got.Errors)
	require.Len(t, got.Suites, 2)
	gates, cases := got.Suites[0], got.Suites[1]
	require.Equal(t, 3, gates.Tests)
	require.Equal(t, 2, gates.Failures)
	require.Equal(t, 3, cases.Failures, "c3, c5 and c15")
	require.Equal(t, 1, cases.Skipped)
	require.Equal(t, 1, cases.Errors)
	require.ErrorIs(t, JUnit(&b, testReport(t), []suite.Threshold{{Metric: "x"}}), ErrOption)
}

func TestJSONL(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, JSONL(&b, testReport(t)))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	require.Len(t, lines, 21)
	for i, line := range lines {
		var v map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(line), &v))
		key := "record"
		if i == 0 {
			key = "report"
		}
		require.Contains(t, v, key)
	}
}

func TestHTMLIsSelfContainedAndSafe(t *testing.T) {
	r := testReport(t)
	var b bytes.Buffer
	require.NoError(t, HTML(&b, r, &HTMLOptions{Baseline: r.Records()}))
	page := b.String()
	require.True(t, strings.HasSuffix(page, string(endOfPage)))
	require.NotContains(t, page, "<img")
	require.NotContains(t, page, "trivia <1>")
	for _, outside := range []string{"http://", "https://", "src=\"", "href="} {
		require.NotContains(t, page, outside, "the page must not load anything")
	}
	require.Equal(t, 3, strings.Count(page, "<h2>Distribution of"), "two metrics and the latency")
	_, data, ok := strings.Cut(page, `id="data">`)
	require.True(t, ok)
	data, _, _ = strings.Cut(data, "</script>")
	var got struct {
		Cases []pageCase
		Total int
	}
	require.NoError(t, json.Unmarshal([]byte(data), &got))
	require.Len(t, got.Cases, 20)

	b.Reset()
	require.NoError(t, HTML(&b, r, &HTMLOptions{MaxCases: 5}))
	require.Contains(t, b.String(), `"total":20`)
}

// TestNilAndBadArguments: what is nil or out of range is an ErrOption.
func TestNilAndBadArguments(t *testing.T) {
	var b strings.Builder
	r := testReport(t)
	bound := suite.Threshold{Metric: "exact_match"}
	for name, err := range map[string]error{
		"Terminal, writer": Terminal(nil, r), "Terminal, report": Terminal(&b, nil),
		"Markdown, writer": Markdown(nil, r), "Markdown, report": Markdown(&b, nil),
		"JUnit, writer": JUnit(nil, r, nil), "JUnit, report": JUnit(&b, nil, nil),
		"JSONL, writer": JSONL(nil, r), "JSONL, report": JSONL(&b, nil),
		"HTML, writer": HTML(nil, r, nil), "HTML, report": HTML(&b, nil, nil),
		"HTML, cases":      HTML(&b, r, &HTMLOptions{MaxCases: -1}),
		"Failures, writer": Failures(nil, r, bound, 1), "Failures, report": Failures(&b, nil, bound, 1),
		"Failures, number": Failures(&b, r, bound, -1),
	} {
		require.ErrorIs(t, err, ErrOption, name)
	}
	require.NoError(t, Terminal(&b, &suite.Report{}), "a report without a run is empty")
}

// TestReportsAgreeThatNothingPassed: no form of a report without evidence shows a
// pass.
func TestReportsAgreeThatNothingPassed(t *testing.T) {
	exact, err := eval.NewExactMatch(nil)
	require.NoError(t, err)
	empty, err := suite.Run(t.Context(), suite.Suite{
		Metrics: []eval.Metric{exact},
		Cases:   func(func(*eval.Case, error) bool) {},
		System:  func(context.Context, *eval.Case) (*eval.Output, error) { return nil, errors.New("not asked") },
	}, nil)
	require.NoError(t, err)
	for reason, r := range map[string]*suite.Report{"the suite has no cases": empty, notJudged: {}} {
		var text, md, html, junit, jsonl bytes.Buffer
		require.NoError(t, Terminal(&text, r))
		require.NoError(t, Markdown(&md, r))
		require.NoError(t, HTML(&html, r, nil))
		require.NoError(t, JUnit(&junit, r, nil))
		require.NoError(t, JSONL(&jsonl, r))
		for form, b := range map[string]string{"terminal": text.String(), "Markdown": md.String(), "HTML": html.String(), "JUnit": junit.String()} {
			require.Contains(t, b, reason, form)
			require.NotContains(t, b, ": passed", form)
		}
		require.Contains(t, md.String(), "## ❌")
		var got junitSuites
		require.NoError(t, xml.Unmarshal(junit.Bytes(), &got))
		require.Equal(t, 1, got.Failures)
		require.NotEqual(t, notJudged == reason, strings.Contains(jsonl.String(), `"passed":false`))
	}
}
