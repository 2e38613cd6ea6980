package dist

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The golden tests of eval/stats compare with SciPy. The laws here are also checked
// at other points.

var levels = []float64{1e-300, 1e-30, 1e-9, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999, 1 - 1e-9}

func TestQuantilesInvertTheirDistributions(t *testing.T) {
	for _, p := range levels {
		near := func(got float64, name string, params ...float64) {
			t.Helper()
			// Where the density is huge or tiny, x is known only to one part in 1e16, and
			// the tail makes that error larger.
			require.InEpsilon(t, math.Min(p, 1-p), math.Min(got, 1-got), 1e-6, "%s%v at %v", name, params, p)
		}
		near(NormalCDF(NormalQuantile(p)), "normal")
		for _, df := range []float64{0.5, 1, 2, 3.7, 30, 1000, 1e6} {
			if df >= 1 || p > 1e-100 {
				near(StudentCDF(StudentQuantile(p, df), df), "student", df)
			}
			if df > 1 || p > 1e-30 {
				near(ChiSquaredCDF(ChiSquaredQuantile(p, df), df), "chi-squared", df)
			}
			for _, b := range []float64{0.5, 1, 4, 200} {
				if x := BetaQuantile(p, df, b); x > 1e-290 && x < 1-1e-9 {
					near(BetaCDF(x, df, b), "beta", df, b)
				}
			}
		}
	}
}

func TestTailsAreOneTogether(t *testing.T) {
	for x := 0.01; x < 40; x *= 1.7 {
		require.InDelta(t, 1, NormalCDF(x)+NormalSF(x), 1e-15)
		for _, df := range []float64{1, 4, 77} {
			require.InDelta(t, 1, StudentCDF(x, df)+StudentSF(x, df), 1e-14)
			require.InDelta(t, 1, ChiSquaredCDF(x, df)+ChiSquaredSF(x, df), 1e-14)
			require.InDelta(t, FSF(x, 1, df), 2*StudentSF(math.Sqrt(x), df), 1e-13, "t² is F(1, df)")
		}
	}
	for n := range 30 {
		total := 0.0
		for k := 0; k <= n; k++ {
			total += BinomialPMF(k, n, 0.3)
			require.InDelta(t, total, BinomialCDF(k, n, 0.3), 1e-13)
			require.InDelta(t, 1-total, BinomialSF(k, n, 0.3), 1e-13)
		}
	}
	total := 0.0
	for k := range 11 {
		total += HypergeometricPMF(k, 40, 12, 10)
	}
	require.InDelta(t, 1, total, 1e-12)
}

func TestNoncentralStudentAgainstSimulation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const runs = 40_000
	for _, c := range []struct{ t, df, nc float64 }{{2, 5, 1}, {-1, 8, -2}, {1.5, 3, -0.5}, {6, 20, 5}} {
		above := 0
		for range runs {
			chi := 0.0
			for range int(c.df) {
				z := r.NormFloat64()
				chi += z * z
			}
			if (r.NormFloat64()+c.nc)/math.Sqrt(chi/c.df) > c.t {
				above++
			}
		}
		require.InDelta(t, NoncentralStudentSF(c.t, c.df, c.nc), float64(above)/runs, 0.01, "%v", c)
	}
	require.InDelta(t, NormalSF(-1), NoncentralStudentSF(2, math.Inf(1), 3), 1e-15)
	require.InDelta(t, StudentSF(1.3, 7), NoncentralStudentSF(1.3, 7, 1e-14), 1e-12)
}

// TestFarNoncentralStudent: the integral agrees with the series where both work,
// and a noncentrality of any size returns.
func TestFarNoncentralStudent(t *testing.T) {
	for _, df := range []float64{1, 3.5, 20, 300, 9000} {
		for _, x := range []float64{2, 12.7, 100, 150, 200, 400} {
			series := NoncentralStudentSF(x, df, 150)
			require.InDelta(t, series, farStudentSF(x, df, 150), 1e-9+1e-7*series, "t %v, df %v", x, df)
		}
	}
	require.InDelta(t, farStudentSF(250, 999_999, 250), farStudentSF(250, 1_000_001, 250), 1e-4)
	for _, nc := range []float64{201, 1e4, 1e9, 1e154, 1e200, math.MaxFloat64, math.Inf(1)} {
		for _, df := range []float64{0.5, 1, 30, 1e6, 1e200, math.Inf(1)} {
			for _, x := range []float64{0, 2, 1e3, 1e150, 1e300} {
				up, down := NoncentralStudentSF(x, df, nc), NoncentralStudentSF(x, df, -nc)
				require.True(t, up >= 0 && up <= 1, "t %v, df %v, nc %v: %v", x, df, nc, up)
				require.Zero(t, down)
			}
		}
	}
}

