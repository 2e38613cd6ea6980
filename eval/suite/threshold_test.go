package suite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseThreshold(t *testing.T) {
	for s, want := range map[string]Threshold{
		"BLEU >= 30":                              {Metric: "BLEU", Value: 30},
		"TER<=60.5":                               {Metric: "TER", AtMost: true, Value: 60.5},
		"exact_match >= 1 in kind=regression":     {Metric: "exact_match", Value: 1, Slice: "kind=regression"},
		"BLEU|case:lc|eff:no|tok:13a >= 1e1 in x": {Metric: "BLEU|case:lc|eff:no|tok:13a", Value: 10, Slice: "x"},
		"f1|labels:stay in bed,a >= b <= 1 in x":  {Metric: "f1|labels:stay in bed,a >= b", AtMost: true, Value: 1, Slice: "x"},
	} {
		got, err := ParseThreshold(s)
		require.NoError(t, err, s)
		require.Equal(t, want, got)
		again, err := ParseThreshold(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, bad := range []string{"", "BLEU", "BLEU > 3", ">= 3", "BLEU >= x", "BLEU >= NaN", "BLEU >= Inf", "BLEU >= 1e999", "BLEU >= 3x in kind=edge"} {
		got, err := ParseThreshold(bad)
		require.ErrorIs(t, err, ErrOption, bad)
		require.Zero(t, got, bad)
	}
}
