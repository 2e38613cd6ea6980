package supply

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Options configure a [Scanner].
type Options struct {
	// Allow lists imports that a pickle may have besides those of tensors and arrays,
	// such as {Module: "sklearn.linear_model._logistic", Name: "LogisticRegression"}.
	// An import that is known as dangerous stays dangerous. Default: none.
	Allow []Global

	// MaxBytes bounds how many bytes are read of one file, after decompression. What
	// is beyond is reported as not read. Default: 64 GiB.
	MaxBytes int64

	// MaxMembers bounds the members of an archive. Default: 100,000.
	MaxMembers int
}

// A Scanner looks for code in model files. It never runs, imports or loads what it
// reads. It is safe for concurrent use.
type Scanner struct {
	allow      map[Global]bool
	maxBytes   int64
	maxMembers int
}

// New makes a scanner. An option that cannot work is an error that wraps [ErrOption].
func New(o *Options) (*Scanner, error) {
	if o == nil {
		o = &Options{}
	}
	s := &Scanner{allow: map[Global]bool{}, maxBytes: o.MaxBytes, maxMembers: o.MaxMembers}
	if o.MaxBytes < 0 || o.MaxMembers < 0 {
		return nil, fmt.Errorf("%w: MaxBytes is %d and MaxMembers %d: want 0 (the default) or more", ErrOption, o.MaxBytes, o.MaxMembers)
	}
	for _, g := range o.Allow {
		if g.Module == "" || g.Name == "" || strings.Contains(g.Module+g.Name, "*") {
			return nil, fmt.Errorf("%w: Allow has %q: want one module and one name, without *", ErrOption, g)
		}
		s.allow[g] = true
	}
	if s.maxBytes == 0 {
		s.maxBytes = 64 << 30
	}
	if s.maxMembers == 0 {
		s.maxMembers = 100_000
	}
	return s, nil
}

// ScanFile scans one file of the disk. The error is of the reading; what is wrong in
// the file is in the report.
func (s *Scanner) ScanFile(ctx context.Context, name string) (Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return Report{}, err
	}
	if !info.Mode().IsRegular() {
		return Report{}, fmt.Errorf("supply: %s is not a regular file", name)
	}
	return s.Scan(ctx, filepath.ToSlash(name), f, info.Size())
}

// ScanFS scans every file below a folder, in the order of their paths. Links are
// followed to files, as in the cache of a model hub, and not to folders.
func (s *Scanner) ScanFS(ctx context.Context, fsys fs.FS) ([]Report, error) {
	if fsys == nil {
		return nil, fmt.Errorf("%w: the file system is nil", ErrOption)
	}
	var all []Report
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r, err := s.scanEntry(ctx, fsys, name)
		if err != nil {
			return fmt.Errorf("supply: %s: %w", name, err)
		}
		all = append(all, r)
		return nil
	})
	return all, err
}

func (s *Scanner) scanEntry(ctx context.Context, fsys fs.FS, name string) (Report, error) {
	unread := func(why string) (Report, error) {
		return Report{Path: name, Status: StatusIncomplete, Findings: []Finding{{Severity: SeverityIncomplete, Kind: KindUnread, Offset: -1, Reason: why}}}, nil
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return unread("the link leads nowhere")
	}
	if !info.Mode().IsRegular() {
		return unread("it is a link to a folder, or a device")
	}
	f, err := fsys.Open(name)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = f.Close() }()
	at, ok := f.(io.ReaderAt)
	if !ok {
		if info.Size() > maxNested {
			return unread("the file system can't read at a position")
		}
		data, err := io.ReadAll(f)
		if err != nil {
			return Report{}, err
		}
		at = bytes.NewReader(data)
	}
	return s.Scan(ctx, name, at, info.Size())
}

// Scan scans what a name, a reader and a size give. The format is decided by the
// content; the name decides only whether bytes of no known format must be a pickle.
func (s *Scanner) Scan(ctx context.Context, name string, r io.ReaderAt, size int64) (Report, error) {
	if r == nil || size < 0 {
		return Report{}, fmt.Errorf("%w: the reader is nil or the size is %d", ErrOption, size)
	}
	c := newCollector(s.maxBytes)
	format, err := s.scanAt(ctx, c, name, r, size)
	return c.report(name, format), err
}

