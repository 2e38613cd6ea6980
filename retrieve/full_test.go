//go:build linux || darwin

package retrieve

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// fullEnv makes the test binary a process that may make files of so many bytes only, as
// on a disk that is full then.
const fullEnv = "PRODAI_RETRIEVE_FULL"

// TestAFullDiskLosesNothing: a write that finds no room is an error, what was
// acknowledged before stays, and writes go on when there is room again.
func TestAFullDiskLosesNothing(t *testing.T) {
	if limit := os.Getenv(fullEnv); limit != "" {
		fillDisk(t, os.Args[len(os.Args)-1], limit)
		return
	}
	for limit := 150; limit < 9000; limit += 1234 {
		path := filepath.Join(t.TempDir(), "c")
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAFullDiskLosesNothing$", "--", path)
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", fullEnv, limit))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "full:")
		acknowledged := strings.Count(string(out), "done ")
		c := openSmall(t, path, nil)
		require.Equal(t, 3*acknowledged, c.Len())
		for i := range 3 * acknowledged {
			_, ok := c.Get(t.Context(), fmt.Sprint("p", i))
			require.True(t, ok)
		}
		_, err = c.Upsert(t.Context(), numbers(0, 50))
		require.NoError(t, err, "there is room again")
	}
}

func fillDisk(t *testing.T, path, limit string) {
	c, err := open300(path, randomVectors{12}, &Options{})
	require.NoError(t, err)
	var bytes uint64
	_, err = fmt.Sscan(limit, &bytes)
	require.NoError(t, err)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}))
	for i := 0; ; i += 3 {
		_, err := c.Upsert(t.Context(), numbers(i, i+3))
		if err == nil {
			fmt.Println("done", i)
			continue
		}
		fmt.Println("full:", err)
		require.Equal(t, i, c.Len(), "the collection is as before")
		require.Equal(t, i, max(0, indexLen(c)))
		_, again := c.Upsert(t.Context(), numbers(i, i+3))
		require.Error(t, again)
		return
	}
}

func indexLen(c *Collection) int {
	if c.index == nil {
		return 0
	}
	return c.index.Len()
}
