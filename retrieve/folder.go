package retrieve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/schema"
)

// ErrNoFiles is returned by [Collection.SyncFolder] for a folder without a file for the
// collection, if the collection has passages of the folder: a disk that is not there
// often looks like an empty folder.
var ErrNoFiles = errors.New("retrieve: the folder has no files, so nothing was removed")

// SyncFolder makes the collection follow the files of a folder: passages of new and
// changed files are added as by [Collection.Sync], and those of files that are gone are
// removed. The source of a file is the prefix and the file's name in the folder, such as
// "manual/" and "chapter1/keys.md"; sources without the prefix are left alone.
//
// passages returns the passages of a file. With none of them, and no error, the file is
// not one for the collection: passages of it from before are removed. Links and other
// special files are left out.
//
// Files are read one after another, and files that are gone are removed at the end. An
// error, also of one file, ends it: what was done stays done, and nothing is removed
// whose file wasn't looked for.
func (c *Collection) SyncFolder(ctx context.Context, prefix string, folder fs.FS, passages func(name string, data []byte) ([]schema.Document, error)) (Changes, error) {
	if folder == nil || passages == nil {
		return Changes{}, fmt.Errorf("%w: the folder or the function is nil", ErrOption)
	}
	var total Changes
	there := map[string]bool{}
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return err
		}
		docs, err := passages(name, data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(docs) == 0 {
			return nil
		}
		there[prefix+name] = true
		did, err := c.Sync(ctx, prefix+name, docs)
		total.add(did)
		return err
	})
	if err != nil {
		return total, fmt.Errorf("retrieve: sync a folder: %w", err)
	}
	var gone []string
	for source := range c.Sources() {
		if strings.HasPrefix(source, prefix) && !there[source] {
			gone = append(gone, source)
		}
	}
	if len(there) == 0 && len(gone) > 0 {
		return total, ErrNoFiles
	}
	slices.Sort(gone)
	for _, source := range gone {
		did, err := c.Sync(ctx, source, nil)
		if total.add(did); err != nil {
			return total, err
		}
	}
	return total, nil
}
