package monitor_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/trace/monitor"
)

func fresh(kind string) func() (monitor.Detector, error) {
	return func() (monitor.Detector, error) {
		if kind == "cusum" {
			return monitor.NewCUSUM(monitor.Baseline{SD: 1}, nil)
		}
		return monitor.NewEWMA(monitor.Baseline{SD: 1}, nil)
	}
}

// TestStableStreamsSeldomAlarm: the defaults raise an alarm in at most 5 % of stable
// streams of 1,000 values (a limit of 5 does so in 88 %), and find a shift of one
// standard deviation within 40 values on average.
func TestStableStreamsSeldomAlarm(t *testing.T) {
	for _, kind := range []string{"cusum", "ewma"} {
		rng := rand.New(rand.NewPCG(1, 2))
		const streams = 1000
		alarmed, delay := 0, 0
		for range streams {
			d, err := fresh(kind)()
			require.NoError(t, err)
			for range 1000 {
				s, err := d.Add(rng.NormFloat64())
				require.NoError(t, err)
				if s.State == monitor.StateAlarm {
					alarmed++
					break
				}
			}
			d, err = fresh(kind)()
			require.NoError(t, err)
			for {
				delay++
				if s, _ := d.Add(1 + rng.NormFloat64()); s.State == monitor.StateAlarm {
					break
				}
			}
		}
		t.Logf("%s: %d of %d stable streams alarm; a shift of 1 SD is found after %.1f values", kind, alarmed, streams, float64(delay)/streams)
		require.LessOrEqual(t, alarmed, streams*5/100, kind)
		require.Less(t, delay, 40*streams, kind)
	}
}

// TestOneChangeIsOneAlarm: the baseline is learned anew after an alarm.
func TestOneChangeIsOneAlarm(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	total := 0
	for range 20 {
		s, err := monitor.NewStandardized(fresh("cusum"), nil)
		require.NoError(t, err)
		found := 0
		for i := range 2000 {
			x := 50 + 10*rng.NormFloat64()
			if i >= 1000 {
				x += 30
			}
			signal, err := s.Add(x)
			require.NoError(t, err)
			if signal.State == monitor.StateAlarm {
				total++
				if i >= 1000 && i < 1020 {
					found++
					require.Equal(t, monitor.SideUp, signal.Side)
				}
			}
		}
		require.Equal(t, 1, found, "one change is one alarm")
	}
	require.LessOrEqual(t, total, 22, "false alarms in 20 streams of 2,000 values")
	s, err := monitor.NewStandardized(fresh("cusum"), &monitor.StandardizedOptions{Learn: 10})
	require.NoError(t, err)
	for range 100 { // a constant is a baseline too
		signal, err := s.Add(7)
		require.NoError(t, err)
		require.NotEqual(t, monitor.StateAlarm, signal.State)
	}
	signal, err := s.Add(8)
	require.NoError(t, err)
	require.Equal(t, monitor.StateAlarm, signal.State)
}

func TestBadValuesLeaveDetectorsAsTheyWere(t *testing.T) {
	page, _ := monitor.NewPageHinkley(nil)
	window, _ := monitor.NewADWIN(nil)
	cusum, _ := fresh("cusum")()
	ewma, _ := fresh("ewma")()
	learned, _ := monitor.NewStandardized(fresh("cusum"), nil)
	for _, d := range []monitor.Detector{page, window, cusum, ewma, learned} {
		before, err := d.Add(1)
		require.NoError(t, err)
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			_, err := d.Add(x)
			require.ErrorIs(t, err, monitor.ErrValue, "%T", d)
		}
		after, err := d.Add(1)
		require.NoError(t, err)
		require.False(t, math.IsNaN(after.Statistic), "%T %v", d, before)
		for range 600 { // numbers of any size end in an error and never in a panic
			_, _ = d.Add(math.MaxFloat64)
			_, _ = d.Add(-math.MaxFloat64)
		}
	}
	ddm, _ := monitor.NewDDM(nil)
	_, err := ddm.Add(0)
	require.ErrorIs(t, err, monitor.ErrValue, "neither good nor bad")
}

