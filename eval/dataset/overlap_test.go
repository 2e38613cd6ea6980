package dataset

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/internal/growth"
)

// similarByPairs compares every pair.
func similarByPairs(as, bs []eval.Case, threshold float64, sameSet bool) []string {
	var out []string
	for i := range as {
		for j := range bs {
			if sameSet && j <= i {
				continue
			}
			a, b := shingles(words(as[i].Input), 3), shingles(words(bs[j].Input), 3)
			n := 0
			for s := range a {
				if b[s] {
					n++
				}
			}
			if s := float64(n) / float64(len(a)+len(b)-n); s >= threshold {
				out = append(out, fmt.Sprintf("%s %s %.6f", as[i].ID, bs[j].ID, s))
			}
		}
	}
	slices.Sort(out)
	return out
}

// templated returns n cases with the same beginning and different ends. Some ends
// are almost those of another case.
func templated(r *rand.Rand, n int) []eval.Case {
	cases := make([]eval.Case, n)
	var before []string
	for i := range cases {
		own := make([]string, 3+r.IntN(12))
		for k := range own {
			own[k] = fmt.Sprint("w", r.IntN(40*n))
		}
		if before != nil && r.IntN(3) == 0 {
			own = slices.Clone(before)
			own[r.IntN(len(own))] = "changed"
		}
		before = own
		cases[i] = eval.Case{ID: fmt.Sprintf("c%06d", i), Input: "Answer the following question: " + strings.Join(own, " ")}
	}
	return cases
}

func TestSimilarIsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(55, 56))
	found := 0
	for run := range 10 {
		as, bs := templated(r, 25), templated(r, 25)
		as[0].Input, bs[0].Input, as[1].Input = "", "?", "two words"
		for i := range 10 {
			bs[i+1].Input = as[i].Input + strings.Repeat(" more", run%3)
		}
		for _, threshold := range []float64{0.05, 0.2, 1.0 / 3, 0.5, 0.6, 0.9, 1} {
			for _, same := range []bool{true, false} {
				other := bs
				if same {
					other = as
				}
				pairs, err := similar(as, other, threshold, same)
				require.NoError(t, err)
				var got []string
				for _, p := range pairs {
					got = append(got, fmt.Sprintf("%s %s %.6f", p.A.ID, p.B.ID, p.Similarity))
				}
				slices.Sort(got)
				require.Equal(t, similarByPairs(as, other, threshold, same), got)
				found += len(got)
			}
		}
	}
	require.Positive(t, found)
}

func TestGrowthOfNearDuplicates(t *testing.T) {
	growth.Test(t, 2000, 3, func(n int) func() {
		d := &Dataset{Cases: templated(rand.New(rand.NewPCG(57, 58)), n)}
		return func() {
			_, err := d.NearDuplicates(0.6)
			require.NoError(t, err)
		}
	})
}
