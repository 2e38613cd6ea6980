package supply

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"

	"github.com/prodailabs/prodai/guard/sink"
)

// ErrLock reports a lock file that can't be read.
var ErrLock = errors.New("supply: the lock file is not valid")

// A Pin is what a lock file has of one file: enough to notice any change.
type Pin struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in lower-case hexadecimal
	Status string `json:"status"` // of the scan at the time of pinning
}

// A Lock pins the files of one model to their hashes, as go.sum pins modules.
type Lock struct {
	Version  int    `json:"version"`
	Source   string `json:"source"`   // where the model comes from, such as "hf://org/name"
	Revision string `json:"revision"` // a commit, never a branch
	Pins     []Pin  `json:"files"`    // by path
}

// A Change is a difference between a lock and a folder.
type Change struct {
	Path string
	Kind string // "changed", "missing" or "added"
}

var commit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// Lock scans and hashes every file of a model's folder. Source and revision say where
// the files come from. The revision is a commit in hexadecimal: a branch such as "main"
// changes under the same name. A file that is not clean is an error, unless its
// status is [StatusSkipped]: what was not checked is not pinned as good.
func (s *Scanner) Lock(ctx context.Context, fsys fs.FS, source, revision string) (*Lock, error) {
	if source == "" || !commit.MatchString(revision) {
		return nil, fmt.Errorf("%w: the source is %q and the revision %q: want a source, and a commit of 40 or 64 hexadecimal digits", ErrOption, source, revision)
	}
	reports, err := s.ScanFS(ctx, fsys)
	if err != nil {
		return nil, err
	}
	l := &Lock{Version: 1, Source: source, Revision: revision, Pins: []Pin{}}
	for _, r := range reports {
		if r.Status != StatusClean && r.Status != StatusSkipped {
			return nil, fmt.Errorf("supply: %s is not pinned: it is %v: %s", r.Path, r.Status, r.Findings[0].Reason)
		}
		n, sum, err := hashOf(ctx, fsys, r.Path)
		if err != nil {
			return nil, err
		}
		l.Pins = append(l.Pins, Pin{r.Path, n, sum, r.Status.String()})
	}
	return l, nil
}

// Verify hashes a folder's files and returns what differs from the lock, by path: a
// file that changed, one that is missing, and one that the lock does not have. No
// change means that the folder is the one that was pinned.
func (l *Lock) Verify(ctx context.Context, fsys fs.FS) ([]Change, error) {
	if fsys == nil {
		return nil, fmt.Errorf("%w: the file system is nil", ErrOption)
	}
	pinned := map[string]Pin{}
	for _, p := range l.Pins {
		pinned[p.Path] = p
	}
	var changes []Change
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		p, ok := pinned[name]
		if !ok {
			changes = append(changes, Change{name, "added"})
			return nil
		}
		delete(pinned, name)
		n, sum, err := hashOf(ctx, fsys, name)
		if err != nil {
			return err
		}
		if n != p.Bytes || sum != p.SHA256 {
			changes = append(changes, Change{name, "changed"})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for name := range pinned {
		changes = append(changes, Change{name, "missing"})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return changes, nil
}

// WriteTo writes the lock as indented JSON.
func (l *Lock) WriteTo(w io.Writer) (int64, error) {
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return 0, err
	}
	n, err := w.Write(append(data, '\n'))
	return int64(n), err
}

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ReadLock reads what [Lock.WriteTo] wrote. A lock with a field that it does not know, a
// path twice or outside of its folder, or a hash that is none, is an error that
// wraps [ErrLock].
func ReadLock(r io.Reader) (*Lock, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	d := json.NewDecoder(io.LimitReader(r, 256<<20))
	d.DisallowUnknownFields()
	l := &Lock{}
	if err := d.Decode(l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLock, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows the JSON", ErrLock)
	}
	if l.Version != 1 || l.Source == "" || !commit.MatchString(l.Revision) {
		return nil, fmt.Errorf("%w: version %d, source %q, revision %q", ErrLock, l.Version, l.Source, l.Revision)
	}
	seen := map[string]bool{}
	for _, p := range l.Pins {
		clean, err := sink.CleanPath(p.Path)
		if err != nil || clean != p.Path || seen[p.Path] || p.Bytes < 0 || !digest.MatchString(p.SHA256) {
			return nil, fmt.Errorf("%w: the file %q is there twice, or its path, size or hash is not valid", ErrLock, p.Path)
		}
		seen[p.Path] = true
	}
	return l, nil
}

func hashOf(ctx context.Context, fsys fs.FS, name string) (int64, string, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	left := int64(1) << 62
	n, err := io.Copy(h, &metered{ctx: ctx, r: f, left: &left})
	return n, hex.EncodeToString(h.Sum(nil)), err
}
