package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The lab kills a program of its own, so the test builds it.
func TestNothingIsLost(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "lab.exe")
	build, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(build))
	cmd := exec.Command(binary, "-kills", "4")
	cmd.Env = os.Environ()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, regexp.MustCompile(`journal +[1-9]\d* +0 +\d+`), string(out))
	require.Contains(t, string(out), "The poison job: dead")
	t.Log(string(out))
}
