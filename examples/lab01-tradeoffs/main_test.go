package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	text := out.String()
	require.Regexp(t, `small, one attempt +0\.338 +0\.9s +2\.4s +2\.00% +84\.3%  beaten by: small, cache`, text)
	require.Regexp(t, `large, hedged +6\.469 +1\.8s +5\.2s +0\.00% +95\.0%  efficient`, text)
	out.Reset()
	require.NoError(t, run([]string{"-failures", "1", "-n", "100"}, &out, io.Discard))
	require.Regexp(t, `small, 3 attempts +0\.000 .* 100\.00% +0\.0%`, out.String())
	for _, bad := range [][]string{{"extra"}, {"-failures", "2"}, {"-failures", "NaN"}, {"-n", "0"}} {
		require.Error(t, run(bad, io.Discard, io.Discard))
	}
}

// TestPareto: equal settings don't beat each other.
func TestPareto(t *testing.T) {
	all := []outcome{{setting: setting{name: "a"}, perThousand: 1}, {setting: setting{name: "b"}, perThousand: 1}, {setting: setting{name: "c"}, perThousand: 2}, {setting: setting{name: "d"}, perThousand: 3, good: 1}}
	pareto(all)
	require.Equal(t, []string{"", "", "a", ""}, []string{all[0].beaten, all[1].beaten, all[2].beaten, all[3].beaten})
}
