package eval

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSignaturesOfAnyNames: labels and field names are data. With any content a
// printed signature is key:value pairs between bars, and different lists print
// differently.
func TestSignaturesOfAnyNames(t *testing.T) {
	lists := [][]string{
		{"a|b", "c"}, {"a", "b|c"}, {"a", "b", "c"}, {"a,b", "c"}, {"a,b,c"}, {"a%7Cb", "c"}, {"x:y|z:1"}, {"line\nbreak"}, {"été", "très bien"},
	}
	seen := map[string][]string{}
	for _, names := range lists {
		for _, m := range []Metric{
			must(NewClassification("accuracy", names)), must(NewJSONMatch(&JSONMatchOptions{Ignore: names})), must(NewToolMatch(&ToolMatchOptions{IgnoreArguments: names})),
		} {
			sig := m.Signature()
			printed := sig.String()
			require.NotContains(t, printed, "\n")
			key := "ignore"
			if sig.Metric == "accuracy" {
				key = "labels"
			}
			found := 0
			for pair := range strings.SplitSeq(printed, "|") {
				name, _, ok := strings.Cut(pair, ":")
				require.True(t, ok, printed)
				require.Contains(t, []string{"labels", "extra", "order", "ignore"}, name, printed)
				if name == key {
					found++
				}
			}
			require.Equal(t, 1, found, printed)
			require.Empty(t, seen[sig.Name()], "%q and %q print alike: %s", seen[sig.Name()], names, printed)
			seen[sig.Name()] = names
		}
	}
	require.Equal(t, "labels:a%7Cb,c", must(NewClassification("accuracy", lists[0])).Signature().String())
	require.Equal(t, "labels:été,très bien", must(NewClassification("accuracy", lists[8])).Signature().String())

	one := func(context.Context, *Case, *Output) (float64, error) { return 1, nil }
	_, err := NewMean(Signature{Metric: "a|b"}, one)
	require.ErrorIs(t, err, ErrOption)
	_, err = NewMean(Signature{Metric: "m", Version: "1|2"}, one)
	require.ErrorIs(t, err, ErrOption)
	a, b := must(NewMean(Signature{Metric: "m", Params: "strict"}, one)), must(NewMean(Signature{Metric: "m", Params: "lenient"}, one))
	require.NotEqual(t, a.Signature().Name(), b.Signature().Name(), "a param without a key still tells two metrics apart")
}
