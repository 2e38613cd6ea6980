package bedrock

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A frame is a message of application/vnd.amazon.eventstream. On the wire it is
//
//	4 length of all │ 4 length of headers │ 4 CRC-32 of these 8 │ headers │ payload │ 4 CRC-32 of all before
//
// in big-endian order. A header is a byte with the length of its name, the name, a byte
// for its type, and the value.
type frame struct {
	headers map[string]string // those that are texts
	payload []byte
}

// maxFrame is AWS's limit.
const maxFrame = 16 << 20

var errFrame = errors.New("bedrock: a frame of the stream is damaged")

// readFrame reads the next frame; io.EOF at the end of the stream.
func readFrame(r *bufio.Reader) (*frame, error) {
	var prelude [12]byte
	if _, err := io.ReadFull(r, prelude[:]); err != nil {
		return nil, err // io.EOF only if there is no byte of it
	}
	total, head := binary.BigEndian.Uint32(prelude[:]), binary.BigEndian.Uint32(prelude[4:])
	if crc32.ChecksumIEEE(prelude[:8]) != binary.BigEndian.Uint32(prelude[8:]) {
		return nil, fmt.Errorf("%w: the checksum of its lengths", errFrame)
	}
	if total < 16 || total > maxFrame || head > total-16 {
		return nil, fmt.Errorf("%w: %d bytes, %d of headers", errFrame, total, head)
	}
	rest := make([]byte, total-12)
	if _, err := io.ReadFull(r, rest); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	body, sum := rest[:len(rest)-4], binary.BigEndian.Uint32(rest[len(rest)-4:])
	if crc32.Update(crc32.ChecksumIEEE(prelude[:]), crc32.IEEETable, body) != sum {
		return nil, fmt.Errorf("%w: its checksum", errFrame)
	}
	f := &frame{payload: body[head:]}
	var err error
	f.headers, err = readHeaders(body[:head])
	return f, err
}

// The sizes of header values by their type: 6 is bytes and 7 a text, with a length.
var headerSizes = map[byte]int{0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}

func readHeaders(data []byte) (map[string]string, error) {
	out := map[string]string{}
	cut := func(n int) (part []byte, ok bool) {
		if n > len(data) {
			return nil, false
		}
		part, data = data[:n], data[n:]
		return part, true
	}
	for len(data) > 0 {
		length, _ := cut(1)
		name, ok := cut(int(length[0]))
		kind, there := cut(1)
		if !ok || !there {
			return nil, fmt.Errorf("%w: a header is cut", errFrame)
		}
		size, fixed := headerSizes[kind[0]]
		if !fixed {
			n, ok := cut(2)
			if !ok || kind[0] != 6 && kind[0] != 7 {
				return nil, fmt.Errorf("%w: a header of type %d", errFrame, kind[0])
			}
			size = int(binary.BigEndian.Uint16(n))
		}
		value, ok := cut(size)
		if !ok {
			return nil, fmt.Errorf("%w: a header is cut", errFrame)
		}
		if kind[0] == 7 {
			out[string(name)] = string(value)
		}
	}
	return out, nil
}
