package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/embed"
)

// TestTune: two epochs on the course's own questions already find more of the held-out
// ones, and the file is read by the embedder.
func TestTune(t *testing.T) {
	if slow {
		t.Skip("one goroutine, slow under the race detector")
	}
	name := filepath.Join(t.TempDir(), "rows.safetensors")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), func() {}, []string{"tune", "-o", name, "-epochs", "2"}, &out, io.Discard))
	mrr := func(line string) float64 {
		m := regexp.MustCompile(`(?m)^` + line + ` .* (0\.\d+)$`).FindStringSubmatch(out.String())
		require.NotNil(t, m, "%s in %s", line, &out)
		x, err := strconv.ParseFloat(m[1], 64)
		require.NoError(t, err)
		return x
	}
	require.Greater(t, mrr("after, as written"), mrr("before")+0.03)
	weights, err := os.ReadFile(name)
	require.NoError(t, err)
	base, err := embed.New()
	require.NoError(t, err)
	tuned, err := base.Tuned(string(weights))
	require.NoError(t, err)
	require.Contains(t, out.String(), tuned.Name())
}

func TestTuneNeedsAFile(t *testing.T) {
	for _, args := range [][]string{{"tune"}, {"tune", "-o", filepath.Join(t.TempDir(), "x"), "what"}, {"tune", "-o", "x", "-epochs", "-1"}} {
		require.Error(t, run(t.Context(), func() {}, args, io.Discard, io.Discard), "%v", args)
	}
}
