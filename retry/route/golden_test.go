package route

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/sequential"
)

// A goldenRow is any row of routing.jsonl; algo says which fields it has.
type goldenRow struct {
	Algo    string
	Weights []int
	Picks   []int
	Salt    string
	Key     string
	FNV     string `json:"fnv1a64"`
	Bucket  any

	P0, P1, Alpha, Beta, Upper, Lower float64
	FailuresAt                        []int `json:"failures_at"`
	N                                 int
	LLREnd                            float64 `json:"llr_end"`
	Decision                          string

	Step      int
	MaxWeight int `json:"max_weight"`
	Threshold int
	Checks    []bool
	Steps     []struct {
		Weight int
		State  string
	}
}

func TestGolden(t *testing.T) {
	golden.Rows(t, "retry", "routing.jsonl", func(r goldenRow) error {
		switch r.Algo {
		case "smooth_weighted_round_robin(nginx)":
			return goldenTurns(r)
		case "fnv1a64 + jump_consistent_hash":
			return goldenJump(r)
		case `canary_bucket = jump(fnv1a64(salt+":"+key), 10000)`:
			if got := Bucket(r.Salt, r.Key); float64(got) != r.Bucket.(float64) {
				return fmt.Errorf("bucket %d, want %v", got, r.Bucket)
			}
			return nil
		case "wald_sprt":
			return goldenSPRT(r)
		case "progressive_weights":
			return goldenProgress(r)
		}
		return fmt.Errorf("unknown algorithm %q", r.Algo)
	})
}

func goldenTurns(r goldenRow) error {
	w, err := NewWeightedRoundRobin(r.Weights)
	if err != nil {
		return err
	}
	for i, want := range r.Picks {
		if got := w.Next(); got != want {
			return fmt.Errorf("pick %d is %d, want %d", i, got, want)
		}
	}
	return nil
}

func goldenJump(r goldenRow) error {
	if got := fmt.Sprint(Hash(r.Key)); got != r.FNV {
		return fmt.Errorf("hash %s, want %s", got, r.FNV)
	}
	for n, want := range r.Bucket.(map[string]any) {
		var buckets int
		if _, err := fmt.Sscan(n, &buckets); err != nil {
			return err
		}
		if got := JumpHash(Hash(r.Key), buckets); float64(got) != want.(float64) {
			return fmt.Errorf("bucket %d of %d, want %v", got, buckets, want)
		}
	}
	return nil
}

// goldenSPRT feeds the canary's own state, so that the test of the golden row is
// the one that decides rollouts.
func goldenSPRT(r goldenRow) error {
	o := CanaryOptions{Allowed: r.P0, Alarming: r.P1, Alpha: r.Alpha, Beta: r.Beta}
	test := o.test(0)
	if math.Abs(test.Upper-r.Upper) > 1e-9 || math.Abs(test.Lower-r.Lower) > 1e-9 {
		return fmt.Errorf("limits %v %v, want %v %v", test.Lower, test.Upper, r.Lower, r.Upper)
	}
	s := CanaryState{}
	for n := range r.N {
		if s.Phase == PhaseFailed || s.Accepted {
			return fmt.Errorf("decided after %d, want %d", n, r.N)
		}
		d := Results{Canary: Counts{Good: 1}}
		if slices.Contains(r.FailuresAt, n) {
			d = Results{Canary: Counts{Failed: 1}}
		}
		test.Add(d.Canary.Failed == 1)
		s.add(&o, d)
	}
	decision := map[bool]string{true: "rollback", false: "promote"}[s.Phase == PhaseFailed]
	if s.Phase != PhaseFailed && !s.Accepted {
		decision = "continue"
	}
	if decision != r.Decision || math.Abs(test.LLR-r.LLREnd) > 1e-9 || (test.Verdict == sequential.VerdictUndecided) != (decision == "continue") {
		return fmt.Errorf("%s at %v, want %s at %v", decision, test.LLR, r.Decision, r.LLREnd)
	}
	return nil
}

func goldenProgress(r goldenRow) error {
	p := Progress{Threshold: r.Threshold}
	for w := r.Step; w < r.MaxWeight; w += r.Step {
		p.Weights = append(p.Weights, w)
	}
	p.Weights = append(p.Weights, r.MaxWeight)
	for i, want := range r.Steps {
		p.Check(r.Checks[i])
		if p.Weight() != want.Weight || p.Phase.String() != want.State {
			return fmt.Errorf("after check %d: %d %s, want %d %s", i, p.Weight(), p.Phase, want.Weight, want.State)
		}
	}
	for _, good := range r.Checks[len(r.Steps):] {
		before := p
		if p.Check(good); p.Weight() != before.Weight() || p.Phase != before.Phase {
			return fmt.Errorf("a check after the end changed %v to %v", before.Phase, p.Phase)
		}
	}
	return nil
}
