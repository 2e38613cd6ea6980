package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPeeking is the lecture's experiment: nothing differs, and the tests are read
// after every observation. The fixed test has several times too many false alarms;
// the always-valid ones keep their promise.
func TestPeeking(t *testing.T) {
	const runs, looks, alpha = 1000, 10_000, 0.05
	r := rand.New(NewGenerator(3))
	fixed := rate(runs, func(int) bool {
		sum := 0.0
		for n := 1; n <= looks; n++ {
			sum += r.NormFloat64()
			if n >= 10 && math.Abs(sum)/math.Sqrt(float64(n)) > 1.96 {
				return true
			}
		}
		return false
	})
	require.Greater(t, fixed, 5*alpha)

	t.Run("mixture SPRT", func(t *testing.T) {
		t.Parallel()
		r := rand.New(NewGenerator(4))
		got := rate(runs, func(int) bool {
			m, err := NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: 0.01, Alpha: alpha})
			require.NoError(t, err)
			for range looks {
				s, err := m.Add(r.NormFloat64())
				require.NoError(t, err)
				if s.Reject {
					return true
				}
			}
			return false
		})
		require.LessOrEqual(t, got, alpha)
	})
	t.Run("mixture SPRT's interval", func(t *testing.T) {
		t.Parallel()
		r := rand.New(NewGenerator(5))
		got := rate(runs, func(int) bool {
			m, err := NewMixtureSPRT(4, &MixtureSPRTOptions{EffectVariance: 0.09, Alpha: alpha})
			require.NoError(t, err)
			for range looks / 20 {
				s, err := m.Add(0.3 + 2*r.NormFloat64())
				require.NoError(t, err)
				if !s.Interval.Contains(0.3) {
					return true
				}
			}
			return false
		})
		require.LessOrEqual(t, got, alpha)
	})
	t.Run("Bernoulli sequence", func(t *testing.T) {
		t.Parallel()
		r := rand.New(NewGenerator(6))
		got := rate(runs, func(int) bool {
			b, err := NewBernoulliSequence(0.3, &SequenceOptions{Alpha: alpha})
			require.NoError(t, err)
			for range looks / 20 {
				if s := b.Add(r.Float64() < 0.3); s.Reject || !s.Interval.Contains(0.3) {
					require.True(t, s.Reject, "the interval excludes what the evidence doesn't")
					return true
				}
			}
			return false
		})
		require.LessOrEqual(t, got, alpha)
	})
	t.Run("bounded sequence", func(t *testing.T) {
		t.Parallel()
		r := rand.New(NewGenerator(8))
		var width float64
		got := rate(runs, func(int) bool {
			b, err := NewBoundedSequence(&SequenceOptions{Alpha: alpha})
			require.NoError(t, err)
			for range looks / 20 {
				x := r.Float64() * r.Float64() // mean 1/4
				i, err := b.Add(x)
				require.NoError(t, err)
				if !i.Contains(0.25) {
					return true
				}
			}
			width = b.Interval().High - b.Interval().Low
			return false
		})
		require.LessOrEqual(t, got, alpha)
		require.Less(t, width, 0.15, "an interval that covers by being useless")
	})
}

func TestSequentialTestsFindEffects(t *testing.T) {
	r := rand.New(NewGenerator(9))
	found := rate(200, func(int) bool {
		m, err := NewMixtureSPRT(1, &MixtureSPRTOptions{EffectVariance: 0.04, Alpha: 0.05})
		require.NoError(t, err)
		for range 1000 {
			if s, _ := m.Add(0.2 + r.NormFloat64()); s.Reject {
				return true
			}
		}
		return false
	})
	require.Greater(t, found, 0.95)
}

func TestSPRTErrorRates(t *testing.T) {
	run := func(p float64, wrong Verdict, seed uint64) float64 {
		r := rand.New(NewGenerator(seed))
		return rate(ratedRuns, func(int) bool {
			s, err := NewSPRT(0.1, 0.2, &SPRTOptions{Alpha: 0.05, Beta: 0.1})
			require.NoError(t, err)
			for s.Verdict == VerdictUndecided {
				s.Add(r.Float64() < p)
			}
			return s.Verdict == wrong
		})
	}
	require.LessOrEqual(t, run(0.1, VerdictAcceptH1, 1), atMost(0.05/0.9))
	require.LessOrEqual(t, run(0.2, VerdictAcceptH0, 2), atMost(0.1/0.95))
}

func TestDesignsKeepTheirPower(t *testing.T) {
	d := Design{Power: 0.8}
	n, err := d.SampleSizePairedT(0.5)
	require.NoError(t, err)
	r := rand.New(NewGenerator(12))
	pairs := int(math.Ceil(n))
	got := rate(2000, func(int) bool {
		res, err := PairedT(normals(r, pairs, 0.5, 1), make([]float64, pairs), AlternativeTwoSided)
		require.NoError(t, err)
		return res.P <= 0.05
	})
	require.InDelta(t, 0.8, got, 0.04)
}
