package overload

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/retry"
)

var plain = []string{"immediate_x5", "fixed_1s_x5", "exp_nojitter_x5", "full_jitter_x5", "decorrelated_x5", "full_jitter+retry_after"}

const (
	budgeted = "full_jitter+budget10%"
	breaker  = "full_jitter+breaker"
	aimd     = "aimd_concurrency+full_jitter+budget10%"
	known    = "client_rate_limit(known)+full_jitter"
)

// few returns n, or 1 under the race detector, which makes a simulation twenty
// times as slow and can't find anything there, since it has no goroutines.
func few(n uint64) uint64 {
	if race.Enabled {
		return 1
	}
	return n
}

func strategy(t testing.TB, name string) Strategy {
	for _, s := range Strategies() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no strategy %q", name)
	return Strategy{}
}

func mustRun(t testing.TB, scenario Scenario, s Strategy, seed uint64) *Result {
	r, err := Run(scenario, s, seed)
	require.NoError(t, err)
	return r
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// late is the share, in percent, of the requests that arrived at 120 to 150 s and
// were answered, and share is that of all requests. waste is the wasted calls for
// each hundred requests.
func late(r *Result) float64  { return 100 * r.LateGoodput * 30 / sum(r.Arrived[120:]) }
func share(r *Result) float64 { return 100 * float64(r.OK) / float64(r.Requests) }
func waste(r *Result) float64 { return 100 * float64(r.Wasted) / float64(r.Requests) }

// The four orders that the strategies of the reference have.
func TestOrderings(t *testing.T) {
	t.Parallel()
	seeds := []uint64{11, 1}
	if race.Enabled {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		all := map[Scenario]map[string]*Result{}
		for _, scenario := range Scenarios() {
			all[scenario] = map[string]*Result{}
			for _, s := range Strategies() {
				r := mustRun(t, scenario, s, seed)
				require.Equal(t, r.Calls, r.OK+r.Wasted)
				all[scenario][s.Name] = r
			}
		}
		costly, free, meta := all[ScenarioQuotaCostly], all[ScenarioQuotaFree], all[ScenarioQueueMetastable]
		for _, name := range plain {
			require.Less(t, late(costly[name]), 50.0, "seed %d %s", seed, name)
			require.Zero(t, meta[name].LateGoodput, "seed %d %s", seed, name)
			require.InDelta(t, Capacity, free[name].SpikeGoodput, 2, "seed %d %s", seed, name)
		}
		for _, name := range []string{budgeted, breaker, aimd, known} {
			require.GreaterOrEqual(t, late(costly[name]), 95.0, "seed %d %s", seed, name)
		}
		require.GreaterOrEqual(t, share(meta[aimd]), 90.0, "seed %d", seed)
		require.GreaterOrEqual(t, share(meta[known]), 97.0, "seed %d", seed)
		require.Greater(t, free["immediate_x5"].Wasted, free["fixed_1s_x5"].Wasted)
		require.Greater(t, free["fixed_1s_x5"].Wasted, free[budgeted].Wasted)
		// About 1 %: the client's bucket and the server's are the same, and what
		// is lost are answers that come after the deadline.
		require.Less(t, float64(free[known].Wasted), 0.015*float64(free[known].Calls), "seed %d", seed)
		for scenario, rows := range all {
			for name, r := range rows {
				if name != Defaults && name != "adaptive_rate+deadline_shed+budget10%" {
					require.LessOrEqual(t, share(r), share(rows[known])+0.5, "seed %d %v %s: a known limit wins", seed, scenario, name)
				}
			}
		}
	}
}

// Row by row, what is clearly better in the reference's simulation is better
// here: of strategies without a state of their own, whose settings are the same.
func TestGoldenOverload(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("120 runs; see few")
	}
	type row struct {
		Scenario, Strategy string
		Seed               uint64
		Requests, OK       float64
		Wasted             float64
		Late               float64 `json:"goodput_of_arrivals_120_150"`
	}
	var all []row
	golden.Rows(t, "retry", "overload.jsonl", func(r row) error { all = append(all, r); return nil })
	compared := map[string]bool{"no_retry": true, "full_jitter+retry_after_spread": true, budgeted: true, known: true}
	for _, name := range plain {
		compared[name] = true
	}
	scenarios := map[string]Scenario{}
	for _, s := range Scenarios() {
		scenarios[s.String()] = s
	}
	runs := map[string]row{}
	ours := func(r row) row {
		key := fmt.Sprint(r.Scenario, r.Strategy, r.Seed)
		if _, ok := runs[key]; !ok {
			got := mustRun(t, scenarios[r.Scenario], strategy(t, r.Strategy), r.Seed)
			runs[key] = row{Requests: float64(got.Requests), OK: float64(got.OK), Wasted: float64(got.Wasted), Late: got.LateGoodput}
		}
		return runs[key]
	}
	pairs := 0
	golden.Rows(t, "retry", "overload.jsonl", func(a row) error {
		if !compared[a.Strategy] {
			return nil
		}
		for _, b := range all {
			if b.Scenario != a.Scenario || b.Seed != a.Seed || !compared[b.Strategy] {
				continue
			}
			x, y := ours(a), ours(b)
			for _, m := range []struct {
				what         string
				a, b, margin float64
				oursA, oursB float64
			}{
				{"answered", a.OK / a.Requests, b.OK / b.Requests, 0.05, x.OK / x.Requests, y.OK / y.Requests},
				{"not wasted", -a.Wasted / a.Requests, -b.Wasted / b.Requests, 0.3, -x.Wasted / x.Requests, -y.Wasted / y.Requests},
				{"late goodput", a.Late, b.Late, 6, x.Late, y.Late},
			} {
				if m.a > m.b+m.margin {
					pairs++
					if m.oursA <= m.oursB {
						return fmt.Errorf("%s, seed %d: %s %s than %s in the reference (%.2f, %.2f), here %.2f and %.2f", a.Scenario, a.Seed, a.Strategy, m.what, b.Strategy, m.a, m.b, m.oursA, m.oursB)
					}
				}
			}
		}
		return nil
	})
	t.Logf("%d pairs compared", pairs)
}

