package vecquant

import (
	"encoding"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	_ encoding.BinaryMarshaler   = (*Product)(nil)
	_ encoding.BinaryUnmarshaler = (*Product)(nil)
)

func TestStoredProduct(t *testing.T) {
	for _, rotate := range []bool{false, true} {
		x, err := TrainProduct(randomVectors(50, 6), &ProductOptions{Parts: 2, Rotate: rotate})
		require.NoError(t, err)
		data, err := x.MarshalBinary()
		require.NoError(t, err)
		var y Product
		require.NoError(t, y.UnmarshalBinary(data))
		require.Equal(t, *x, y)
		for i := range data {
			require.ErrorIs(t, y.UnmarshalBinary(data[:i]), ErrFormat, "cut at %d", i)
			for _, bit := range []byte{1, 128} {
				data[i] ^= bit
				require.ErrorIs(t, y.UnmarshalBinary(data), ErrFormat, "byte %d changed", i)
				data[i] ^= bit
			}
		}
		require.ErrorIs(t, y.UnmarshalBinary(append(data, 0)), ErrFormat)
		require.Equal(t, *x, y, "a failure changes nothing")
	}
}

// FuzzStoredProduct: any bytes with a right checksum are refused or make a
// quantizer that works.
func FuzzStoredProduct(f *testing.F) {
	for _, o := range []*ProductOptions{nil, {Parts: 1, Rotate: true}} {
		x, err := TrainProduct(randomVectors(3, 4), o)
		require.NoError(f, err)
		data, err := x.MarshalBinary()
		require.NoError(f, err)
		f.Add(data[:len(data)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var x Product
		if err := x.UnmarshalBinary(binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, castagnoli))); err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		v := make([]float32, x.Dim())
		v[0] = 1
		code, err := x.Encode(nil, v)
		require.NoError(t, err)
		_, err = x.Decode(nil, code)
		require.NoError(t, err)
	})
}
