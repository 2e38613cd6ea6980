package redteam

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func results(outcomes ...Outcome) *Report {
	r := &Report{Version: 1}
	for i, o := range outcomes {
		r.Results = append(r.Results, Result{Attack: string(rune('a' + i)), Kind: KindAttack, Threats: []string{"LLM01:2025"}, Outcome: o})
	}
	return r
}

func TestWilson(t *testing.T) {
	// The values are those of R: prop.test(k, n, correct = FALSE).
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{{5, 10, .2366, .7634}, {0, 928, 0, .00412}, {1, 20, .0089, .2361}, {20, 20, .8389, 1}, {0, 1, 0, .7935}} {
		low, high := wilson(c.k, c.n)
		require.InDelta(t, c.low, low, 5e-5, "%d of %d", c.k, c.n)
		require.InDelta(t, c.high, high, 5e-5, "%d of %d", c.k, c.n)
	}
}

func TestRates(t *testing.T) {
	r := results(OutcomeSucceeded, OutcomeResisted, OutcomeResisted, OutcomeUnscored, OutcomeFailed, OutcomeResisted)
	require.Equal(t, "1/4 = 25.0 % [4.6, 69.9], 1 unscored, 1 failed", r.Total().String())
	require.Len(t, r.ByThreat(), 1)
	require.Equal(t, 1, r.ByThreat()[0].Succeeded)
	// garak#2210: what can't be scored flows through to the report.
	require.Equal(t, "not tested, 2 unscored, 0 failed", results(OutcomeUnscored, OutcomeUnscored).Total().String())
	var page bytes.Buffer
	require.NoError(t, results(OutcomeUnscored).WriteHTML(&page, "x"))
	require.Contains(t, page.String(), "Nothing was assessed")
}

// garak#2090: once in five tries is 20 % of the tries, and every one of five.
func TestHitAt(t *testing.T) {
	r := &Report{Version: 1}
	for attack := range 5 {
		for try := range 5 {
			o := OutcomeResisted
			if try == attack {
				o = OutcomeSucceeded
			}
			r.Results = append(r.Results, Result{Attack: string(rune('a' + attack)), Kind: KindAttack, Try: try, Threats: []string{"LLM01:2025"}, Outcome: o})
		}
	}
	require.InDelta(t, .2, r.Total().Value, 1e-12)
	require.InDelta(t, .2, r.HitAt(1), 1e-12)
	require.InDelta(t, .4, r.HitAt(2), 1e-12) // 1 - C(4,2)/C(5,2)
	require.InDelta(t, 1, r.HitAt(5), 1e-12)
	require.True(t, math.IsNaN(r.HitAt(6)))
	require.Equal(t, 5, r.Breached().Succeeded)
}

func TestGate(t *testing.T) {
	open := Gate{MaxRate: .5, MaxUnassessed: .5, MaxBlocked: .5}
	require.NoError(t, open.Check(results(OutcomeSucceeded, OutcomeResisted)))
	require.ErrorIs(t, Gate{}.Check(results(OutcomeSucceeded, OutcomeResisted)), ErrGate)
	require.NoError(t, Gate{}.Check(results(OutcomeResisted)))
	require.ErrorContains(t, Gate{MaxRate: 1}.Check(results(OutcomeResisted, OutcomeFailed)), "1 of 2 tries were not assessed (0 unscored, 1 failed): 50.0 %, at most 0.0 %; first ")
	require.ErrorContains(t, Gate{ByThreat: map[string]float64{"LLM02:2025": 1}}.Check(results(OutcomeResisted)), "LLM02:2025 was not tested")
	require.ErrorContains(t, Gate{ByThreat: map[string]float64{"LLM02:2025": 1}, MaxRate: .1}.Check(results(OutcomeSucceeded)), "LLM01:2025")
	require.NoError(t, Gate{ByThreat: map[string]float64{"LLM01:2025": 1}}.Check(results(OutcomeSucceeded)))
	blocked := results(OutcomeResisted)
	blocked.Results = append(blocked.Results, Result{Attack: "o", Kind: KindOrdinary, Outcome: OutcomeResisted})
	require.ErrorContains(t, Gate{}.Check(blocked), "ordinary requests are blocked in 1/1")
	before, after := results(OutcomeResisted, OutcomeSucceeded, OutcomeResisted), results(OutcomeSucceeded, OutcomeResisted, OutcomeResisted)
	require.ErrorContains(t, Gate{MaxRate: 1, Baseline: before}.Check(after), "first a")
	require.ErrorIs(t, Gate{MaxRate: 2}.Check(after), ErrOption)
	require.ErrorIs(t, Gate{}.Check(nil), ErrOption)
	d := Compare(before, after)
	require.Equal(t, Difference{New: []string{"a"}, Fixed: []string{"b"}, Same: 1, P: 1}, d)
	require.InDelta(t, .03125, mcnemar(6, 0), 1e-12)
	require.InDelta(t, .0390625, mcnemar(1, 8), 1e-12)
}

func TestReportRoundTrip(t *testing.T) {
	tester, err := New(says(Answer{Text: "Ho <script>ho</script> \u202e", Calls: []Call{{"send", "{}"}}}), &Options{Secrets: []string{"Kranich-4417"}})
	require.NoError(t, err)
	r, err := tester.Run(context.Background(), Builtin())
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = r.WriteTo(&b)
	require.NoError(t, err)
	again, err := ReadReport(&b)
	require.NoError(t, err)
	require.Equal(t, r, again)
	for _, text := range []string{"", "{}", `{"version":1,"results":[{}]}`, `{"version":1,"results":[{"attack":"a","kind":"attack","outcome":"won"}]}`} {
		_, err := ReadReport(strings.NewReader(text))
		require.ErrorIs(t, err, ErrReport, text)
	}
	_, err = ReadReport(nil)
	require.ErrorIs(t, err, ErrOption)
	r.Results[0].Outcome, r.Results[0].Talk[0].Answer = OutcomeSucceeded, "<script>alert(1)</script>"
	var page bytes.Buffer
	require.NoError(t, r.WriteHTML(&page, "A <b>title</b>"))
	require.NotContains(t, page.String(), "<script")
	require.NotContains(t, page.String(), "\u202e")
	require.NotContains(t, page.String(), "<b>title")
}