// The promise of package defaults. The settings were chosen on seeds 1 to 20; Seeds
// 101 to 120 were looked at then, and one setting was changed for them. Nothing was
// chosen by seeds 1001 to 1020.
func TestDefaultsSurvive(t *testing.T) {
	t.Parallel()
	limit := strategy(t, known)
	for _, scenario := range Scenarios() {
		for _, headers := range []bool{true, false} {
			if headers && !scenario.quota() {
				continue // a queue has none
			}
			for _, first := range []uint64{101, 1001} {
				worst, leastLate, most, mean := math.Inf(1), math.Inf(1), 0.0, 0.0
				seeds := few(20)
				for seed := first; seed < first+seeds; seed++ {
					r := mustRun(t, scenario, Strategy{Name: Defaults, Defaults: true, Headers: headers}, seed)
					of := 100 * float64(r.OK) / float64(mustRun(t, scenario, limit, seed).OK)
					worst, leastLate, most, mean = min(worst, of), min(leastLate, late(r)), max(most, waste(r)), mean+of/float64(seeds)
				}
				t.Logf("%v, headers %v, seeds from %d: %.1f %% of the known limit's answers (worst %.1f), late %.1f %%, wasted %.1f %%",
					scenario, headers, first, mean, worst, leastLate, most)
				require.GreaterOrEqual(t, worst, 95.0)
				require.GreaterOrEqual(t, leastLate, 95.0)
				require.LessOrEqual(t, most, 10.0)
			}
		}
	}
}

// Processes that share no state recover too.
func TestProcessesSurvive(t *testing.T) {
	t.Parallel()
	for _, scenario := range Scenarios() {
		for _, processes := range []int{4, 16} {
			worst, leastLate, most := math.Inf(1), math.Inf(1), 0.0
			for seed := uint64(1001); seed <= 1000+few(5); seed++ {
				r := mustRun(t, scenario, Strategy{Name: Defaults, Defaults: true, Headers: true, Processes: processes}, seed)
				of := 100 * float64(r.OK) / float64(mustRun(t, scenario, strategy(t, known), seed).OK)
				worst, leastLate, most = min(worst, of), min(leastLate, late(r)), max(most, waste(r))
			}
			t.Logf("%v, %d processes: %.1f %% of the known limit's answers, late %.1f %%, wasted %.1f %%", scenario, processes, worst, leastLate, most)
			require.GreaterOrEqual(t, leastLate, 95.0)
		}
	}
}

