package limit

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenGCRA(t *testing.T) {
	type row struct {
		Rate  float64 `json:"rate_per_s"`
		Burst float64
		Steps []struct {
			Key                 string
			N, Limit, Remaining float64
			Limited             bool
			T                   int64   `json:"t_ms"`
			Reset               float64 `json:"reset_after_ms"`
			Retry               float64 `json:"retry_after_ms"`
		}
	}
	golden.Rows(t, "retry", "gcra.jsonl", func(r row) error {
		rate := Rate{N: r.Rate, Per: time.Second, Burst: r.Burst + 1}
		now := time.Unix(1_790_000_000, 0)
		epoch := now
		l := &Memory{Now: func() time.Time { return now }}
		for i, s := range r.Steps {
			now = epoch.Add(time.Duration(s.T) * time.Millisecond)
			d, err := l.Take(t.Context(), []Claim{{s.Key, rate, s.N}}, 0)
			if err != nil {
				return err
			}
			retry := -1.0
			if (!d.OK || s.N == 0) && d.Wait > 0 {
				retry = float64(d.Wait) / 1e6
			}
			if d.Wait == Never { // then the reference doesn't look at the state and reports a full bucket
				d.Remaining, d.Reset = d.Limit, 0
			}
			if d.OK == s.Limited || d.Limit != s.Limit || math.Floor(d.Remaining+1e-9) != s.Remaining ||
				math.Abs(float64(d.Reset)/1e6-s.Reset) > 1e-3 || math.Abs(retry-s.Retry) > 1e-3 {
				return fmt.Errorf("step %d: got %+v, want %+v", i, d, s)
			}
		}
		return nil
	})
}

// The rest is a whole number where whole units were taken, for any time of a unit.
func TestRemainingIsWhole(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	for _, n := range []float64{3, 7, 11, 60, 999, 30_000} {
		l := &Memory{Now: func() time.Time { return now }}
		left := n
		for _, take := range []float64{1, 0, n - 2, 1} {
			left -= take
			d, err := l.Take(t.Context(), []Claim{{"k", Rate{N: n, Per: time.Second}, take}}, 0)
			require.NoError(t, err)
			require.Equal(t, left, d.Remaining, "%v of %v", take, n)
		}
		l = &Memory{Now: l.Now}
		for i := range int(n) {
			d, err := l.Take(t.Context(), []Claim{{"k", Rate{N: n, Per: time.Second}, 1}}, 0)
			require.NoError(t, err)
			require.True(t, d.OK, "the %dth of %v", i+1, n)
		}
	}
}

// A rate by which no whole unit ever passes is a mistake.
func TestRateBelowAUnit(t *testing.T) {
	for _, r := range []Rate{{N: 0.5, Per: time.Second}, {N: 10, Per: time.Second, Burst: 0.5}} {
		require.ErrorIs(t, r.Check(), ErrOption)
		_, err := NewHandler(http.NotFoundHandler(), r, nil)
		require.ErrorIs(t, err, ErrOption)
	}
	require.NoError(t, Rate{N: 0.5, Per: time.Second, Burst: 1}.Check())
}
