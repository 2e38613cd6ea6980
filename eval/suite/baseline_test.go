package suite

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval"
)

func TestBaselineComparison(t *testing.T) {
	run := func(system System, base *Report, n int) *Report {
		o := &Options{AllowErrors: n}
		if base != nil {
			o.Baseline = &Baseline{Records: base.Records()}
		}
		report, err := Run(t.Context(), Suite{Cases: numbered(n), System: system, Metrics: testMetrics(t)[:3]}, o)
		require.NoError(t, err)
		return report
	}
	base := run(squarer, nil, 200)
	require.True(t, base.Passed())
	same := run(squarer, base, 200)
	for rec := range base.Records() {
		require.True(t, rec.Error != "" || rec.Output != nil, "comparing must leave the baseline as it was")
	}
	require.True(t, same.Passed())
	for _, g := range same.Gates[1:] {
		require.Equal(t, 1.0, g.Compared.P)
	}
	worse := run(func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
		out, err := squarer(ctx, c)
		if err == nil && len(c.Input)%2 == 0 && !strings.HasSuffix(c.Input, "7") {
			out.Text = "no idea"
		}
		return out, err
	}, base, 250)
	require.False(t, worse.Passed())
	c := worse.Gates[1].Compared
	require.True(t, c.Worse && c.Significant)
	require.Less(t, c.P, 0.001)
	require.Equal(t, 196, c.N, "4 of the 200 cases that both know failed")
	better := run(func(_ context.Context, c *eval.Case) (*eval.Output, error) {
		return &eval.Output{Text: c.References[0]}, nil
	}, base, 200)
	require.True(t, better.Passed(), "%+v", better.Gates)
	require.True(t, better.Gates[1].Compared.Significant)
}
