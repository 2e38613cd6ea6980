package stats

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/prodailabs/prodai/internal/dist"
	"github.com/prodailabs/prodai/internal/golden"
)

// num is a number of a golden file: NaN and the infinities are strings there,
// and null (undefined) reads as NaN.
type num float64

func (n *num) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*n = num(math.NaN())
		return nil
	}
	v, err := strconv.ParseFloat(string(bytes.Trim(data, `"`)), 64)
	*n = num(v)
	return err
}

// checks collects the differences in a row.
type checks struct{ errs []error }

func (c *checks) add(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *checks) within(name string, got, want, tol float64) {
	if math.IsNaN(got) && math.IsNaN(want) || got == want {
		return
	}
	if d := math.Abs(got - want); !(d <= tol*math.Max(1, math.Abs(want))) {
		c.add("%s: got %v, want %v", name, got, want)
	}
}

// value is the tolerance of values: 1e-9, relative above 1.
func (c *checks) value(name string, got, want float64) { c.within(name, got, want, 1e-9) }

// p is the tolerance of p-values and distribution functions: 1e-7 relative
// with a floor of 1e-10.
func (c *checks) p(name string, got, want float64) {
	if math.IsNaN(got) && math.IsNaN(want) {
		return
	}
	if d := math.Abs(got - want); !(d <= math.Max(1e-10, 1e-7*math.Abs(want))) {
		c.add("%s: got %v, want %v", name, got, want)
	}
}

// orNaN is the number of a result that the reference gives as NaN where this
// package refuses: an error other than ErrUndefined is a failure.
func (c *checks) orNaN(name string, v float64, err error) float64 {
	if err == nil {
		return v
	}
	if !errors.Is(err, ErrUndefined) && !errors.Is(err, ErrTooFew) {
		c.add("%s: %v", name, err)
	}
	return math.NaN()
}

func (c *checks) err() error { return errors.Join(c.errs...) }

func floats(ns []num) []float64 {
	out := make([]float64, len(ns))
	for i, n := range ns {
		out[i] = float64(n)
	}
	return out
}

func TestGoldenNumpyRNG(t *testing.T) {
	type row struct {
		Seed    string
		Raw     []string `json:"raw_u64"`
		Random  []float64
		Choice  map[string][]int64
		Bool    []int
		Big     []string `json:"big_int64"`
		Permute []int    `json:"permutation10"`
	}
	golden.Rows(t, "eval", "numpy_rng.jsonl", func(r row) error {
		var c checks
		seed, ok := new(big.Int).SetString(r.Seed, 10)
		if !ok {
			return fmt.Errorf("seed %q", r.Seed)
		}
		fresh := func() *Generator {
			g, err := NewGeneratorBig(seed)
			if err != nil {
				c.add("%v", err)
				g = NewGenerator(0)
			}
			return g
		}
		if seed.IsUint64() && *fresh() != *NewGenerator(seed.Uint64()) {
			c.add("NewGenerator and NewGeneratorBig differ")
		}
		g := fresh()
		for i, want := range r.Raw {
			if got := strconv.FormatUint(g.Uint64(), 10); got != want {
				c.add("raw[%d]: got %s, want %s", i, got, want)
			}
		}
		g = fresh()
		for i, want := range r.Random {
			if got := g.Float64(); got != want {
				c.add("random[%d]: got %v, want %v", i, got, want)
			}
		}
		for n, want := range r.Choice {
			size, err := strconv.ParseUint(n, 10, 64)
			if err != nil {
				return err
			}
			got := make([]int64, len(want))
			fresh().Integers(got, size)
			if !slices.Equal(got, want) {
				c.add("integers below %s: got %v, want %v", n, got, want)
			}
		}
		bools := make([]bool, len(r.Bool))
		fresh().Bools(bools)
		for i, want := range r.Bool {
			if bools[i] != (want == 1) {
				c.add("bool[%d]: got %v, want %v", i, bools[i], want)
			}
		}
		bigs := make([]int64, len(r.Big))
		fresh().Integers(bigs, 1e15)
		for i, want := range r.Big {
			if got := strconv.FormatInt(bigs[i], 10); got != want {
				c.add("big[%d]: got %s, want %s", i, got, want)
			}
		}
		if got := fresh().Permutation(len(r.Permute)); !slices.Equal(got, r.Permute) {
			c.add("permutation: got %v, want %v", got, r.Permute)
		}
		return c.err()
	})
}

func TestGoldenDistributions(t *testing.T) {
	type row struct {
		X, Df, Q, A, B, P float64
		ChiX              float64 `json:"chi_x"`
		BetaX             float64 `json:"beta_x"`
		N, K              int
		NormSFX           float64 `json:"norm_sf_x"`
		FX                float64 `json:"f_x"`
		D1                float64 `json:"f_dfn"`
		D2                float64 `json:"f_dfd"`
		NctX              float64 `json:"nct_x"`
		NctDf             float64 `json:"nct_df"`
		NctNc             float64 `json:"nct_nc"`
		NormCDF           num     `json:"norm_cdf"`
		NormSF            num     `json:"norm_sf"`
		NormPPF           num     `json:"norm_ppf"`
		TCDF              num     `json:"t_cdf"`
		TPPF              num     `json:"t_ppf"`
		ChiSF             num     `json:"chi2_sf"`
		ChiPPF            num     `json:"chi2_ppf"`
		FSF               num     `json:"f_sf"`
		BetaCDF           num     `json:"beta_cdf"`
		BetaPPF           num     `json:"beta_ppf"`
		BinomCDF          num     `json:"binom_cdf"`
		BinomSF           num     `json:"binom_sf"`
		NctSF             num     `json:"nct_sf"`
	}
	golden.Rows(t, "eval", "stats_dist.jsonl", func(r row) error {
		var c checks
		c.p("norm_cdf", dist.NormalCDF(r.X), float64(r.NormCDF))
		c.p("norm_sf", dist.NormalSF(r.NormSFX), float64(r.NormSF))
		c.value("norm_ppf", dist.NormalQuantile(r.Q), float64(r.NormPPF))
		c.p("t_cdf", dist.StudentCDF(r.X, r.Df), float64(r.TCDF))
		c.value("t_ppf", dist.StudentQuantile(r.Q, r.Df), float64(r.TPPF))
		c.p("chi2_sf", dist.ChiSquaredSF(r.ChiX, r.Df), float64(r.ChiSF))
		c.value("chi2_ppf", dist.ChiSquaredQuantile(r.Q, r.Df), float64(r.ChiPPF))
		c.p("f_sf", dist.FSF(r.FX, r.D1, r.D2), float64(r.FSF))
		c.p("beta_cdf", dist.BetaCDF(r.BetaX, r.A, r.B), float64(r.BetaCDF))
		c.value("beta_ppf", dist.BetaQuantile(r.Q, r.A, r.B), float64(r.BetaPPF))
		c.p("binom_cdf", dist.BinomialCDF(r.K, r.N, r.P), float64(r.BinomCDF))
		c.p("binom_sf", dist.BinomialSF(r.K, r.N, r.P), float64(r.BinomSF))
		c.p("nct_sf", dist.NoncentralStudentSF(r.NctX, r.NctDf, r.NctNc), float64(r.NctSF))
		return c.err()
	})
}
