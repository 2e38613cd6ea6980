package vecquant

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/prodailabs/prodai/internal/vec"
)

// ErrFormat is wrapped by errors for bytes that are not a stored quantizer: of
// another format or version, cut off, or changed.
var ErrFormat = errors.New("vecquant: not a stored quantizer")

// The stored form, little-endian: magic, version, then dim, parts, entries and 1 or 0
// for a rotation as uint32, the codebooks and the rotation as float32, and the
// CRC-32C of all that.
const (
	productMagic   = "prodaiPQ"
	productVersion = 1
	productHeader  = len(productMagic) + 5*4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// MarshalBinary returns the learned codebooks, for storing beside the codes. It is
// encoding.BinaryMarshaler, and never fails.
func (x *Product) MarshalBinary() ([]byte, error) {
	rotated := uint32(0)
	if x.rotation != nil {
		rotated = 1
	}
	b := []byte(productMagic)
	for _, n := range []uint32{productVersion, uint32(x.dim), uint32(x.parts), uint32(x.entries), rotated} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, floats := range [][]float32{x.codebooks, x.rotation} {
		for _, f := range floats {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

// UnmarshalBinary makes x the quantizer that [Product.MarshalBinary] stored. It fails
// with [ErrFormat], and then leaves x as it was. It is encoding.BinaryUnmarshaler.
func (x *Product) UnmarshalBinary(data []byte) error {
	if len(data) < productHeader+4 || string(data[:len(productMagic)]) != productMagic {
		return fmt.Errorf("%w: it doesn't begin with %q", ErrFormat, productMagic)
	}
	body, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	var header [5]uint64
	for i := range header {
		header[i] = uint64(binary.LittleEndian.Uint32(data[len(productMagic)+4*i:]))
	}
	version, dim, parts, entries, rotated := header[0], header[1], header[2], header[3], header[4]
	if version != productVersion {
		return fmt.Errorf("%w: version %d, want %d", ErrFormat, version, productVersion)
	}
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return fmt.Errorf("%w: its checksum is %08x, want %08x", ErrFormat, got, sum)
	}
	const most = 1 << 20 // dimensions; their square fits an int
	if dim == 0 || dim > most || parts == 0 || dim%parts != 0 || entries == 0 || entries > maxEntries || rotated > 1 {
		return fmt.Errorf("%w: dim %d, parts %d, entries %d, rotated %d", ErrFormat, dim, parts, entries, rotated)
	}
	if want := uint64(productHeader) + 4*(entries*dim+rotated*dim*dim); uint64(len(body)) != want {
		return fmt.Errorf("%w: %d bytes, want %d", ErrFormat, len(body), want)
	}
	floats := make([]float32, (len(body)-productHeader)/4)
	for i := range floats {
		floats[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[productHeader+4*i:]))
	}
	if err := vec.Check(floats, len(floats), vec.MetricDot); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	*x = Product{dim: int(dim), parts: int(parts), sub: int(dim / parts), entries: int(entries), codebooks: floats[: entries*dim : entries*dim]}
	if rotated == 1 {
		x.rotation = floats[entries*dim:]
	}
	return nil
}
