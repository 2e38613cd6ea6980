package supply

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

func (m *machine) byte() (byte, error) {
	b, err := m.r.ReadByte()
	if err != nil {
		return 0, cut(err)
	}
	m.at++
	return b, nil
}

// cut turns the end of the bytes into an error of the pickle.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends in the middle", errPickle)
	}
	return err
}

func (m *machine) uint(size int) (uint64, error) {
	var b [8]byte
	n, err := io.ReadFull(m.r, b[:size])
	m.at += int64(n)
	if err != nil {
		return 0, cut(err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

func (m *machine) skip(n int64) error {
	for n > 0 {
		step, err := m.r.Discard(int(min(n, 1<<30)))
		m.at += int64(step)
		n -= int64(step)
		if err != nil {
			return cut(err)
		}
	}
	return nil
}

// text reads a text or bytes after a length of size bytes. Only what may name an
// import is kept.
func (m *machine) text(size int, isText bool) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if n > math.MaxInt64 {
		return fmt.Errorf("%w: a text of %d bytes", errPickle, n)
	}
	if !isText || n > maxName {
		m.push(other)
		return m.skip(int64(n))
	}
	b := make([]byte, n)
	got, err := io.ReadFull(m.r, b)
	m.at += int64(got)
	m.push(&value{kind: kindString, text: string(b)})
	if err != nil {
		return cut(err)
	}
	return nil
}

func (m *machine) long(size int) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if n > 8 {
		if size == 1 && n == 10 { // torch's magic number has ten bytes
			b := make([]byte, n)
			got, err := io.ReadFull(m.r, b)
			m.at += int64(got)
			m.push(&value{kind: kindOther, text: string(b)})
			if err != nil {
				return cut(err)
			}
			return nil
		}
		m.push(other)
		return m.skip(int64(n)) //nolint:gosec // at most four bytes
	}
	bits, err := m.uint(int(n)) //nolint:gosec // at most 8
	if n > 0 && n < 8 && bits>>(8*n-1) == 1 {
		bits |= math.MaxUint64 << (8 * n)
	}
	m.push(&value{kind: kindInt, num: int64(bits)}) //nolint:gosec // the number is signed
	return err
}

func (m *machine) line() (string, error) {
	var b []byte
	for {
		part, err := m.r.ReadSlice('\n')
		m.at += int64(len(part))
		if len(b)+len(part) > maxLine {
			return "", fmt.Errorf("%w: a line of more than %d bytes", errPickle, maxLine)
		}
		b = append(b, part...)
		switch {
		case err == nil:
			return string(b[:len(b)-1]), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", cut(err)
		}
	}
}

// unquote undoes Python's quotes and escapes around the text of a STRING.
func unquote(line string) string {
	line = strings.TrimRight(line, " \r")
	if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
		return line
	}
	var b strings.Builder
	quote := line[0]
	for rest := line[1 : len(line)-1]; rest != ""; {
		r, wide, tail, err := strconv.UnquoteChar(rest, quote)
		switch {
		case err != nil: // an escape that Go does not have, such as \' inside of "
			b.WriteString(strings.TrimPrefix(rest[:1], `\`))
			rest = rest[1:]
			continue
		case wide:
			b.WriteRune(r)
		default:
			b.WriteByte(byte(r)) //nolint:gosec // not a multibyte character
		}
		rest = tail
	}
	return b.String()
}

// printable quotes a name if it has characters that a terminal would act on.
func printable(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	if q := strconv.QuoteToASCII(s); q != `"`+s+`"` {
		return q
	}
	return s
}
