package flat

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
