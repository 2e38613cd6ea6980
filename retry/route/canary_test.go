package route

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/retry/fault"
)

// A bench is a canary with a clock of its own.
type bench struct {
	*Canary
	now time.Time
}

func newBench(t testing.TB, o CanaryOptions) *bench {
	t.Helper()
	b := &bench{now: time.Unix(1_700_000_000, 0)}
	o.Now = func() time.Time { return b.now }
	c, err := NewCanary(&o)
	require.NoError(t, err)
	b.Canary = c
	return b
}

// roll sends calls until the rollout ends, or there were most, and returns how many
// the canary has served. rate is the canary's failure rate at a weight.
func (b *bench) roll(r *rand.Rand, most int, stable float64, rate func(weight int) float64) (canary int) {
	for range most {
		b.now = b.now.Add(time.Second)
		v := b.Assign("")
		failures := stable
		if v == VersionCanary {
			canary++
			failures = rate(b.State().Weight())
		}
		j := JudgmentGood
		if r.Float64() < failures {
			j = JudgmentFailed
		}
		b.Record(v, j, 100*time.Millisecond)
		if p := b.State().Phase; p == PhaseFailed || p == PhasePromoted {
			return canary
		}
	}
	return canary
}

// fixedSize is the smallest test of a fixed size with these error rates: it rolls
// back when more than c of n calls failed.
func fixedSize(p0, p1, alpha, beta float64) int {
	// The binomial distribution function, in logs.
	below := func(n, c int, p float64) float64 {
		sum := 0.0
		for k := range c + 1 {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(k + 1))
			d, _ := math.Lgamma(float64(n - k + 1))
			sum += math.Exp(a - b - d + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		}
		return sum
	}
	for n := 1; ; n++ {
		for c := 0; ; c++ {
			if 1-below(n, c, p0) > alpha {
				continue
			}
			if below(n, c, p1) <= beta {
				return n
			}
			break
		}
	}
}

// TestRollouts: over 2,000 rollouts each, a canary at Allowed is rolled back in at
// most 5 %, one at Alarming is promoted in at most 5 %, and both need at most 60 % of
// the results of a test of fixed size on average.
func TestRollouts(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	const rollouts = 2000
	n := fixedSize(0.01, 0.03, 0.05, 0.05)
	wrong, samples := map[float64]int{}, map[float64]int{}
	for i, rate := range []float64{0.01, 0.03} {
		for seed := range uint64(rollouts) {
			b := newBench(t, CanaryOptions{Interval: time.Second})
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			// Only results of the canary matter here: the stable version's are left out.
			for b.State().Phase == PhaseProgressing {
				b.now = b.now.Add(time.Second)
				j := JudgmentGood
				if r.Float64() < rate {
					j = JudgmentFailed
				}
				b.Record(VersionCanary, j, time.Millisecond)
				samples[rate]++
			}
			if (b.State().Phase == PhaseFailed) == (rate == 0.01) {
				wrong[rate]++
			}
		}
	}
	t.Logf("false rollback %.2f %%, missed regression %.2f %%, results %.0f and %.0f, of a fixed-size test %d (%.0f %% and %.0f %% fewer)",
		100*float64(wrong[0.01])/rollouts, 100*float64(wrong[0.03])/rollouts,
		float64(samples[0.01])/rollouts, float64(samples[0.03])/rollouts, n,
		100-100*float64(samples[0.01])/rollouts/float64(n), 100-100*float64(samples[0.03])/rollouts/float64(n))
	require.LessOrEqual(t, wrong[0.01], rollouts*5/100)
	require.LessOrEqual(t, wrong[0.03], rollouts*5/100)
	for _, rate := range []float64{0.01, 0.03} {
		require.LessOrEqual(t, float64(samples[rate])/rollouts, 0.6*float64(n))
	}
}

// TestARegressionUnderLoad: a canary that fails only from 25 % on is rolled back,
// though the test had found it good before.
func TestARegressionUnderLoad(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	back := 0
	for seed := range uint64(100) {
		b := newBench(t, CanaryOptions{})
		b.roll(rand.New(rand.NewPCG(seed, 8)), 200_000, 0.005, func(weight int) float64 {
			if weight >= 25 {
				return 0.10
			}
			return 0.001
		})
		if b.State().Phase == PhaseFailed {
			back++
		}
	}
	require.Greater(t, back, 90)
}

