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

// TestAFullDiskWhileStoring: a compaction, a stored index and a backup that find no room
// leave the collection as it was, and it can be opened on the full disk.
func TestAFullDiskWhileStoring(t *testing.T) {
	if limit := os.Getenv(fullEnv); limit != "" {
		path := os.Args[len(os.Args)-1]
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 5000, Max: 5000}))
		c := openSmall(t, path, &Options{Words: words(t)})
		require.Equal(t, 250, c.Len())
		require.ErrorIs(t, c.compact(), syscall.EFBIG)
		require.ErrorIs(t, c.Backup(path+".backup"), syscall.EFBIG)
		c.saveIndex()
		got, err := c.Search(t.Context(), "249", 1, nil)
		require.NoError(t, err)
		require.Equal(t, "249", got[0].PageContent)
		_, err = c.Delete(t.Context(), "p3")
		require.ErrorIs(t, err, syscall.EFBIG)
		require.Equal(t, 250, c.Len())
		fmt.Println("full")
		return
	}
	path := filepath.Join(t.TempDir(), "c")
	c, err := open300(path, randomVectors{12}, &Options{Words: words(t)})
	require.NoError(t, err)
	_, err = c.Upsert(t.Context(), numbers(0, 600))
	require.NoError(t, err)
	c.dead = -1000 // no compaction yet
	var gone []string
	for i := range 350 {
		gone = append(gone, fmt.Sprint("p", 250+i))
	}
	_, err = c.Delete(t.Context(), gone...)
	require.NoError(t, err)
	require.NoError(t, c.journal.close()) // as after kill -9
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAFullDiskWhileStoring$", "--", path)
	cmd.Env = append(os.Environ(), fullEnv+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "full\n")
	c = openSmall(t, path, &Options{Words: words(t)})
	require.Equal(t, 250, c.Len(), "now compacted")
	require.Zero(t, c.dead)
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		require.NotRegexp(t, `\.(part|compact|tmp)$|backup`, e.Name())
	}
}

// TestAFullFileSystem fills a small file system, such as a tmpfs of 256 KB, whose folder
// the variable PRODAI_SMALL_DISK names.
func TestAFullFileSystem(t *testing.T) {
	dir := os.Getenv("PRODAI_SMALL_DISK")
	if dir == "" {
		t.Skip("PRODAI_SMALL_DISK names no small file system")
	}
	path := filepath.Join(dir, "c")
	for range 5 {
		require.NoError(t, os.RemoveAll(path))
		c, err := open300(path, randomVectors{12}, &Options{Words: words(t)})
		require.NoError(t, err)
		n := 0
		for err == nil {
			if _, err = c.Upsert(t.Context(), numbers(n, n+7)); err == nil {
				n += 7
			}
			require.Less(t, n, 1<<20, "the disk is not small")
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Equal(t, n, c.Len())
		require.ErrorIs(t, c.Backup(path+".backup"), syscall.ENOSPC)
		require.Error(t, c.compact())
		require.NoError(t, c.Close())
		c, err = open300(path, randomVectors{12}, &Options{Words: words(t)})
		require.NoError(t, err, "on the full disk")
		require.Equal(t, n, c.Len())
		for i := range n {
			_, ok := c.Get(t.Context(), fmt.Sprint("p", i))
			require.True(t, ok)
		}
		require.NoError(t, c.Close())
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			require.NotRegexp(t, `\.(part|compact|tmp)$|backup`, e.Name())
		}
		t.Logf("%d passages fit", n)
	}
}

func indexLen(c *Collection) int {
	if c.index == nil {
		return 0
	}
	return c.index.Len()
}
