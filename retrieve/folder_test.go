package retrieve

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
)

// lines makes a passage of each line of a text file.
func lines(name string, data []byte) ([]schema.Document, error) {
	if filepath.Ext(name) != ".txt" {
		return nil, nil
	}
	if strings.Contains(string(data), "broken") {
		return nil, errors.New("broken")
	}
	return docs(strings.Split(string(data), "\n")...), nil
}

// TestSyncFolder: the collection follows the files, and removes what was deleted, but
// nothing else.
func TestSyncFolder(t *testing.T) {
	calls := 0
	c, err := Open("", letters{name: "letters", calls: &calls}, nil)
	require.NoError(t, err)
	_, err = c.Sync(t.Context(), "elsewhere", docs("other"))
	require.NoError(t, err)
	folder := fstest.MapFS{"a.txt": {Data: []byte("one\ntwo")}, "sub/b.txt": {Data: []byte("three")}, "c.png": {Data: []byte("x")}}
	sync := func() (Changes, error) { return c.SyncFolder(t.Context(), "m/", folder, lines) }
	did, err := sync()
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 3, Embedded: 3}, did)
	require.Equal(t, map[string]int{"elsewhere": 1, "m/a.txt": 2, "m/sub/b.txt": 1}, c.Sources())
	embedded := calls
	did, err = sync()
	require.NoError(t, err)
	require.Equal(t, Changes{Kept: 3}, did)
	require.Equal(t, embedded, calls)

	delete(folder, "sub/b.txt")
	folder["a.txt"] = &fstest.MapFile{Data: []byte("two\nfour")}
	folder["link.txt"] = &fstest.MapFile{Data: []byte("a.txt"), Mode: fs.ModeSymlink}
	did, err = sync()
	require.NoError(t, err)
	require.Equal(t, Changes{Added: 2, Removed: 3, Embedded: 1}, did, "both lines have new places")
	require.Equal(t, map[string]int{"elsewhere": 1, "m/a.txt": 2}, c.Sources())

	folder["0.txt"] = &fstest.MapFile{Data: []byte("broken")}
	delete(folder, "a.txt")
	_, err = sync()
	require.ErrorContains(t, err, "0.txt: broken")
	require.Equal(t, 2, c.Sources()["m/a.txt"], "nothing is removed after an error")
	delete(folder, "0.txt")
	_, err = sync()
	require.ErrorIs(t, err, ErrNoFiles, "only c.png is left")
	_, err = c.SyncFolder(t.Context(), "m/", os.DirFS(filepath.Join(t.TempDir(), "no")), lines)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Equal(t, 2, c.Sources()["m/a.txt"])
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.SyncFolder(canceled, "", folder, lines)
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.SyncFolder(t.Context(), "", nil, lines)
	require.ErrorIs(t, err, ErrOption)
	_, err = c.SyncFolder(t.Context(), "", folder, nil)
	require.ErrorIs(t, err, ErrOption)

	folder["z.txt"] = &fstest.MapFile{Data: []byte("last")}
	_, err = c.SyncFolder(t.Context(), "", folder, lines) // the whole collection is the folder's
	require.NoError(t, err)
	require.Equal(t, map[string]int{"z.txt": 1}, c.Sources())
}
