package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

// TestGoldenMonitoringStatistics runs the two-sample, categorical, proportion and
// SPRT rows of the monitoring set, which lecture 16 uses. The detectors of that
// file belong to another package.
func TestGoldenMonitoringStatistics(t *testing.T) {
	type row struct {
		Kind                 string
		A, B                 []float64
		KS                   float64
		Asymp                float64  `json:"ks_p_asymp"`
		Exact                *float64 `json:"ks_p_exact"`
		Limit                float64  `json:"ks_p_limit"`
		Wasserstein          float64
		U                    *float64 `json:"mwu_u"`
		UP                   float64  `json:"mwu_p"`
		T                    *float64 `json:"welch_t"`
		TP                   float64  `json:"welch_p"`
		TDF                  float64  `json:"welch_df"`
		Expected, Actual     []int
		PSI                  float64 `json:"psi_eps1e4"`
		JSD                  float64 `json:"js_distance_base2"`
		JSBits               float64 `json:"js_divergence_base2"`
		JSNats               float64 `json:"js_divergence_nats"`
		Hellinger, TVD, Chi2 float64
		Chi2P                float64 `json:"chi2_p"`
		Chi2DF               float64 `json:"chi2_dof"`
		K1, N1, K2, N2       int
		Fisher               float64 `json:"fisher_p"`
		Z                    *float64
		ZP                   float64    `json:"z_p"`
		Wilson               [2]float64 `json:"wilson95_2"`
		Clopper              [2]float64 `json:"clopper95_2"`
		P0, P1, Alpha, Beta  float64
		Upper, Lower, LLR    float64
		X                    []float64
		Decision             []any
	}
	shares := func(counts []int) []float64 {
		total, out := 0.0, make([]float64, len(counts))
		for _, n := range counts {
			total += float64(n)
		}
		for i, n := range counts {
			out[i] = float64(n) / total
		}
		return out
	}
	check := func(data json.RawMessage) error {
		var kind struct{ Kind string }
		if err := json.Unmarshal(data, &kind); err != nil {
			return err
		}
		switch kind.Kind {
		case "two_sample", "categorical", "proportion", "sprt_bernoulli":
		default:
			return nil
		}
		var r row
		if err := json.Unmarshal(data, &r); err != nil {
			return err
		}
		var c checks
		tail := func(name string, got, want float64) {
			if got < 1e-200 && want < 1e-200 {
				return
			}
			if !(math.Abs(got-want) <= 1e-7*want+1e-15) {
				c.add("%s: got %v, want %v", name, got, want)
			}
		}
		switch r.Kind {
		case "two_sample":
			ks, err := KolmogorovSmirnov(r.A, r.B, KSSciPy)
			c.value("ks", c.orNaN("ks", ks.Statistic, err), r.KS)
			tail("ks scipy p", ks.P, r.Asymp)
			ks, err = KolmogorovSmirnov(r.A, r.B, KSLimit)
			tail("ks limit p", c.orNaN("ks", ks.P, err), r.Limit)
			if r.Exact != nil {
				ks, err = KolmogorovSmirnov(r.A, r.B, KSExact)
				tail("ks exact p", c.orNaN("ks", ks.P, err), *r.Exact)
			}
			w, err := Wasserstein(r.A, r.B)
			c.value("wasserstein", c.orNaN("wasserstein", w, err), r.Wasserstein)
			if r.U != nil {
				u, err := MannWhitney(r.A, r.B, &MannWhitneyOptions{Method: RankMethodNormal})
				c.value("u", c.orNaN("u", u.Statistic, err), *r.U)
				tail("u p", u.P, r.UP)
			}
			if r.T != nil {
				w, err := WelchT(r.A, r.B, AlternativeTwoSided)
				c.value("t", c.orNaN("t", w.Statistic, err), *r.T)
				c.value("df", w.DF, r.TDF)
				tail("t p", w.P, r.TP)
			}
		case "categorical":
			e, a := shares(r.Expected), shares(r.Actual)
			number := func(name string, want float64) func(float64, error) {
				return func(got float64, err error) { c.value(name, c.orNaN(name, got, err), want) }
			}
			number("psi", r.PSI)(PSI(e, a, 1e-4))
			number("hellinger", r.Hellinger)(Hellinger(e, a))
			number("total variation", r.TVD)(TotalVariation(e, a))
			number("js", r.JSNats)(JensenShannon(e, a, 0))
			js, _ := JensenShannon(e, a, 0)
			c.value("js bits", js/math.Ln2, r.JSBits)
			c.value("js distance", math.Sqrt(js/math.Ln2), r.JSD)
			var table [2][]int // without the columns that are empty in both
			for i := range r.Expected {
				if r.Expected[i]+r.Actual[i] > 0 {
					table[0], table[1] = append(table[0], r.Expected[i]), append(table[1], r.Actual[i])
				}
			}
			chi, err := ChiSquaredTable(table[:], nil)
			c.value("chi2", c.orNaN("chi2", chi.Statistic, err), r.Chi2)
			c.value("chi2 df", chi.DF, r.Chi2DF)
			tail("chi2 p", chi.P, r.Chi2P)
		case "proportion":
			f, err := FisherExact([2][2]int{{r.K1, r.N1 - r.K1}, {r.K2, r.N2 - r.K2}}, AlternativeTwoSided)
			tail("fisher", c.orNaN("fisher", f.P, err), r.Fisher)
			if r.Z != nil {
				z, err := TwoProportionZ(r.K2, r.N2, r.K1, r.N1, AlternativeTwoSided)
				c.value("z", c.orNaN("z", z.Statistic, err), *r.Z)
				tail("z p", z.P, r.ZP)
			}
			for method, want := range map[ProportionMethod][2]float64{ProportionWilson: r.Wilson, ProportionClopperPearson: r.Clopper} {
				ci, err := ProportionInterval(r.K2, r.N2, 0.95, method)
				c.value("low", c.orNaN("interval", ci.Low, err), want[0])
				c.value("high", ci.High, want[1])
			}
		case "sprt_bernoulli":
			s, err := NewSPRT(r.P0, r.P1, &SPRTOptions{Alpha: r.Alpha, Beta: r.Beta})
			if err != nil {
				return err
			}
			c.value("upper", s.Upper, r.Upper)
			c.value("lower", s.Lower, r.Lower)
			for _, x := range r.X {
				if s.Add(x == 1) != VerdictUndecided {
					break
				}
			}
			if r.Decision != nil {
				if got := fmt.Sprint([]any{s.DecidedAt - 1, s.Verdict}); got != fmt.Sprint(r.Decision) {
					c.add("decision %s, want %v", got, r.Decision)
				}
				c.value("llr", s.LLR, r.LLR)
			}
		}
		return c.err()
	}
	golden.Rows(t, "trace", "detectors.jsonl", check)
}
