package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/wrap"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range and for a
	// required argument that is nil.
	ErrOption = errors.New("load: invalid option")
	// ErrFormat is wrapped by the error of a file that isn't what it should be.
	ErrFormat = errors.New("load: the file is damaged, or not of this format")
	// ErrEncoding is wrapped by the error of a text that isn't UTF-8.
	ErrEncoding = errors.New("load: the text is not UTF-8")
	// ErrEncrypted is wrapped by the error of a file that needs a password.
	ErrEncrypted = errors.New("load: the file is encrypted")
)

// A LimitError says that a file is larger, once read, than the options allow: it is too big,
// or made to exhaust memory.
type LimitError struct {
	What  string // file, text, unpacked data, depth, parts
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("load: the limit of %d for the %s is exceeded", e.Limit, e.What)
}

// Options are the limits of a loader. They bound what a hostile file can use up.
type Options struct {
	// MaxBytes is how large a file may be. Default: 64 MiB.
	MaxBytes int

	// MaxText is how many bytes of text a file may have. Default: 16 MiB.
	MaxText int

	// MaxUnpacked is how many bytes a file may have after it is unpacked, with all of its
	// parts: PDF and DOCX are packed. Default: 256 MiB.
	MaxUnpacked int

	// MaxDepth is how deep elements may be nested. Default: 500.
	MaxDepth int
}

// WithDefaults returns the options with their defaults; o may be nil. It is for authors of
// loaders. It fails with [ErrOption].
func (o *Options) WithDefaults() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	for _, f := range []struct {
		name  string
		value *int
		byDef int
	}{{"MaxBytes", &out.MaxBytes, 64 << 20}, {"MaxText", &out.MaxText, 16 << 20}, {"MaxUnpacked", &out.MaxUnpacked, 256 << 20}, {"MaxDepth", &out.MaxDepth, 500}} {
		if *f.value = cmp.Or(*f.value, f.byDef); *f.value < 1 {
			return out, fmt.Errorf("%w: Options.%s is %d: want 0 (the default, %d) or more", ErrOption, f.name, *f.value, f.byDef)
		}
	}
	return out, nil
}

// A Loader reads a file. name is what the document's source is called. The functions Load
// of the subpackages, [Text] and [CSV] are ones.
type Loader func(ctx context.Context, name string, r io.Reader, o *Options) (*Document, error)

// Read returns a whole file, and the options with their defaults. It is for authors of
// loaders. It fails with [ErrOption], with a [*LimitError], with the error of r, and if ctx is
// done.
func Read(ctx context.Context, name string, r io.Reader, o *Options) ([]byte, Options, error) {
	limits, err := o.WithDefaults()
	if err != nil {
		return nil, limits, err
	}
	if r == nil {
		return nil, limits, fmt.Errorf("%w: the reader of %s is nil", ErrOption, name)
	}
	if err := ctx.Err(); err != nil {
		return nil, limits, fmt.Errorf("load: %s: %w", name, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(limits.MaxBytes)+1))
	if err != nil {
		return nil, limits, fmt.Errorf("load: %s: %w", name, wrap.ContextError(ctx, err))
	}
	if len(data) > limits.MaxBytes {
		return nil, limits, fmt.Errorf("%s: %w", name, &LimitError{"file", limits.MaxBytes})
	}
	return data, limits, nil
}

const bom = "\ufeff"

// UTF8 returns nil, or [ErrEncoding] for a text that is not UTF-8. It is for authors of
// loaders.
func UTF8(name string, data []byte) error {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("%w: %s: byte %d is %#x: convert it first, golang.org/x/text/encoding has the tables", ErrEncoding, name, i, data[i])
		}
		i += size
	}
	return nil
}

// Text loads a plain text, as one section. Each byte of the text is that of the file; a byte
// order mark is left out of the section.
func Text(ctx context.Context, name string, r io.Reader, o *Options) (*Document, error) {
	data, limits, err := Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	if err := UTF8(name, data); err != nil {
		return nil, err
	}
	b := NewBuilder(name, limits)
	b.Lines(data)
	if rest, ok := strings.CutPrefix(string(data), bom); ok {
		b.Write(bom, Place{Start: 0, End: len(bom)})
		b.Skip()
		b.Write(rest, Place{Start: len(bom), End: len(data)})
	} else {
		b.Write(string(data), Place{Start: 0, End: len(data)})
	}
	return b.Document()
}

// Files loads the files of a tree whose name ends in one of the extensions, in the order of
// their names. The extensions are in lower case, such as ".md". The error of a file comes
// with a nil document and names the file; the loop goes on after it. Folders and files that
// begin with a dot are left out. Links are not followed.
//
//	loaders := map[string]load.Loader{".md": markdown.Load, ".pdf": pdf.Load, ".csv": load.CSV}
//	for d, err := range load.Files(ctx, os.DirFS("manuals"), loaders, nil) {
func Files(ctx context.Context, fsys fs.FS, loaders map[string]Loader, o *Options) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		if fsys == nil || len(loaders) == 0 {
			yield(nil, fmt.Errorf("%w: Files needs a file system and a loader", ErrOption))
			return
		}
		err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				if !yield(nil, fmt.Errorf("load: %w", err)) {
					return fs.SkipAll
				}
				return nil
			}
			if name != "." && strings.HasPrefix(d.Name(), ".") {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			loader := loaders[strings.ToLower(path.Ext(name))]
			if loader == nil || !d.Type().IsRegular() {
				return nil
			}
			if !yield(loadFile(ctx, fsys, name, loader, o)) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(nil, fmt.Errorf("load: %w", err))
		}
	}
}

func loadFile(ctx context.Context, fsys fs.FS, name string, loader Loader, o *Options) (*Document, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	return loader(ctx, name, f, o)
}
