package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fork is a small module that mentions its path everywhere a real one does.
func fork(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example.org/old\n\ngo 1.26\n",
		"a/a.go":       "// Package a, see [example.org/old/b].\npackage a\n\nimport _ \"example.org/old/b\"\n",
		"b/b.go":       "package b\n",
		"bench/go.mod": "module example.org/old/bench\n\ngo 1.26\n\nrequire example.org/old v0.0.0\n\nreplace example.org/old => ..\n",
		"README.md":    "go get example.org/old. Not example.org/older, nor example.org/old-thing.\nexample.org/old\n",
		"data.bin":     "example.org/old/\x00",
		".git/config":  "url = example.org/old\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func TestRenamedForkBuilds(t *testing.T) {
	dir := fork(t)
	var out strings.Builder
	require.NoError(t, run([]string{"-dir", dir, "example.com/me/new"}, &out))
	require.Contains(t, out.String(), "4 files: example.org/old is now example.com/me/new")

	build := exec.Command("go", "build", "./...")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	got, err := build.CombinedOutput()
	require.NoError(t, err, "%s", got)

	for name, want := range map[string]string{
		"README.md":    "go get example.com/me/new. Not example.org/older, nor example.org/old-thing.\nexample.com/me/new\n",
		"data.bin":     "example.org/old/\x00",
		".git/config":  "url = example.org/old\n",
		"bench/go.mod": "module example.com/me/new/bench\n\ngo 1.26\n\nrequire example.com/me/new v0.0.0\n\nreplace example.com/me/new => ..\n",
	} {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		require.NoError(t, err)
		require.Equal(t, want, string(data), name)
	}
}

func TestRefusals(t *testing.T) {
	dir := fork(t)
	for _, bad := range []string{"", "a b", "/abs", "https://example.org/x", "a//b", "a/", "../up"} {
		require.ErrorContains(t, rename(dir, bad, &strings.Builder{}), "no module path", "%q", bad)
	}
	require.ErrorContains(t, rename(dir, "example.org/old", &strings.Builder{}), "already")
	require.ErrorIs(t, rename(t.TempDir(), "x.org/y", &strings.Builder{}), os.ErrNotExist)
	require.Error(t, run(nil, &strings.Builder{}))
	require.NoError(t, run([]string{"-h"}, &strings.Builder{}))
}
