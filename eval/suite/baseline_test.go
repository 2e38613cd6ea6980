package suite

import (
	"context"
	"iter"
	"os"
	"path/filepath"
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

// TestBadBaselineStopsTheRunBeforeItStarts: with a baseline that can't be read, the
// system isn't called and no journal is created.
func TestBadBaselineStopsTheRunBeforeItStarts(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.jsonl")
	require.NoError(t, os.WriteFile(broken, []byte("not a journal\n"), 0o600))
	for name, test := range map[string]struct {
		records iter.Seq2[*Record, error]
		want    error
	}{
		"no file":       {ReadJournal(filepath.Join(dir, "missing.jsonl")), os.ErrNotExist},
		"not a journal": {ReadJournal(broken), ErrJournal},
		"no case":       {func(yield func(*Record, error) bool) { yield(&Record{}, nil) }, ErrJournal},
	} {
		journal := filepath.Join(dir, "run.jsonl")
		_, err := Run(t.Context(), Suite{Cases: numbered(3), Metrics: testMetrics(t)[:1], System: func(ctx context.Context, c *eval.Case) (*eval.Output, error) {
			t.Errorf("%s: the system was asked", name)
			return squarer(ctx, c)
		}}, &Options{Baseline: &Baseline{Records: test.records}, Journal: journal})
		require.ErrorIs(t, err, test.want, name)
		require.NoFileExists(t, journal, name)
	}

	reads := 0
	once := func(yield func(*Record, error) bool) { reads++ }
	_, err := Run(t.Context(), Suite{Cases: numbered(3), Metrics: testMetrics(t)[:1], System: squarer}, &Options{Baseline: &Baseline{Records: once}})
	require.NoError(t, err)
	require.Equal(t, 1, reads, "records that can be read only once are enough")
}