// TestABadCanaryIsOffAtOnce: the call after the deciding one goes to the stable
// version, and few users have seen it.
func TestABadCanaryIsOffAtOnce(t *testing.T) {
	b := newBench(t, CanaryOptions{})
	n := b.roll(rand.New(rand.NewPCG(1, 1)), 10_000, 0, func(int) float64 { return 1 })
	require.Equal(t, PhaseFailed, b.State().Phase)
	require.LessOrEqual(t, n, 4)
	for range 1000 {
		require.Equal(t, VersionStable, b.Assign(""))
	}
	require.Contains(t, b.State().Reason, "rolled back")
}

// TestNoDataNeverPromotes: neither time nor the stable version's results lead to a
// step.
func TestNoDataNeverPromotes(t *testing.T) {
	b := newBench(t, CanaryOptions{})
	for range 10_000 {
		b.now = b.now.Add(time.Minute)
		b.Record(VersionStable, JudgmentGood, time.Millisecond)
		b.Record(VersionCanary, JudgmentNone, time.Millisecond)
		require.NoError(t, b.Sync(t.Context()))
	}
	s := b.State()
	require.Equal(t, 1, s.Step)
	require.Equal(t, 1, s.Weight())
	require.Equal(t, PhaseProgressing, s.Phase)
	require.Equal(t, "held: the step has too few results", s.Reason)

	b = newBench(t, CanaryOptions{StepTimeout: time.Hour, OnTimeout: TimeoutRollback})
	b.now = b.now.Add(59 * time.Minute)
	require.NoError(t, b.Sync(t.Context()))
	require.Equal(t, PhaseProgressing, b.State().Phase)
	b.now = b.now.Add(2 * time.Minute)
	require.NoError(t, b.Sync(t.Context()))
	require.Equal(t, PhaseFailed, b.State().Phase)
}

// TestStableFailsAsWell: an outage of the provider hits both versions, and isn't a
// reason to roll back.
func TestStableFailsAsWell(t *testing.T) {
	b := newBench(t, CanaryOptions{})
	r := rand.New(rand.NewPCG(4, 4))
	b.roll(r, 20_000, 0.3, func(int) float64 { return 0.3 })
	require.Equal(t, PhaseProgressing, b.State().Phase)
	require.Equal(t, 1, b.State().Weight())
	b.roll(r, 200_000, 0.002, func(int) float64 { return 0.002 }) // the outage is over
	require.Equal(t, PhasePromoted, b.State().Phase)
}

// TestBothFail: in an outage of both versions hardly any rollout is rolled back, and a
// canary that is much worse than a stable version which isn't well either is.
func TestBothFail(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	back := 0
	for seed := range uint64(100) {
		b := newBench(t, CanaryOptions{})
		b.roll(rand.New(rand.NewPCG(seed, 21)), 10_000, 0.3, func(int) float64 { return 0.3 })
		if b.State().Phase == PhaseFailed {
			back++
		}
	}
	t.Logf("%d of 100 rolled back in an outage of both", back)
	require.LessOrEqual(t, back, 10)
	for seed := range uint64(50) {
		b := newBench(t, CanaryOptions{})
		r := rand.New(rand.NewPCG(seed, 22))
		for range 2000 { // the stable version alone
			b.Record(VersionStable, judgedAs(r.Float64() < 0.04), 0)
		}
		n := b.roll(r, 100_000, 0.04, func(int) float64 { return 1 })
		require.Equal(t, PhaseFailed, b.State().Phase)
		require.LessOrEqual(t, n, 12)
	}
}

func judgedAs(failed bool) Judgment {
	if failed {
		return JudgmentFailed
	}
	return JudgmentGood
}

