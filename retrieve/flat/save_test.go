package flat

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
	"github.com/prodailabs/prodai/retrieve/vecquant"
)

func TestWhatIsSavedAnswersAsBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	rng := rand.New(rand.NewPCG(1, 5))
	for _, m := range []Metric{MetricCosine, MetricDot, MetricL2} {
		x, err := New(9, &Options{Metric: m, AllowZero: true})
		require.NoError(t, err)
		require.NoError(t, x.Add(-3, make([]float32, 9)))
		for id := range 300 {
			v := make([]float32, 9)
			for i := range v {
				v[i] = float32(rng.NormFloat64())
			}
			require.NoError(t, x.Add(id, v))
		}
		x.Remove(7)
		require.NoError(t, x.Save(path))
		codes, err := vecquant.NewInt8(9)
		require.NoError(t, err)
		y, err := Open(path, nil)
		require.NoError(t, err)
		z, err := Open(path, &Options{Codes: codes, Rescore: 30})
		require.NoError(t, err)
		for range 20 {
			q := make([]float32, 9)
			for i := range q {
				q[i] = float32(rng.NormFloat64())
			}
			want, err := x.Search(q, 5, nil)
			require.NoError(t, err)
			for _, other := range []*Index{y, z} {
				got, err := other.Search(q, 5, nil)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		}
		require.NoError(t, y.Add(500, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}))
		require.True(t, y.Remove(0))
		require.Equal(t, 300, y.Len())
	}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data[:len(data)/2], 0o644))
	_, err = Open(path, nil)
	require.ErrorIs(t, err, ErrFormat)
	data[200] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o644))
	_, err = Open(path, nil)
	require.ErrorIs(t, err, ErrFormat)
}

// FuzzOpen gives Open intact files of wrong numbers: what opens can be searched and
// changed.
func FuzzOpen(f *testing.F) {
	for s := range 3 {
		f.Add(uint8(s), uint16(0), uint32(3))
		f.Add(uint8(s), uint16(1), uint32(1<<31))
		f.Add(uint8(s), uint16(6), uint32(0x7fc00000)) // NaN, where it is a float
	}
	f.Fuzz(func(t *testing.T, section uint8, at uint16, value uint32) {
		path := filepath.Join(t.TempDir(), "x")
		x, err := New(4, nil)
		require.NoError(t, err)
		for id := range 20 {
			require.NoError(t, x.Add(id, []float32{float32(id % 7), 1, float32(id % 11), 2}))
		}
		require.NoError(t, x.Save(path))
		file, err := snapshot.Open(path, kind, version)
		require.NoError(t, err)
		var sections [][]byte
		for s := range 3 {
			b, err := snapshot.All[uint8](file, s)
			require.NoError(t, err)
			sections = append(sections, append([]byte(nil), b...))
		}
		if s := sections[int(section)%len(sections)]; len(s) >= 4 {
			copy(s[int(at)%(len(s)/4)*4:], snapshot.Bytes([]uint32{value}))
		}
		require.NoError(t, snapshot.Save(path, kind, version, sections...))
		codes, err := vecquant.NewInt8(4)
		require.NoError(t, err)
		for _, o := range []*Options{nil, {Codes: codes}} {
			y, err := Open(path, o)
			if err != nil {
				require.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrOption) || errors.Is(err, ErrDimension), "%v", err)
				continue
			}
			if _, err := y.Search([]float32{1, 2, 3, 4}, 5, nil); err != nil {
				continue // of other dimensions now
			}
			require.NoError(t, y.Add(90, []float32{1, 2, 3, 5}))
			for id := range 20 {
				y.Remove(id)
			}
		}
	})
}
