package supply

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/prodailabs/prodai/guard/sink"
)

const (
	maxDepth  = 4        // archives in archives
	maxNested = 64 << 20 // bytes of an archive in an archive, which is read into memory
)

// scanZip scans the members of a zip archive: torch's checkpoints since 1.6, NumPy's
// .npz, Keras' .keras.
func (s *Scanner) scanZip(ctx context.Context, c *collector, r *io.SectionReader) error {
	z, err := zip.NewReader(r, r.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the archive can't be read: %v", err))
		return nil
	}
	if len(z.File) > s.maxMembers {
		c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the archive has %d members: want at most %d", len(z.File), s.maxMembers))
		return nil
	}
	seen := map[string]bool{}
	tensors := map[string]int64{} // proven to be tensor data, with their sizes
	agree := true                 // the directory and the headers, so far
	for pass := range 2 {
		for _, f := range z.File {
			if pickled := strings.HasSuffix(f.Name, ".pkl"); pickled != (pass == 0) {
				continue // the pickles first: they name the tensors
			}
			at := c.in(printable(f.Name))
			if seen[strings.ToLower(f.Name)] {
				at.add(SeverityUnlisted, KindFormat, -1, "two members have this name: loaders disagree on which one counts")
			}
			seen[strings.ToLower(f.Name)] = true
			at.name(f.Name, f.Mode().IsDir(), f.Mode().IsRegular() || f.Mode().IsDir())
			agree = agree && at.local(r, f)
			if err := s.scanMember(ctx, at, f, tensors); err != nil {
				return err
			}
		}
	}
	return nil
}

// name reports a name that would leave the folder that an archive is unpacked into.
func (c *collector) name(name string, folder, plain bool) {
	if folder {
		name = strings.TrimSuffix(name, "/")
	}
	if _, err := sink.CleanPath(name); err != nil && strings.Trim(name, "./") != "" {
		c.add(SeverityDangerous, KindPath, -1, "the member's name can leave the folder that the archive is unpacked into")
	}
	if !plain {
		c.add(SeverityDangerous, KindPath, -1, "the member is a link or a device")
	}
}

// local compares the name in the directory with the one before the data: a
// loader that reads the second one sees another file. One difference is enough, because
// looking for the header is slow.
func (c *collector) local(r io.ReaderAt, f *zip.File) bool {
	start, err := f.DataOffset()
	if err != nil {
		c.add(SeverityIncomplete, KindFormat, -1, fmt.Sprintf("the member has no readable header: %v", err))
		return false
	}
	// The header before the data ends in the name and an extra field of unknown size.
	for extra := int64(0); extra < 1<<16; extra++ {
		at := start - extra - int64(len(f.Name)) - 30
		head := make([]byte, 30)
		if at < 0 {
			break
		}
		if _, err := r.ReadAt(head, at); err != nil {
			break
		}
		if string(head[:4]) == "PK\x03\x04" && int64(binary.LittleEndian.Uint16(head[28:])) == extra {
			name := make([]byte, binary.LittleEndian.Uint16(head[26:]))
			if _, err := r.ReadAt(name, at+30); err == nil && string(name) == f.Name {
				return true
			}
		}
	}
	c.add(SeverityUnlisted, KindFormat, -1, "the name in the archive's directory differs from the one at the data: loaders disagree on it")
	return false
}

func (s *Scanner) scanMember(ctx context.Context, c *collector, f *zip.File, tensors map[string]int64) error {
	if f.Mode().IsDir() {
		return nil
	}
	if size, ok := tensors[f.Name]; ok && !strings.HasSuffix(f.Name, ".pkl") && f.UncompressedSize64 == uint64(size) {
		return nil
	}
	if f.Flags&1 != 0 {
		c.add(SeverityIncomplete, KindUnread, -1, "the member is marked as encrypted; a loader may ignore the mark")
	}
	body, err := f.Open()
	if err != nil {
		c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the member can't be read: %v", err))
		return nil
	}
	defer func() { _ = body.Close() }()
	err = s.scanBody(ctx, c, f.Name, body, tensors)
	if err != nil && ctx.Err() == nil {
		c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the member can't be read to the end: %v", err))
		return nil
	}
	return err
}

// scanBody scans a member of an archive.
func (s *Scanner) scanBody(ctx context.Context, c *collector, name string, body io.Reader, tensors map[string]int64) error {
	br := bufio.NewReaderSize(&metered{ctx: ctx, r: body, left: c.budget}, 1<<16)
	head, _ := br.Peek(headBytes)
	format := sniff(head, 0)
	if format == "pickle" && path.Base(name) == "data.pkl" && tensors != nil {
		m := newMachine(c, s.judge, br)
		if err := m.all(true); err != nil {
			return err
		}
		for key, size := range m.storages() {
			if !strings.ContainsAny(key, `/\`) { // a key is a name in the folder, not a way out of it
				tensors[path.Join(path.Dir(name), "data", key)] = size
			}
		}
		return nil
	}
	if format == "zip" || format == "gguf" || format == "safetensors" {
		data, err := io.ReadAll(io.LimitReader(br, maxNested+1))
		if err != nil {
			return err
		}
		if len(data) > maxNested || c.depth > maxDepth {
			c.add(SeverityIncomplete, KindUnread, -1, "an archive in an archive that is too large or too deep")
			return nil
		}
		_, err = s.scanAt(ctx, c, name, bytes.NewReader(data), int64(len(data)))
		return err
	}
	_, err := s.scanStream(ctx, c, name, format, br)
	return err
}

func (s *Scanner) scanTar(ctx context.Context, c *collector, r io.Reader) error {
	t := tar.NewReader(r)
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			c.add(SeverityIncomplete, KindUnread, -1, fmt.Sprintf("the archive can't be read to the end: %v", err))
			return ctx.Err()
		case n >= s.maxMembers:
			c.add(SeverityIncomplete, KindUnread, -1, "the archive has too many members")
			return nil
		}
		at := c.in(printable(h.Name))
		at.name(h.Name, h.Typeflag == tar.TypeDir, h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeDir)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := s.scanBody(ctx, at, h.Name, t, nil); err != nil {
			return err
		}
	}
}

// zipAtEnd finds an archive whose directory is at the end of a file that begins with
// something else.
func zipAtEnd(r io.ReaderAt, size int64) (*io.SectionReader, bool) {
	tail := make([]byte, min(size, 1<<16+22))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, false
	}
	if !bytes.Contains(tail, []byte("PK\x05\x06")) {
		return nil, false
	}
	section := io.NewSectionReader(r, 0, size)
	z, err := zip.NewReader(section, size)
	if z == nil || err != nil && !errors.Is(err, zip.ErrInsecurePath) || len(z.File) == 0 {
		return nil, false
	}
	return section, true
}