// TestGates: a missed service level holds the weight, and the third one rolls back;
// it needs enough results.
func TestGates(t *testing.T) {
	b := newBench(t, CanaryOptions{MaxLatency: time.Second})
	record := func(n int, took time.Duration) {
		for range n {
			b.Record(VersionCanary, JudgmentGood, took)
		}
	}
	record(19, 3*time.Second)
	b.now = b.now.Add(time.Hour)
	require.NoError(t, b.Sync(t.Context()))
	require.Zero(t, b.State().Failed, "too few")
	record(1, 3*time.Second)
	require.Equal(t, 1, b.State().Failed)
	record(5, 3*time.Second)
	require.Equal(t, 1, b.State().Failed, "one look in an Interval")
	for range 2 {
		require.Equal(t, 1, b.State().Weight())
		b.now = b.now.Add(time.Minute)
		record(1, 3*time.Second)
	}
	require.Equal(t, PhaseFailed, b.State().Phase)
	require.Contains(t, b.State().Reason, "MaxLatency")

	b = newBench(t, CanaryOptions{MaxFailureRate: 0.02, Alarming: 0.5, FailedChecks: 1})
	for i := range 60 {
		b.now = b.now.Add(time.Second)
		b.Record(VersionCanary, map[bool]Judgment{true: JudgmentFailed, false: JudgmentGood}[i%20 == 19], time.Millisecond)
	}
	require.Equal(t, PhaseFailed, b.State().Phase)
	require.Contains(t, b.State().Reason, "MaxFailureRate")
}

// TestWeightsAreExact: the share is that of the weight, with and without users, and
// users keep their version.
func TestWeightsAreExact(t *testing.T) {
	if race.Enabled {
		t.Skip("it has one goroutine, and takes long under the race detector")
	}
	b := newBench(t, CanaryOptions{Steps: []int{20, 40}})
	count := 0
	for range 1000 {
		if b.Assign("") == VersionCanary {
			count++
		}
	}
	require.Equal(t, 200, count)
	first := map[string]bool{}
	for i := range 10_000 {
		if user := fmt.Sprint("user ", i); b.Assign(user) == VersionCanary {
			first[user] = true
		}
	}
	require.InDelta(t, 2000, len(first), 150)
	b.change(func(s *CanaryState) { s.Progress.Check(true) }, nil)
	grown := 0
	for i := range 10_000 {
		user := fmt.Sprint("user ", i)
		v := b.Assign(user)
		if v == VersionCanary {
			grown++
		}
		require.False(t, first[user] && v == VersionStable, "a user who has the canary keeps it")
	}
	require.InDelta(t, 4000, grown, 200)
}

// TestPeople: pause, resume, rollback and the next version.
func TestPeople(t *testing.T) {
	b := newBench(t, CanaryOptions{Version: "v2"})
	good := func(int) float64 { return 0 }
	r := rand.New(rand.NewPCG(1, 1))
	b.Pause()
	b.roll(r, 100_000, 0, good)
	require.Equal(t, 1, b.State().Step)
	require.Equal(t, PhasePaused, b.State().Phase)
	b.Resume()
	b.Rollback("a user complained")
	require.Equal(t, 0, b.State().Weight())
	require.Equal(t, "a user complained", b.State().Reason)
	b.Restart("v3")
	s := b.State()
	require.Equal(t, "v3", s.Version)
	require.Equal(t, 1, s.Step)
	require.Zero(t, s.Total.Canary.N())
	b.roll(r, 100_000, 0, good)
	require.Equal(t, PhasePromoted, b.State().Phase)
	require.Equal(t, 100, b.State().Weight())
	b.Pause()
	require.Equal(t, PhasePromoted, b.State().Phase)
}

// TestPausedCanaryIsStillRolledBack: a person who has stopped the steps has not
// stopped the test.
func TestPausedCanaryIsStillRolledBack(t *testing.T) {
	b := newBench(t, CanaryOptions{})
	b.Pause()
	b.roll(rand.New(rand.NewPCG(1, 1)), 10_000, 0, func(int) float64 { return 1 })
	require.Equal(t, PhaseFailed, b.State().Phase)
}

