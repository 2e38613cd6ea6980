package snapshot

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func saved(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x")
	require.NoError(t, Save(path, "test", 2, Bytes([]float32{1, 2, 3}), nil, Bytes([]int64{-1, 7})))
	return path
}

func TestWhatIsSavedIsRead(t *testing.T) {
	path := saved(t)
	f, err := Open(path, "test", 2)
	require.NoError(t, err)
	defer f.Close()
	floats, err := Numbers[float32](f, 0, 3)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2, 3}, floats)
	none, err := All[uint32](f, 1)
	require.NoError(t, err)
	require.Empty(t, none)
	ints, err := All[int64](f, 2)
	require.NoError(t, err)
	require.Equal(t, []int64{-1, 7}, ints)
	_, err = Numbers[float32](f, 0, 4)
	require.ErrorIs(t, err, ErrFormat)
	_, err = Numbers[int64](f, 0, 1)
	require.ErrorIs(t, err, ErrFormat)
	_, err = All[uint32](f, 3)
	require.ErrorIs(t, err, ErrFormat)

	floats[0] = 9 // a change of the memory
	g, err := Open(path, "test", 2)
	require.NoError(t, err)
	defer g.Close()
	again, err := All[float32](g, 0)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2, 3}, again, "is not one of the file")
}

func TestDamageIsTold(t *testing.T) {
	path := saved(t)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	bad := filepath.Join(t.TempDir(), "bad")
	open := func(content []byte) error {
		require.NoError(t, os.WriteFile(bad, content, 0o644))
		f, err := Open(bad, "test", 2)
		if err == nil {
			f.Close()
		}
		return err
	}
	end := headSize + 3*entrySize + 4
	used := func(i int) bool {
		return i < end || i >= up(end) && i < up(end)+12 || i >= up(end)+64 && i < up(end)+64+16
	}
	for i := range data {
		for _, bit := range []byte{1, 0x80} {
			flipped := slices.Clone(data)
			flipped[i] ^= bit
			err := open(flipped)
			if !used(i) {
				require.NoError(t, err, "byte %d is padding", i)
			} else if err == nil {
				t.Fatalf("byte %d", i)
			} else if i < 24 || i > 32 {
				require.ErrorIs(t, err, ErrFormat)
			}
		}
	}
	for n := range up(end) + 64 + 16 {
		require.ErrorIs(t, open(data[:n]), ErrFormat, "%d bytes", n)
	}
	_, err = Open(path, "other", 2)
	require.ErrorIs(t, err, ErrFormat)
	_, err = Open(path, "test", 1)
	require.ErrorIs(t, err, ErrVersion)
	_, err = Open(path+"x", "test", 1)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestASaveThatFailsLeavesTheOld(t *testing.T) {
	path := saved(t)
	require.Error(t, Save(filepath.Join(path, "below a file"), "test", 2))
	require.Error(t, Save(path, "too long a kind", 2))
	f, err := Open(path, "test", 2)
	require.NoError(t, err)
	f.Close()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")
}