// Formats by their first bytes. Those without a scanner are reported as not read.
var signatures = []struct{ begin, format string }{
	{"PK\x03\x04", "zip"}, {"PK\x05\x06", "zip"}, {"GGUF", "gguf"}, {"\x93NUMPY", "npy"},
	{"\x1f\x8b", "gzip"}, {"BZh", "bzip2"}, {"x\x01", "zlib"}, {"x\x5e", "zlib"}, {"x\x9c", "zlib"}, {"x\xda", "zlib"},
	{"\xfd7zXZ\x00", "xz"}, {"]\x00\x00", "lzma"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\x04\x22\x4d\x18", "lz4"}, {"7z\xbc\xaf\x27\x1c", "7z"},
	{"\x89HDF\r\n\x1a\n", "hdf5"}, {"Rar!", "rar"}, {"ZF\x01", "joblib-zfile"},
}

func sniff(head []byte, size int64) string {
	for _, k := range signatures {
		if bytes.HasPrefix(head, []byte(k.begin)) {
			return k.format
		}
	}
	if len(head) > 1 && head[0] == opProto && head[1] <= 5 {
		return "pickle"
	}
	if len(head) > 262 && string(head[257:262]) == "ustar" {
		return "tar"
	}
	if looksSafetensors(head, size) {
		return "safetensors"
	}
	return ""
}

// pickleNames are the endings of files that loaders take as pickles.
var pickleNames = []string{".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".dill", ".dat", ".data", ".p", ".pck", ".pcl", ".sav", ".model", ".mar"}

// unreadNames are the endings of model files that the scanner has no parser for.
var unreadNames = []string{".h5", ".hdf5", ".pb", ".onnx", ".tflite", ".msgpack", ".mlmodel", ".engine", ".plan", ".so", ".dll", ".dylib",
	// These have a parser, and what has the name without the form is not read by it.
	".safetensors", ".gguf", ".npy", ".npz", ".zip", ".keras", ".tar", ".gz"}

// headBytes are enough for every signature.
const headBytes = 512

func (s *Scanner) scanAt(ctx context.Context, c *collector, name string, r io.ReaderAt, size int64) (format string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	head := make([]byte, min(size, headBytes))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	section := io.NewSectionReader(r, 0, size)
	switch format = sniff(head, size); format {
	case "zip":
		return format, s.scanZip(ctx, c, section)
	case "gguf":
		h, err := ReadGGUF(section, size)
		if err == nil {
			c.templates(h.Templates)
		}
		return format, c.header(err)
	case "safetensors":
		_, err := ReadSafetensors(section, size)
		return format, c.header(err)
	}
	// A zip may begin after other bytes: its directory is at its end.
	if archive, ok := zipAtEnd(r, size); ok {
		c.add(SeverityUnlisted, KindFormat, 0, "a zip archive after other bytes: loaders disagree on what the file is")
		if err := s.scanZip(ctx, c, archive); err != nil {
			return "zip", err
		}
	}
	return s.scanStream(ctx, c, name, format, section)
}

// header reports an error of a header that was checked.
func (c *collector) header(err error) error {
	if errors.Is(err, ErrHeader) {
		c.add(SeverityDangerous, KindFormat, -1, err.Error())
		return nil
	}
	return err
}

// scanStream scans what can be read in one direction: a pickle, an array, or something
// compressed.
func (s *Scanner) scanStream(ctx context.Context, c *collector, name, format string, r io.Reader) (string, error) {
	br := bufio.NewReaderSize(&metered{ctx: ctx, r: r, left: c.budget}, 1<<16)
	if format == "" {
		head, _ := br.Peek(headBytes)
		format = sniff(head, 0)
	}
	ending := strings.ToLower(path.Ext(name))
	var err error
	switch {
	case format == "pickle", format == "" && slices.Contains(pickleNames, ending):
		format = "pickle"
		err = s.scanPickles(c, br)
	case format == "npy":
		err = s.scanNumpy(c, br)
	case format == "tar":
		err = s.scanTar(ctx, c, br)
	case format == "gzip" || format == "zlib" || format == "bzip2":
		err = s.scanCompressed(ctx, c, strings.TrimSuffix(name, path.Ext(name)), format, br)
	case format == "" && slices.Contains(unreadNames, ending), format == "zip", format == "gguf", format != "":
		c.add(SeverityIncomplete, KindUnread, -1, "the scanner can't read this format here: convert the weights to safetensors")
		format = strings.TrimPrefix(cmpOr(format, ending), ".")
	default:
		err = s.scanText(c, name, br)
	}
	var limited *limitError
	if errors.As(err, &limited) {
		c.add(SeverityIncomplete, KindUnread, -1, err.Error())
		return format, nil
	}
	return format, err
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (s *Scanner) scanCompressed(ctx context.Context, c *collector, name, format string, r *bufio.Reader) error {
	if c.depth > maxDepth {
		c.add(SeverityIncomplete, KindUnread, -1, "nested too deep")
		return nil
	}
	var inner io.Reader
	var err error
	switch format {
	case "gzip":
		inner, err = gzip.NewReader(r)
	case "zlib":
		inner, err = zlib.NewReader(r)
	default:
		inner = bzip2.NewReader(r)
	}
	if err == nil {
		// What is compressed under a pickle's name is a pickle, and so is joblib's output.
		_, err = s.scanStream(ctx, c.in(""), name, "", inner)
	}
	if err != nil && ctx.Err() == nil {
		c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the %s data can't be read to the end: %v", format, err))
		return nil
	}
	return err
}

// limitError reports that a file is larger than what the options let the scanner read.
type limitError struct{}

func (*limitError) Error() string {
	return "the file has more bytes than MaxBytes lets the scanner read"
}

// metered reads until the budget of the file is used up or ctx is done.
type metered struct {
	ctx  context.Context //nolint:containedctx // a reader has no other way to a context
	r    io.Reader
	left *int64
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	if *m.left <= 0 {
		return 0, &limitError{}
	}
	n, err := m.r.Read(p[:min(int64(len(p)), *m.left)])
	*m.left -= int64(n)
	return n, err
}