// In the spike the urgent requests are answered, and fewer of the others.
func TestPriorities(t *testing.T) {
	for _, scenario := range Scenarios() {
		for seed := uint64(1); seed <= few(5); seed++ {
			r := mustRun(t, scenario, Strategy{Name: Defaults, Defaults: true, Mixed: true}, seed)
			answered := func(i int) float64 { return 100 * float64(r.Answered[i]) / float64(r.Asked[i]) }
			t.Logf("%v: high %.1f %%, normal %.1f %%, low %.1f %%", scenario, answered(0), answered(1), answered(2))
			require.Equal(t, r.Requests, r.Asked[0]+r.Asked[1]+r.Asked[2])
			require.Equal(t, r.OK, r.Answered[0]+r.Answered[1]+r.Answered[2])
			require.GreaterOrEqual(t, answered(0), 95.0)
			require.GreaterOrEqual(t, answered(0), answered(1))
			require.GreaterOrEqual(t, answered(1), answered(2))
		}
	}
}

func TestDeterministic(t *testing.T) {
	for _, s := range Strategies() {
		require.Equal(t, mustRun(t, ScenarioQueueBounded, s, 7), mustRun(t, ScenarioQueueBounded, s, 7))
	}
	a, err := json.Marshal(Result{})
	require.NoError(t, err)
	require.Contains(t, string(a), `"goodput_of_arrivals_120_150"`)
}

func TestBadInput(t *testing.T) {
	for _, s := range []Scenario{0, 9} {
		_, err := Run(s, Strategy{}, 1)
		require.ErrorIs(t, err, ErrOption)
		require.Equal(t, "none", s.String())
	}
	_, err := Run(ScenarioQuotaFree, Strategy{Processes: -1}, 1)
	require.ErrorIs(t, err, ErrOption)
	_, err = Run(ScenarioQuotaFree, Strategy{Adaptive: func() (*retry.Adaptive, error) { return retry.NewAdaptive(&retry.AdaptiveOptions{Min: -1}) }}, 1)
	require.ErrorIs(t, err, ErrOption)
	require.ErrorIs(t, err, retry.ErrOption)
}

// Streams that last for a minute: all are answered, the server is used as if there were
// no limit, and those that find no place wait at the client, where they can be dropped.
func TestStreams(t *testing.T) {
	t.Parallel()
	for _, first := range []uint64{1, 1001} {
		for seed := first; seed < first+few(5); seed++ {
			all := map[string]*Result{}
			for _, s := range []Strategy{strategy(t, "no_retry"), strategy(t, Defaults), {Name: "by ends", Defaults: true, ByEnds: true}} {
				r := mustRun(t, ScenarioStreams, s, seed)
				t.Logf("seed %d, %s: answered %.1f %%, late %.1f %%, wasted %.1f %%, first token p50 %.2f s, p99 %.1f s", seed, s.Name, share(r), late(r), waste(r), r.P50, r.P99)
				require.Equal(t, r.Calls, r.OK+r.Wasted)
				all[s.Name] = r
			}
			require.Less(t, share(all["by ends"]), 60.0)
			r := all[Defaults]
			require.GreaterOrEqual(t, share(r), 99.0)
			require.GreaterOrEqual(t, late(r), 99.0)
			require.LessOrEqual(t, waste(r), 1.0)
			require.Less(t, r.P50, 2*all["no_retry"].P50+0.5)
			require.Less(t, r.P99, 2*all["no_retry"].P99)
		}
	}
	for _, processes := range []int{4, 16} { // that know nothing of one another
		r := mustRun(t, ScenarioStreams, Strategy{Name: Defaults, Defaults: true, Processes: processes}, 1001)
		t.Logf("%d processes: answered %.1f %%, late %.1f %%, first token p50 %.2f s, p99 %.1f s", processes, share(r), late(r), r.P50, r.P99)
		require.GreaterOrEqual(t, share(r), 99.0)
		require.GreaterOrEqual(t, late(r), 99.0)
	}
	require.Equal(t, "streams", ScenarioStreams.String())
}
