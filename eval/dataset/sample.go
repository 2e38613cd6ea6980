package dataset

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/prodailabs/prodai/eval"
)

// draw is a number in [0, 1) that depends only on the seed and the id, so the
// choice of a case doesn't change if others are added or removed.
func draw(seed uint64, id string) float64 {
	h := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(id), seed))
	return float64(binary.LittleEndian.Uint64(h[:])>>11) / (1 << 53)
}

// SampleOptions sets how [Dataset.Sample] draws; nil means the defaults.
type SampleOptions struct {
	// Seed chooses the cases; the same seed gives the same ones. Default: 0, a
	// seed like any other.
	Seed uint64
	// Stratum names the group of a case. Default: its kind.
	Stratum func(*eval.Case) string
}

// Sample returns n cases in the dataset's order, from every stratum in proportion
// to its size (the rest by largest remainder), but at least one of each if n allows
// it, because the rare slice is often the one that matters.
func (d *Dataset) Sample(n int, o *SampleOptions) (*Dataset, error) {
	if n < 1 || n > len(d.Cases) {
		return nil, fmt.Errorf("%w: the sample's size is %d: want 1 to %d, the number of cases", ErrOption, n, len(d.Cases))
	}
	if o == nil {
		o = &SampleOptions{}
	}
	seed, by := o.Seed, o.Stratum
	if by == nil {
		by = func(c *eval.Case) string { return string(c.Kind) }
	}
	strata := map[string][]int{}
	for i := range d.Cases {
		s := by(&d.Cases[i])
		strata[s] = append(strata[s], i)
	}
	names := slices.Sorted(maps.Keys(strata))
	take := allocate(n, names, strata)
	var picked []int
	for k, name := range names {
		members := strata[name]
		slices.SortFunc(members, func(a, b int) int {
			x, y := d.Cases[a].ID, d.Cases[b].ID
			return cmp.Or(cmp.Compare(draw(seed, x), draw(seed, y)), cmp.Compare(x, y))
		})
		picked = append(picked, members[:take[k]]...)
	}
	slices.Sort(picked)
	out := &Dataset{Name: d.Name}
	for _, i := range picked {
		out.Cases = append(out.Cases, d.Cases[i])
	}
	return out, nil
}

// allocate divides n among the strata. Each gets the whole part of its share, at
// least 1 if n is enough for that. The rest goes one by one to the stratum that is
// furthest below its share.
func allocate(n int, names []string, strata map[string][]int) []int {
	total := 0
	for _, name := range names {
		total += len(strata[name])
	}
	take, share := make([]int, len(names)), make([]float64, len(names))
	given := 0
	for k, name := range names {
		share[k] = float64(n) * float64(len(strata[name])) / float64(total)
		take[k] = int(share[k])
		if take[k] == 0 && n >= len(names) {
			take[k] = 1
		}
		given += take[k]
	}
	for ; given != n; given = sum(take) {
		best, step := -1, 1
		if given > n {
			step = -1
		}
		miss := func(k int) float64 { return float64(step) * (share[k] - float64(take[k])) }
		for k, name := range names {
			if after := take[k] + step; after > len(strata[name]) || step < 0 && after < 1 {
				continue
			}
			if best < 0 || miss(k) > miss(best) {
				best = k
			}
		}
		take[best] += step
	}
	return take
}

func sum(xs []int) int {
	total := 0
	for _, x := range xs {
		total += x
	}
	return total
}

// SplitOptions sets how [Dataset.Split] divides; nil means the defaults.
type SplitOptions struct {
	// Seed chooses the sides; the same seed gives the same ones. Default: 0, a
	// seed like any other.
	Seed uint64
}

// Split divides the dataset in two by a hash of the ids: about share (0 to 1)
// of the cases go to the first part. A case stays on its side forever, also when
// the dataset grows, so that what was held out once is never trained on.
func (d *Dataset) Split(share float64, o *SplitOptions) (first, second *Dataset, err error) {
	if !(share >= 0 && share <= 1) {
		return nil, nil, fmt.Errorf("%w: the share is %v: want a number from 0 to 1", ErrOption, share)
	}
	if o == nil {
		o = &SplitOptions{}
	}
	first, second = &Dataset{Name: d.Name}, &Dataset{Name: d.Name}
	for _, c := range d.Cases {
		if draw(o.Seed, c.ID) < share {
			first.Cases = append(first.Cases, c)
		} else {
			second.Cases = append(second.Cases, c)
		}
	}
	return first, second, nil
}
