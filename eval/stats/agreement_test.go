package stats

import (
	"fmt"
	"math"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenAgreement(t *testing.T) {
	type row struct {
		Raters       [][]int
		K            int
		Cohen        map[string]num
		CohenSE      *[3]num `json:"cohen_se_ci"`
		Fleiss       num
		Randolph     num
		Data         [][]num `json:"data_missing"`
		Krippendorff map[string]any
		Raw          num `json:"raw_agreement"`
		Scott        num `json:"scott_pi"`
		Gwet         num `json:"gwet_ac1"`
	}
	golden.Rows(t, "eval", "agreement.jsonl", func(r row) error {
		var c checks
		a, b := r.Raters[0], r.Raters[1]
		for name, w := range map[string]Weighting{"none": WeightingNone, "linear": WeightingLinear, "quadratic": WeightingQuadratic} {
			got, err := CohenKappa(a, b, r.K, w)
			c.value("cohen "+name, c.orNaN("cohen", got.Value, err), float64(r.Cohen[name]))
			if w == WeightingNone && r.CohenSE != nil {
				c.value("cohen se", got.SE, float64(r.CohenSE[0]))
				ci, err := got.Interval(0.95)
				c.value("cohen low", c.orNaN("cohen interval", ci.Low, err), float64(r.CohenSE[1]))
				c.value("cohen high", ci.High, float64(r.CohenSE[2]))
			}
		}
		number := func(name string, want num) func(float64, error) {
			return func(got float64, err error) {
				c.value(name, c.orNaN(name, got, err), float64(want))
			}
		}
		number("raw", r.Raw)(PercentAgreement(a, b))
		number("scott", r.Scott)(ScottPi(a, b, r.K))
		number("fleiss", r.Fleiss)(FleissKappa(r.Raters, r.K))
		number("randolph", r.Randolph)(RandolphKappa(r.Raters, r.K))
		number("gwet", r.Gwet)(GwetAC([][]int{a, b}, r.K, WeightingNone))
		data := make([][]float64, len(r.Data))
		for i := range data {
			data[i] = floats(r.Data[i])
		}
		for name, scale := range map[string]Scale{"nominal": ScaleNominal, "ordinal": ScaleOrdinal,
			"interval": ScaleInterval, "ratio": ScaleRatio} {
			want := math.NaN() // "ValueError"
			switch v := r.Krippendorff[name].(type) {
			case float64:
				want = v
			case string:
			default:
				return fmt.Errorf("krippendorff %s: %T", name, v)
			}
			number("krippendorff "+name, num(want))(KrippendorffAlpha(data, scale))
		}
		return c.err()
	})
}
