package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLab(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bom.json")
	var b strings.Builder
	require.NoError(t, run([]string{"-bom", file}, &b))
	out := b.String()
	all, err := samples()
	require.NoError(t, err)
	for _, s := range all {
		want := "unsafe"
		switch {
		case strings.HasPrefix(s.name, "model.7z"):
			want = "incomplete"
		case strings.HasPrefix(s.name, "model."):
			want = "clean"
		}
		require.Regexp(t, `(?m)^`+s.name+` .*\b`+want+`\b`, out)
	}
	for _, want := range []string{"17 files: 3 clean, 13 unsafe, 1 incomplete", "the archive is refused", "[{model.safetensors changed}]", "resembles tensorflow (edit)", "(look-alike)", "fast-lamps                         resembles none"} {
		require.Contains(t, out, want)
	}
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var bom struct{ BOMFormat, SpecVersion string }
	require.NoError(t, json.Unmarshal(data, &bom))
	require.Equal(t, "CycloneDX", bom.BOMFormat)
}

func TestScansAFolder(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.pkl"), []byte(attackText), 0o600))
	var b strings.Builder
	require.NoError(t, run([]string{"-scan", dir}, &b))
	require.Contains(t, b.String(), "unsafe")
	require.Error(t, run([]string{"-scan", filepath.Join(dir, "none")}, &b))
}
