package eval

import (
	"context"
	"fmt"
)

// without bias from n answers of which c were:
//
//	pass@k = 1 - C(n-c, k) / C(n, k)
//
// (Chen et al. 2021). Drawing only k answers and looking is unbiased too, but
// far noisier; 1-(1-c/n)^k is biased. It fails with [ErrOption] unless
// 0 <= c <= n and 1 <= k <= n.
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

// PassHatK is the chance that all of k answers are right, C(c, k) / C(n, k)
// (Yao et al. 2024, τ-bench's pass^k): what a user sees who comes back every
// day. A system with a pass@1 of 0.9 has a pass^8 of about 0.43.
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
		return fmt.Errorf("%w: pass@%d of %d answers, %d of them right; want 0 <= right <= answers and 1 <= k <= answers", ErrOption, k, n, c)
	}
	return nil
}

// NewPassAtK returns the metric of [PassAtK] over an output's Text and Samples
// (with all set, of [PassHatK]); right says whether an answer is correct: a
// test run, a comparison. A case with fewer than k answers is skipped.
func NewPassAtK(k int, all bool, right func(ctx context.Context, c *Case, answer string) (bool, error)) (Metric, error) {
	if k < 1 || right == nil {
		return nil, fmt.Errorf("%w: pass@%d needs k >= 1 and a check", ErrOption, k)
	}
	name, estimate := fmt.Sprintf("pass@%d", k), PassAtK
	if all {
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