// TestModelRollsBack: outcomes count for the version that served them, also when a
// stable target served in place of the canary. The stable version being down, the
// canary serves: a pool is never empty.
func TestModelRollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := NewCanary(&CanaryOptions{Steps: []int{5}})
		require.NoError(t, err)
		m := newModel(t, &Options{Canary: c}, Target{Name: "old", Model: says("old")}, Target{Name: "new", Model: fails(fault.ClassServerError), Canary: true})
		for range 200 {
			text, err := m.Call(t.Context(), "hello")
			require.NoError(t, err, "the stable version serves what the canary could not")
			require.Equal(t, "old", text)
		}
		s := c.State()
		require.Equal(t, PhaseFailed, s.Phase)
		require.LessOrEqual(t, s.Total.Canary.N(), 4)
		require.Equal(t, 0, s.Total.Stable.Failed)
		require.NoError(t, m.Pool().Drain("old"))
		_, err = m.Call(t.Context(), "hello")
		var e *fault.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, fault.ClassServerError, e.Class, "the canary was asked, since no stable target is left")
	})
}

// TestReplicasShareARollout: the results of three replicas add up, all see the same
// step, and what one of them rolls back is off everywhere.
func TestReplicasShareARollout(t *testing.T) {
	store := &MemoryStore{}
	var replicas []*bench
	for range 3 {
		replicas = append(replicas, newBench(t, CanaryOptions{Store: store}))
	}
	sync := func() {
		for range 2 {
			for _, b := range replicas {
				require.NoError(t, b.Sync(t.Context()))
			}
		}
	}
	for i := range 30 {
		replicas[i%3].Record(VersionCanary, JudgmentGood, time.Millisecond)
	}
	sync()
	for _, b := range replicas {
		require.Equal(t, 30, b.State().Total.Canary.Good)
		require.Equal(t, Results{}, b.pending)
	}
	for range 200 {
		for _, b := range replicas {
			b.now = b.now.Add(time.Minute)
			b.Record(VersionCanary, JudgmentGood, time.Millisecond)
		}
		sync()
	}
	for _, b := range replicas {
		require.Equal(t, PhasePromoted, b.State().Phase)
	}
	replicas[1].Restart("v2")
	replicas[1].Rollback("by hand")
	sync()
	for _, b := range replicas {
		require.Equal(t, "v2", b.State().Version)
		require.Equal(t, PhaseFailed, b.State().Phase)
	}
}

// A badStore fails, or has something else than a rollout.
type badStore struct {
	data []byte
	err  error
}

func (b badStore) Load(context.Context, string) ([]byte, int64, error) { return b.data, 1, b.err }
func (b badStore) Save(context.Context, string, []byte, int64) (bool, error) {
	return false, nil
}

func TestBadStores(t *testing.T) {
	down := errors.New("down")
	b := newBench(t, CanaryOptions{Store: badStore{err: down}})
	b.Record(VersionCanary, JudgmentGood, 0)
	require.ErrorIs(t, b.Sync(t.Context()), down)
	require.Equal(t, 1, b.pending.Canary.Good, "kept for the next time")
	for _, data := range []string{"", "x", `{"Step":99}`, `{"phase":77}`, `{"llr":-1e300}`, `{"stable_llr":1e300}`, `{"total":{"canary":{"good":-1}}}`} {
		b = newBench(t, CanaryOptions{Store: badStore{data: []byte(data)}})
		require.ErrorIs(t, b.Sync(t.Context()), ErrState, data)
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":"v2","Step":2,"llr":-1.5,"now":{"canary":{"good":5}}}`))
	f.Add([]byte(`{"Phase":2,"since":"2026-01-01T00:00:00Z","total":{"latency":[1,2]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b := newBench(t, CanaryOptions{Store: badStore{data: data}})
		_ = b.Sync(t.Context())
		s, err := b.decode(data)
		if err != nil {
			require.ErrorIs(t, err, ErrState)
			return
		}
		w := s.Weight()
		require.True(t, w >= 0 && w <= 100)
		s.add(&b.o, Results{Canary: Counts{Good: 1, Failed: 1}})
		s.check(&b.o, b.now.Add(time.Hour))
		_ = s.Now.quantile(0.95)
	})
}
