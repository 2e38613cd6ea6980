package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/prodailabs/prodai/cache"
)

// ErrDamaged is wrapped by the error of a file that doesn't hold what was written.
var ErrDamaged = errors.New("cache/disk: a damaged file")

// A file begins with magic, then the length of the entry's JSON in 8 bytes and the
// SHA-256 of key and JSON, then the JSON. With the key in it, a file that was
// copied under another name doesn't answer another call.
var magic = []byte("prodai answer 1\n")

const headSize = 16 + 8 + sha256.Size

// encode returns the content of an entry's file.
func encode(key cache.Key, e *cache.Entry) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, headSize+len(body))
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(body)))
	sum := checksum(key, body)
	out = append(out, sum[:]...)
	return append(out, body...), nil
}

// decode reads what encode wrote. Its error wraps [ErrDamaged].
func decode(key cache.Key, data []byte) (*cache.Entry, error) {
	rest, ok := bytes.CutPrefix(data, magic)
	if !ok || len(data) < headSize {
		return nil, fmt.Errorf("%w: its beginning", ErrDamaged)
	}
	length, sum, body := binary.LittleEndian.Uint64(rest), rest[8:8+sha256.Size], rest[8+sha256.Size:]
	if length != uint64(len(body)) {
		return nil, fmt.Errorf("%w: %d bytes of %d", ErrDamaged, len(body), length)
	}
	if want := checksum(key, body); !bytes.Equal(sum, want[:]) {
		return nil, fmt.Errorf("%w: its checksum", ErrDamaged)
	}
	e := new(cache.Entry)
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return e, nil
}

func checksum(key cache.Key, body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(key[:])
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}