func TestOptionsThatCannotWork(t *testing.T) {
	for _, f := range []func() error{
		func() error { _, err := monitor.NewCUSUM(monitor.Baseline{}, nil); return err },
		func() error { _, err := monitor.NewEWMA(monitor.Baseline{Mean: math.NaN(), SD: 1}, nil); return err },
		func() error { _, err := monitor.NewADWIN(&monitor.ADWINOptions{Delta: 2}); return err },
		func() error { _, err := monitor.NewSPRT(0.1, 0.1, nil); return err },
		func() error { _, err := monitor.NewStandardized(nil, nil); return err },
		func() error { _, err := monitor.NewSketch(&monitor.SketchOptions{Accuracy: 1}); return err },
		func() error { _, err := monitor.NewTracker(monitor.SLO{Objective: 1}); return err },
		func() error { _, err := monitor.NewTracker(monitor.SLO{Objective: 0.9}); return err }, // 14.4 × 10 % > 1
		func() error { _, err := monitor.NewAlert(&monitor.AlertOptions{For: -1}); return err },
	} {
		require.ErrorIs(t, f(), monitor.ErrOption)
	}
}

// TestComparisons: a tiny shift of much data is no alarm, one value in both samples is
// no drift, an empty feature does not hide the others.
func TestComparisons(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	draw := func(n int, mean float64) []float64 {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = mean + rng.NormFloat64()
		}
		return xs
	}
	c, err := monitor.Compare(draw(200_000, 0), draw(200_000, 0.02), nil)
	require.NoError(t, err)
	require.Less(t, c.P, 0.01)
	require.Equal(t, monitor.StateStable, c.State)
	same := make([]float64, 50)
	c, err = monitor.Compare(same, same[:40], nil)
	require.NoError(t, err)
	require.Equal(t, []any{1.0, 0.0, 0.0}, []any{c.P, c.PSI, c.JensenShannon})
	moved := draw(50, 9)
	c, err = monitor.Compare(same, moved, nil)
	require.NoError(t, err)
	require.Equal(t, monitor.StateAlarm, c.State)
	all, err := monitor.CompareAll(map[string][]float64{"a": draw(500, 0), "b": draw(500, 0), "c": draw(500, 0)},
		map[string][]float64{"a": draw(500, 2), "b": {math.NaN(), math.NaN()}, "c": draw(500, 0)}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, all["b"].Err, monitor.ErrNoData)
	require.InDelta(t, 1, all["b"].Missing, 0)
	require.Equal(t, []monitor.State{monitor.StateAlarm, monitor.StateStable}, []monitor.State{all["a"].State, all["c"].State})
	alarmed := 0
	for range 200 { // 20 features that did not change
		ref, now := map[string][]float64{}, map[string][]float64{}
		for f := range 20 {
			name := string(rune('a' + f))
			ref[name], now[name] = draw(50, 0), draw(50, 0)
		}
		all, err := monitor.CompareAll(ref, now, &monitor.CompareOptions{Alpha: 0.05, Effect: 1e-9})
		require.NoError(t, err)
		for _, c := range all {
			if c.State == monitor.StateAlarm {
				alarmed++
				break
			}
		}
	}
	require.LessOrEqual(t, alarmed, 18)
}

