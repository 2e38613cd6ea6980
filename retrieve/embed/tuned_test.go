package embed

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// small is a model of three tokens and two dimensions.
func small(t testing.TB) *Embedder {
	t.Helper()
	e, err := Load(strings.NewReader("[UNK]\na\nb\n"), rowsFile(`{"embeddings":{"dtype":"I8","shape":[3,2],"data_offsets":[0,6]},"scales":{"dtype":"F32","shape":[3],"data_offsets":[6,18]}}`,
		nil, []int8{0, 0, 1, 2, 3, 4}, []float32{1, 1, 1}))
	require.NoError(t, err)
	return e
}

const tunedHeader = `{"ids":{"dtype":"I32","shape":[1],"data_offsets":[0,4]},"embeddings":{"dtype":"I8","shape":[1,2],"data_offsets":[4,6]},"scales":{"dtype":"F32","shape":[1],"data_offsets":[6,10]}}`

func rowsFile(header string, ids []int32, rows []int8, scales []float32) string {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	out = append(out, header...)
	for _, id := range ids {
		out = binary.LittleEndian.AppendUint32(out, uint32(id))
	}
	for _, x := range rows {
		out = append(out, byte(x))
	}
	for _, s := range scales {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(s))
	}
	return string(out)
}

func TestTuned(t *testing.T) {
	base := small(t)
	file := rowsFile(tunedHeader, []int32{2}, []int8{-100, 50}, []float32{0.5})
	tuned, err := base.Tuned(file)
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, tuned.Row(nil, 1))
	require.Equal(t, []float32{-50, 25}, tuned.Row(nil, 2))
	require.Equal(t, []float32{3, 4}, base.Row(nil, 2), "the base is as it was")
	require.InDelta(t, -49/math.Hypot(49, 27), tuned.Append(nil, "a b")[0], 1e-6)
	require.Equal(t, []int32{1, 2, 1}, tuned.Tokens("a b x a"))
	require.Regexp(t, "^"+base.Name()+"-tuned-[0-9a-f]{12}$", tuned.Name())
	other, err := base.Tuned(rowsFile(tunedHeader, []int32{2}, []int8{-100, 51}, []float32{0.5}))
	require.NoError(t, err)
	require.NotEqual(t, tuned.Name(), other.Name())
	again, err := tuned.Tuned(file)
	require.NoError(t, err)
	require.Equal(t, tuned.Row(nil, 2), again.Row(nil, 2))
}

func TestTunedRefusesWhatDoesNotFit(t *testing.T) {
	base := small(t)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	two := `{"ids":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"embeddings":{"dtype":"I8","shape":[2,2],"data_offsets":[8,12]},"scales":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}`
	_, err := base.Tuned(rowsFile(two, []int32{1, 2}, make([]int8, 4), []float32{1, 1}))
	require.NoError(t, err)
	for name, file := range map[string]string{
		"empty": "", "no header": "\xff\xff\xff\xff\xff\xff\xff\xff{}", "no tensors": file("{}", 0),
		"id too large": rowsFile(tunedHeader, []int32{3}, []int8{1, 2}, []float32{1}),
		"id below 0":   rowsFile(tunedHeader, []int32{-1}, []int8{1, 2}, []float32{1}),
		"id twice":     rowsFile(two, []int32{1, 1}, make([]int8, 4), []float32{1, 1}),
		"NaN":          rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{nan}),
		"infinity":     rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{inf}),
		"below 0":      rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{-1}),
		"overflow":     rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{3e38}),
		"short":        rowsFile(tunedHeader, []int32{1}, []int8{1}, []float32{1}),
		"float ids":    strings.Replace(rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{1}), "I32", "F32", 1),
		"int scales":   strings.Replace(rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{1}), "F32", "I32", 1),
		"dimensions":   strings.Replace(rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{1}), "[1,2]", "[2,1]", 1),
		"shape":        strings.Replace(rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{1}), "[1,2]", "[1,1]", 1),
		"the base":     defaultWeights,
	} {
		_, err := base.Tuned(file)
		require.ErrorIs(t, err, ErrModel, name)
	}
	big, err := New()
	require.NoError(t, err)
	_, err = big.Tuned(rowsFile(tunedHeader, []int32{1}, []int8{1, 2}, []float32{1}))
	require.ErrorIs(t, err, ErrModel, "of two dimensions for 256")
}

func FuzzTuned(f *testing.F) {
	f.Add(rowsFile(tunedHeader, []int32{2}, []int8{-100, 50}, []float32{0.5}))
	f.Add(rowsFile(tunedHeader, []int32{-7}, []int8{1, 2}, []float32{float32(math.NaN())}))
	f.Add(file(`{"ids":{"dtype":"I32","shape":[0],"data_offsets":[0,0]},"embeddings":{"dtype":"I8","shape":[0,2],"data_offsets":[0,0]},"scales":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0))
	base := small(f)
	f.Fuzz(func(t *testing.T, weights string) {
		e, err := base.Tuned(weights)
		if err != nil {
			require.ErrorIs(t, err, ErrModel)
			return
		}
		for _, x := range e.Append(nil, "a b a") {
			if math.IsNaN(float64(x)) || math.Abs(float64(x)) > 1.001 {
				t.Fatalf("a vector with %v", x)
			}
		}
	})
}

func TestRowsOutsideOfTheVocabulary(t *testing.T) {
	e := small(t)
	for _, id := range []int32{-1, 3, math.MaxInt32, math.MinInt32} {
		require.Equal(t, []float32{9, 0, 0}, e.Row([]float32{9}, id))
	}
	require.Empty(t, e.Tokens("x y z \xff"))
}
