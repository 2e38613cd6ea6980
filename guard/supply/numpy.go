package supply

import (
	"bufio"
	"encoding/binary"
	"io"
	"strings"
)

// scanNumpy scans a .npy file: a header, then values, or a pickle if the values are
// Python objects.
func (s *Scanner) scanNumpy(c *collector, r *bufio.Reader) error {
	head := make([]byte, 8)
	if _, err := io.ReadFull(r, head); err != nil {
		return c.short(err)
	}
	size := 2
	if head[6] > 1 { // version 2 and 3
		size = 4
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:size]); err != nil {
		return c.short(err)
	}
	n := binary.LittleEndian.Uint32(length)
	if n > maxLine {
		c.add(SeverityDangerous, KindFormat, 8, "the header of the array is larger than 1 MiB")
		return nil
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return c.short(err)
	}
	// The header is a Python dictionary. NumPy reads it without running it, but only
	// an array without objects is sure to have no pickle. An escape may hide an O.
	if i := strings.Index(string(text), "'descr'"); i >= 0 && !strings.ContainsAny(string(text), `O\`) {
		return nil
	}
	return s.scanPickles(c, r)
}

// short reports a file that ends too early.
func (c *collector) short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // io.ReadFull returns them as they are
		c.add(SeverityIncomplete, KindFormat, -1, "the file ends in its header")
		return nil
	}
	return err
}
