package supply

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// torchMagic is the first value of a file of torch.save before version 1.6.
const torchMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// scanPickles scans a file that must be a pickle.
func (s *Scanner) scanPickles(c *collector, r *bufio.Reader) error {
	return newMachine(c, s.judge, r).all(true)
}

// all simulates the pickles of a file: usually one, five for an old torch file, and
// for others as many as there are. If strict is set, what is not a pickle is reported.
func (m *machine) all(strict bool) error {
	c, r := m.c, m.r
	legacy := false
	for n := 0; ; n++ {
		start := m.at
		if n > 0 {
			if next, err := r.Peek(1); err != nil || len(next) == 0 {
				if legacy && n < 5 {
					c.add(SeverityIncomplete, KindFormat, m.at, "the file ends before its tensors do")
				}
				return ioOnly(err)
			}
			if legacy && n == 5 {
				return m.skipStorages(r)
			}
		}
		before := m.bad
		v, err := m.run()
		if err != nil && !errors.Is(err, errPickle) {
			return err
		}
		switch {
		case err != nil && n > 0 && m.bad == before && strict:
			c.add(SeverityIncomplete, KindUnread, start, "bytes after the pickle that are not a pickle")
			return nil
		case err != nil && strict:
			c.add(SeverityIncomplete, KindUnread, m.began, err.Error())
			return nil
		case err != nil:
			return nil //nolint:nilerr // what is not a pickle need not be one here
		}
		if m.broken {
			c.add(SeverityIncomplete, KindFormat, -1, "the pickle uses values that are not on its stack or in its memo")
			m.broken = false
		}
		if n == 0 && v.text == torchMagic {
			legacy = true
		}
	}
}

// ioOnly drops the end of the file, which is not an error here.
func ioOnly(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// itemBytes are the sizes of the values in a torch storage.
var itemBytes = map[string]int64{
	"DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2,
	"CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "ComplexFloatStorage": 8, "ComplexDoubleStorage": 16,
	"QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4, "UntypedStorage": 1,
}

// storages returns the key and the size in bytes of each tensor storage that the
// pickles refer to.
func (m *machine) storages() map[string]int64 {
	sizes := map[string]int64{}
	for _, id := range m.stored {
		tag, class, key, count := id.at(0), id.at(1), id.at(2), id.at(4)
		if tag == nil || tag.text != "storage" || class == nil || key == nil || count == nil || count.kind != kindInt || count.num < 0 {
			continue
		}
		if size := itemBytes[class.name]; size > 0 && count.num < 1<<50 {
			sizes[key.text] = max(sizes[key.text], count.num*size)
		}
	}
	return sizes
}

// skipStorages passes the tensors after the pickles of an old torch file: for each
// storage its number of values in eight bytes, then the values.
func (m *machine) skipStorages(r *bufio.Reader) error {
	var total int64
	for _, n := range m.storages() {
		total += 8 + n
	}
	if err := m.skip(total); err != nil {
		if !errors.Is(err, errPickle) {
			return err
		}
		m.c.add(SeverityIncomplete, KindFormat, m.at, "the file ends before its tensors do")
		return nil
	}
	if next, err := r.Peek(1); err == nil && len(next) == 1 {
		m.c.add(SeverityIncomplete, KindUnread, m.at, "bytes after the last tensor")
	}
	return nil
}

// joblibArray passes an array that joblib wrote into the middle of a pickle: padding,
// then the values, or another pickle if the values are objects.
func (m *machine) joblibArray(state *value) error {
	size, object, ok := arraySize(state)
	if !ok {
		return fmt.Errorf("%w: an array in it has no known size", errPickle)
	}
	if object {
		inner := newMachine(m.c, m.allowed, m.r)
		inner.at = m.at
		_, err := inner.run()
		m.at, m.bad, m.broken = inner.at, m.bad+inner.bad, m.broken || inner.broken
		return err
	}
	if align := state.get("numpy_array_alignment_bytes"); align != nil && align.kind == kindInt {
		pad, err := m.byte()
		if err != nil {
			return err
		}
		if err := m.skip(int64(pad)); err != nil {
			return err
		}
	}
	return m.skip(size)
}

// arraySize returns the bytes of the array that a wrapper's state describes.
func arraySize(state *value) (size int64, object, ok bool) {
	dtype, shape := state.get("dtype"), state.get("shape")
	if !dtype.isA("numpy", "dtype") || shape == nil || shape.kind != kindTuple {
		return 0, false, false
	}
	code := dtype.at(1).at(0)
	if code == nil || code.kind != kindString {
		return 0, false, false
	}
	text := strings.TrimLeft(code.text, "<>=|")
	if len(text) < 2 {
		return 0, false, false
	}
	item, err := strconv.ParseInt(text[1:], 10, 32)
	if err != nil || item < 0 {
		return 0, false, false
	}
	if text[0] == 'U' {
		item *= 4
	}
	size = item
	for _, n := range shape.items {
		if n.kind != kindInt || n.num < 0 || n.num > 0 && size > (1<<60)/n.num {
			return 0, false, false
		}
		size *= n.num
	}
	return size, text[0] == 'O', true
}