// The regions of the one-sample law meet where one formula follows another.
func TestKolmogorovRegionsMeet(t *testing.T) {
	for _, n := range []int{2, 5, 20, 100, 140, 141, 500, 3000} {
		before := 1.0
		for d := 0.2 / float64(n); d < 1; d *= 1.003 {
			p := KSOneSampleSF(n, d)
			require.GreaterOrEqual(t, p, 0.0)
			require.LessOrEqual(t, p, before+2e-6, "n %d, d %v", n, d) // the law falls
			if n >= 500 && p > 1e-3 {
				require.InDelta(t, KolmogorovSF(d*math.Sqrt(float64(n))), p, 0.02)
			}
			before = p
		}
	}
}

func TestKolmogorovSmirnovAgainstEnumeration(t *testing.T) {
	const m, n = 4, 6
	for _, d := range []float64{0.25, 0.5, 7.0 / 12, 0.75, 1} {
		paths, outside := 0, 0
		for set := range 1 << (m + n) {
			i, j, far := 0, 0, 0.0
			for k := range m + n {
				if set>>k&1 == 1 {
					i++
				} else {
					j++
				}
				far = max(far, math.Abs(float64(i)/m-float64(j)/n))
			}
			if i != m {
				continue
			}
			paths++
			if far >= d-1e-12 {
				outside++
			}
		}
		require.InDelta(t, float64(outside)/float64(paths), KSTwoSampleSF(m, n, d), 1e-12)
	}
}

func TestOutsideTheDomainIsNaN(t *testing.T) {
	nan := math.NaN()
	for _, v := range []float64{
		NormalQuantile(nan), NormalQuantile(-0.1), NormalQuantile(1.1), StudentQuantile(0.5, -1), StudentQuantile(2, 3),
		ChiSquaredQuantile(0.5, 0), ChiSquaredSF(1, -1), BetaQuantile(0.5, -1, 1), BetaCDF(0.5, 0, 1), BinomialCDF(1, 3, 2),
		NoncentralStudentSF(nan, 1, 1), NoncentralStudentSF(1, 0, 1), KolmogorovSF(nan), KSOneSampleSF(0, 0.5), KSTwoSampleSF(0, 1, 0.5),
	} {
		require.True(t, math.IsNaN(v), v)
	}
	require.Equal(t, math.Inf(-1), NormalQuantile(0))
	require.Equal(t, math.Inf(1), StudentQuantile(1, 4))
	require.Equal(t, math.Inf(-1), StudentQuantile(0, 4))
	require.Equal(t, 0.0, BetaQuantile(0, 2, 3))
	require.Equal(t, 1.0, BetaQuantile(1, 2, 3))
	require.Equal(t, 1.0, FSF(-1, 2, 3))
}

// FuzzDistributions: probabilities are probabilities, and every call returns.
func FuzzDistributions(f *testing.F) {
	f.Add(1.0, 2.0, 3.0)
	f.Add(1e-300, 1e6, 1e300)
	f.Add(-5.0, 0.1, math.Inf(1))
	f.Fuzz(func(t *testing.T, x, a, b float64) {
		if math.Abs(a) > 1e7 || math.Abs(b) > 1e7 {
			return // works, but slowly
		}
		for i, p := range []float64{
			NormalCDF(x), NormalSF(x), StudentSF(x, a), StudentCDF(x, a), ChiSquaredCDF(x, a), ChiSquaredSF(x, a),
			FSF(x, a, b), BetaCDF(x, a, b), KolmogorovSF(x),
		} {
			if !math.IsNaN(p) && !(p >= 0 && p <= 1+1e-12) {
				t.Errorf("function %d at (%v, %v, %v) is %v", i, x, a, b, p)
			}
		}
		NormalQuantile(x)
		StudentQuantile(x, a)
		BetaQuantile(x, a, b)
		ChiSquaredQuantile(x, a)
		if math.Abs(b) < 40 {
			NoncentralStudentSF(x, a, b)
		}
	})
}

// At a point that rounding puts on the far side of the mean from both ends, the two sides
// would hand the work to each other without end.
func TestBetaAtTheMean(t *testing.T) {
	for _, c := range [][4]float64{{4.0 / 3, 2.5, 0.4, 0.6000000000000001}, {2.6666666666666665 / 2, 0.5, 0.4, 0.6}, {1, 1, 0.5000000000000001, 0.5000000000000001}} {
		lower, upper := betaTails(c[0], c[1], c[2], c[3])
		require.InDelta(t, 1, lower+upper, 1e-9)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 { // random points next to the mean
		a, b := 3*r.Float64(), 3*r.Float64()
		x := math.Nextafter((a+1)/(a+b+2), r.Float64())
		lower, upper := betaTails(a, b, x, 1-x)
		require.True(t, lower >= 0 && lower <= 1 && upper >= 0 && upper <= 1)
	}
}