// TestSketchesOfNegativeNumbersMerge: and of themselves, and of the extremes.
func TestSketchesOfNegativeNumbersMerge(t *testing.T) {
	a, _ := monitor.NewSketch(nil)
	b, _ := monitor.NewSketch(nil)
	for i := 1; i <= 5; i++ {
		require.NoError(t, a.Add(float64(-5-i)))
		require.NoError(t, b.Add(float64(-i)))
	}
	require.NoError(t, a.Merge(b))
	q, err := a.Quantile(0.75)
	require.NoError(t, err)
	require.InDelta(t, -4, q, 0.04)
	require.NoError(t, a.Merge(a))
	require.Equal(t, int64(20), a.Count())
	for _, x := range []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, -math.MaxFloat64, 0} {
		c, _ := monitor.NewSketch(nil)
		require.NoError(t, c.Add(x))
		q, err := c.Quantile(1)
		require.NoError(t, err)
		require.InEpsilon(t, x+math.Copysign(1e-300, x), q+math.Copysign(1e-300, x), 0.011, x)
	}
	empty, _ := monitor.NewSketch(nil)
	_, err = empty.Quantile(0.5)
	require.ErrorIs(t, err, monitor.ErrNoData)
	require.ErrorIs(t, empty.Merge(nil), monitor.ErrOption)
}

// TestNoDataIsNotGood: neither for a tracker nor for an alert.
func TestNoDataIsNotGood(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tr, err := monitor.NewTracker(monitor.SLO{Objective: 0.99})
	require.NoError(t, err)
	b := tr.Budget(now)
	require.True(t, math.IsNaN(b.Left))
	require.Equal(t, monitor.ConditionNoData, b.Burns[0].Condition)
	for i := range 3 { // three requests say little
		require.NoError(t, tr.Observe(now.Add(time.Duration(i)*time.Second), monitor.OutcomeBad))
	}
	require.Equal(t, monitor.ConditionNoData, tr.Budget(now).Burns[0].Condition)
	for i := range 100 {
		o := monitor.OutcomeGood
		if i%5 == 0 {
			o = monitor.OutcomeBad
		}
		require.NoError(t, tr.Observe(now.Add(time.Duration(i)*time.Second), o))
	}
	b = tr.Budget(now.Add(2 * time.Minute))
	require.Equal(t, monitor.ConditionTrue, b.Burns[0].Condition)
	require.InDelta(t, 1-23.0/103/0.01, b.Left, 1e-9)
	require.Equal(t, monitor.ConditionNoData, tr.Budget(now.Add(time.Hour)).Burns[0].Condition, "the short window is empty")
	require.Zero(t, tr.Budget(now.Add(40*24*time.Hour)).Good)
	require.NoError(t, tr.Observe(now.Add(1000*time.Hour), monitor.OutcomeGood))
	require.NoError(t, tr.Observe(now, monitor.OutcomeBad), "too old, ignored")
	require.Zero(t, tr.Budget(now.Add(1000*time.Hour)).Bad)

	a, err := monitor.NewAlert(&monitor.AlertOptions{Keep: time.Minute})
	require.NoError(t, err)
	at := func(minutes int, c monitor.Condition) monitor.Change {
		return a.Look(now.Add(time.Duration(minutes)*time.Minute), c)
	}
	require.Equal(t, monitor.ChangeFired, at(0, monitor.ConditionTrue))
	require.Equal(t, monitor.ChangeNone, at(1, monitor.ConditionNoData), "a failed query is no all-clear")
	require.Equal(t, monitor.ChangeBlind, at(20, monitor.ConditionNoData))
	require.Equal(t, monitor.ChangeNone, at(30, monitor.ConditionNoData), "reported once")
	require.Equal(t, monitor.ChangeNone, at(31, monitor.ConditionFalse))
	require.Equal(t, monitor.ChangeResolved, at(32, monitor.ConditionFalse))
	swings, err := monitor.NewAlert(nil)
	require.NoError(t, err)
	messages := 0
	for i := range 360 { // around the limit, every 10 s for an hour
		c := monitor.ConditionTrue
		if i%2 == 0 {
			c = monitor.ConditionFalse
		}
		if swings.Look(now.Add(time.Duration(i)*10*time.Second), c) != monitor.ChangeNone {
			messages++
		}
	}
	require.Equal(t, 1, messages)
}
