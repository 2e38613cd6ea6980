package stats

import (
	"strings"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenTests(t *testing.T) {
	type row struct {
		A, B, B2       []float64
		Wilcoxon       map[string][2]num
		TRel           [3]num `json:"t_rel"`
		TRelCI         [2]num `json:"t_rel_ci95"`
		Welch, Student [3]num
		MWUNormalTrue  [2]num  `json:"mwu_asymptotic_True"`
		MWUNormalFalse [2]num  `json:"mwu_asymptotic_False"`
		MWUExact       *[2]num `json:"mwu_exact_True"`
		Sign           num     `json:"sign_test_p"`
		PermTwo        *[2]num `json:"perm_exact_two"`
		PermGreater    *[2]num `json:"perm_exact_greater"`
		CohenDz        num     `json:"cohen_dz"`
		CohenD         num     `json:"cohen_d"`
		CliffsDelta    num     `json:"cliffs_delta"`
	}
	alternatives := map[string]Alternative{"two-sided": AlternativeTwoSided, "less": AlternativeLess, "greater": AlternativeGreater}
	zeros := map[string]Zeros{"wilcox": ZerosDrop, "pratt": ZerosRank, "zsplit": ZerosSplit}
	methods := map[string]RankMethod{"auto": RankMethodAuto, "exact": RankMethodExact, "approx": RankMethodNormal}
	golden.Rows(t, "eval", "stats_tests.jsonl", func(r row) error {
		var c checks
		for key, want := range r.Wilcoxon {
			part := strings.Split(key, "|")
			got, err := Wilcoxon(r.A, r.B, &WilcoxonOptions{
				Zeros: zeros[part[0]], Alternative: alternatives[part[1]], Method: methods[part[2]],
				Continuity: part[3] == "corr=True",
			})
			if err == nil {
				c.value("wilcoxon statistic "+key, got.Statistic, float64(want[0]))
			}
			c.p("wilcoxon p "+key, c.orNaN(key, got.P, err), float64(want[1]))
		}
		test := func(name string, f func(a, b []float64, alt Alternative) (TestResult, error), a, b []float64, want [3]num) {
			got, err := f(a, b, AlternativeTwoSided)
			c.value(name+" t", c.orNaN(name, got.Statistic, err), float64(want[0]))
			c.p(name+" p", c.orNaN(name, got.P, err), float64(want[1]))
			if err == nil {
				c.value(name+" df", got.DF, float64(want[2]))
			}
		}
		test("paired", PairedT, r.A, r.B, r.TRel)
		test("welch", WelchT, r.A, r.B2, r.Welch)
		test("student", StudentT, r.A, r.B2, r.Student)
		ci, err := PairedTInterval(r.A, r.B, 0.95)
		c.value("paired low", c.orNaN("paired interval", ci.Low, err), float64(r.TRelCI[0]))
		c.value("paired high", c.orNaN("paired interval", ci.High, err), float64(r.TRelCI[1]))

		mwu := func(name string, o *MannWhitneyOptions, want [2]num) {
			got, err := MannWhitney(r.A, r.B2, o)
			if err == nil {
				c.value(name+" U", got.Statistic, float64(want[0]))
			}
			c.p(name+" p", c.orNaN(name, got.P, err), float64(want[1]))
		}
		mwu("mwu continuity", &MannWhitneyOptions{Method: RankMethodNormal}, r.MWUNormalTrue)
		mwu("mwu", &MannWhitneyOptions{Method: RankMethodNormal, NoContinuity: true}, r.MWUNormalFalse)
		if r.MWUExact != nil {
			mwu("mwu exact", &MannWhitneyOptions{Method: RankMethodExact}, *r.MWUExact)
		}
		sign, err := SignTest(r.A, r.B, AlternativeTwoSided)
		c.p("sign test", c.orNaN("sign test", sign.P, err), float64(r.Sign))
		perm := func(name string, alt Alternative, want *[2]num) {
			if want == nil {
				return
			}
			got, err := PairedPermutation(r.A, r.B, &PermutationOptions{Alternative: alt})
			c.value(name+" mean", c.orNaN(name, got.Statistic, err), float64(want[0]))
			c.p(name+" p", got.P, float64(want[1]))
		}
		perm("permutation", AlternativeTwoSided, r.PermTwo)
		perm("permutation greater", AlternativeGreater, r.PermGreater)

		dz, err := CohenDz(r.A, r.B)
		c.value("dz", c.orNaN("dz", dz, err), float64(r.CohenDz))
		d, err := CohenD(r.A, r.B2)
		c.value("d", c.orNaN("d", d, err), float64(r.CohenD))
		delta, err := CliffsDelta(r.A, r.B2)
		c.value("delta", c.orNaN("delta", delta, err), float64(r.CliffsDelta))
		return c.err()
	})
}
