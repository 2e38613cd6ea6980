package hnsw

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
)

// TestWhatIsSavedAnswersAsBefore: for each metric and mode, with removed and equal
// vectors in it, and the opened index can be changed.
func TestWhatIsSavedAnswersAsBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	vectors := clustered(600, 24, 8)
	for _, o := range []Options{{}, {Metric: MetricDot, Int8: true, M: 6}, {Metric: MetricL2, EF: 30}, {Metric: MetricL2, Int8: true}} {
		x := build(t, vectors, &o)
		for i := range 50 {
			require.NoError(t, x.Add(1000+i, vectors[i])) // copies
			require.True(t, x.Remove(100+i))
		}
		require.NoError(t, x.Save(path))
		y, err := Open(path, nil)
		require.NoError(t, err)
		y.neverScan = true
		y.check(t)
		require.Equal(t, x.Len(), y.Len())
		for _, q := range independent(30, 24, 4) {
			want, err := x.Search(q, 12, nil)
			require.NoError(t, err)
			got, err := y.Search(q, 12, nil)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		for i := range 200 {
			require.NoError(t, y.Add(5000+i, clustered(1, 24, uint64(i))[0]))
			y.Remove(200 + i)
		}
		y.check(t)
		z, err := Open(path, &Options{EF: 99})
		require.NoError(t, err)
		require.Equal(t, 99, z.o.EF)
		require.Equal(t, x.Len(), z.Len(), "changes of an opened index are not in the file")
	}
	empty, err := New(5, nil)
	require.NoError(t, err)
	require.NoError(t, empty.Save(path))
	y, err := Open(path, nil)
	require.NoError(t, err)
	require.Zero(t, y.Len())
	require.NoError(t, y.Add(1, []float32{1, 2, 3, 4, 5}))
	y.check(t)
	require.Error(t, y.Save(filepath.Join(path, "below a file")))
}

// TestAnOpenedIndexFindsItsIds: by the short directory until it is changed, and by the
// map from then on.
func TestAnOpenedIndexFindsItsIds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	vectors := independent(200, 6, 5)
	for _, factor := range []int{1, -3, 7919} { // in order, from the end, and in no order
		id := func(i int) int { return i * factor % 2003 }
		x, err := New(6, &Options{M: 4, EFConstruction: 20})
		require.NoError(t, err)
		for i, v := range vectors {
			require.NoError(t, x.Add(id(i), v))
		}
		for i := range 20 {
			require.True(t, x.Remove(id(3*i)))
		}
		require.NoError(t, x.Save(path))
		y, err := Open(path, nil)
		require.NoError(t, err)
		same := func() {
			t.Helper()
			y.check(t)
			require.Equal(t, x.Len(), y.Len())
			for i := range 2010 {
				for _, id := range []int{i, -i} {
					want, ok := x.Get(id)
					got, found := y.Get(id)
					require.Equal(t, ok, found)
					require.Equal(t, ok, y.Contains(id))
					require.Equal(t, want, got)
				}
			}
		}
		same()
		require.False(t, y.Remove(5000))
		require.Nil(t, y.place.slots, "nothing was changed")
		for _, z := range []*Index{x, y} {
			require.NoError(t, z.Add(id(0), vectors[3])) // the id is new, the vector may not be
			require.NoError(t, z.Add(id(1), vectors[2]))
			require.True(t, z.Remove(id(100)))
		}
		require.Nil(t, y.place.sorted)
		same()
	}
	x := build(t, vectors, &Options{M: 4, EFConstruction: 20})
	x.ids[7] = x.ids[9]
	require.NoError(t, x.Save(path))
	_, err := Open(path, nil)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, "an id twice")
}

func TestADamagedFileIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	x := build(t, clustered(40, 4, 1), &Options{M: 3})
	require.NoError(t, x.Save(path))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	failed, tried := 0, 0
	for i := 0; i < len(data); i += 1 + i%7 {
		tried++
		data[i] ^= 4
		require.NoError(t, os.WriteFile(path, data, 0o644))
		data[i] ^= 4
		if y, err := Open(path, nil); err != nil {
			require.True(t, isTyped(err), "%v", err)
			failed++
		} else {
			y.check(t) // a bit of the padding
		}
	}
	require.Greater(t, failed, tried/2)
	for n := 0; n < len(data); n += 7 {
		require.NoError(t, os.WriteFile(path, data[:n], 0o644))
		_, err := Open(path, nil)
		if n < len(data)-64 {
			require.ErrorIs(t, err, ErrFormat)
		}
	}
	_, err = Open(path+"x", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestAClaimedSizeTakesNoMemory: the number of vectors is checked against the file before
// anything has room for them.
func TestAClaimedSizeTakesNoMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	head := make([]int64, headNumbers)
	head[headDim], head[headM], head[headSlots], head[headEFConstruction] = 1, 2, 1<<30, 9
	sections := make([][]byte, twinSection+1)
	sections[headSection] = snapshot.Bytes(head)
	require.NoError(t, snapshot.Save(path, kind, version, sections...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Open(path, nil)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, ErrFormat)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<30))
}

// FuzzOpen gives Open intact files of wrong graphs: what opens can be searched and
// changed.
func FuzzOpen(f *testing.F) {
	f.Add(uint8(baseSection), uint16(0), uint32(9))
	f.Add(uint8(baseSection), uint16(1), uint32(1<<31))
	f.Add(uint8(upperSection), uint16(1), uint32(3))
	f.Add(uint8(headSection), uint16(2*headSlots), uint32(5))
	f.Add(uint8(headSection), uint16(2*headM), uint32(200))
	f.Add(uint8(stateSection), uint16(3), uint32(0))
	f.Add(uint8(levelSection), uint16(3), uint32(0x01020301))
	f.Fuzz(func(t *testing.T, section uint8, at uint16, value uint32) {
		path := filepath.Join(t.TempDir(), "x")
		x := build(t, clustered(40, 4, 1), &Options{M: 2, Int8: true})
		require.NoError(t, x.Add(77, clustered(40, 4, 1)[3]))
		require.NoError(t, x.Save(path))
		file, err := snapshot.Open(path, kind, version)
		require.NoError(t, err)
		var sections [][]byte
		for s := range twinSection + 1 {
			b, err := snapshot.All[uint8](file, s)
			require.NoError(t, err)
			sections = append(sections, append([]byte(nil), b...))
		}
		s := sections[int(section)%len(sections)]
		if len(s) >= 4 {
			at := int(at) % (len(s) / 4) * 4
			copy(s[at:], snapshot.Bytes([]uint32{value}))
		}
		require.NoError(t, snapshot.Save(path, kind, version, sections...))
		y, err := Open(path, nil)
		if err != nil {
			require.True(t, isTyped(err), "%v", err)
			return
		}
		y.neverScan = true
		if _, err := y.Search([]float32{1, 2, 3, 4}, 5, nil); err != nil {
			return
		}
		require.NoError(t, y.Add(90, []float32{1, 2, 3, 5}))
		for id := range 40 {
			y.Remove(id)
		}
	})
}

func isTyped(err error) bool {
	return errors.Is(err, ErrFormat) || errors.Is(err, ErrVersion) || errors.Is(err, ErrOption)
}
