package eval

import (
	"cmp"
	"context"
	"fmt"
)

// PassAtK is the chance that at least one of k answers is right, estimated
// without bias from n answers of which c were:
//
//	pass@k = 1 - C(n-c, k) / C(n, k)
//
// (Chen et al. 2021). Drawing only k answers is unbiased too, but far noisier;
// 1-(1-c/n)^k is biased. The arguments are in the paper's order. It fails with
// [ErrOption] unless 0 <= c <= n and 1 <= k <= n.
func PassAtK(n, c, k int) (float64, error) {
	if err := checkPass(n, c, k); err != nil {
		return 0, err
	}
	if n-c < k {
		return 1, nil
	}
	miss := 1.0
	for i := n - c + 1; i <= n; i++ {
		miss *= 1 - float64(k)/float64(i)
	}
	return 1 - miss, nil
}

// PassHatK is the chance that all of k answers are right, C(c, k) / C(n, k) (Yao et
// al. 2024, τ-bench's pass^k): the reliability that a user sees after many visits.
// A system with a pass@1 of 0.9 has a pass^8 of about 0.43.
func PassHatK(n, c, k int) (float64, error) {
	if err := checkPass(n, c, k); err != nil {
		return 0, err
	}
	all := 1.0
	for i := range k {
		all *= float64(c-i) / float64(n-i)
		if c-i <= 0 {
			return 0, nil
		}
	}
	return all, nil
}

func checkPass(n, c, k int) error {
	if c < 0 || c > n || k < 1 || k > n {
		return fmt.Errorf("%w: n is %d, c %d and k %d: want 0 <= c <= n and 1 <= k <= n", ErrOption, n, c, k)
	}
	return nil
}

// PassAtKOptions sets which chance [NewPassAtK] estimates; nil means the defaults.
type PassAtKOptions struct {
	// K is the number of answers that a user gets. Default: 1.
	K int
	// All asks for the chance that all K are right, [PassHatK]. Default: that one
	// is, [PassAtK].
	All bool
}

// NewPassAtK returns the metric of [PassAtK] or [PassHatK] over an output's Text
// and Samples. right reports whether an answer is correct: a test run, a
// comparison. A case with fewer than K answers is skipped.
func NewPassAtK(right func(ctx context.Context, c *Case, answer string) (bool, error), o *PassAtKOptions) (Metric, error) {
	if right == nil {
		return nil, fmt.Errorf("%w: the function that checks an answer is nil", ErrOption)
	}
	if o == nil {
		o = &PassAtKOptions{}
	}
	k := cmp.Or(o.K, 1)
	if k < 1 {
		return nil, fmt.Errorf("%w: PassAtKOptions.K is %d: want 1 or more", ErrOption, k)
	}
	name, estimate := fmt.Sprintf("pass@%d", k), PassAtK
	if o.All {
		name, estimate = fmt.Sprintf("pass^%d", k), PassHatK
	}
	return NewMean(Signature{Metric: name}, func(ctx context.Context, c *Case, o *Output) (float64, error) {
		answers := append([]string{o.Text}, o.Samples...)
		if len(answers) < k {
			return 0, Skip(fmt.Sprintf("%d answers for k = %d", len(answers), k))
		}
		n := 0
		for _, a := range answers {
			ok, err := right(ctx, c, a)
			if err != nil {
				return 0, err
			}
			if ok {
				n++
			}
		}
		return estimate(len(answers), n, k)
	})
}
