package docmeta

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIntAcceptsEveryStoresNumber(t *testing.T) {
	for _, v := range []any{7, int32(7), int64(7), 7.0, float32(7), json.Number("7"), json.Number("7.0"), json.Number("7e0")} {
		n, ok := Int(map[string]any{"k": v}, "k")
		require.True(t, ok, "%T %v", v, v)
		require.Equal(t, 7, n)
	}
	for _, v := range []any{nil, "7", 7.5, math.NaN(), math.Inf(1), 1e300, json.Number("x"), json.Number("1.5"), json.Number("1e400"), true} {
		_, ok := Int(map[string]any{"k": v}, "k")
		require.False(t, ok, "%T %v", v, v)
	}
	_, ok := Int(nil, "k")
	require.False(t, ok)
}

func TestSpanSurvivesJSON(t *testing.T) {
	meta := map[string]any{Start: 3, End: 9_007_199_254_740_991}
	data, err := json.Marshal(meta)
	require.NoError(t, err)
	for _, useNumber := range []bool{false, true} {
		d := json.NewDecoder(bytes.NewReader(data))
		if useNumber {
			d.UseNumber()
		}
		var back map[string]any
		require.NoError(t, d.Decode(&back))
		start, end, ok := Span(back)
		require.True(t, ok)
		require.Equal(t, 3, start)
		require.Equal(t, 9_007_199_254_740_991, end)
	}
}

func TestSpanRefusesDisorder(t *testing.T) {
	for _, m := range []map[string]any{{}, {Start: 1}, {End: 1}, {Start: -1, End: 1}, {Start: 2, End: 1}} {
		_, _, ok := Span(m)
		require.False(t, ok, "%v", m)
	}
}

func TestTrustIsExplicit(t *testing.T) {
	require.True(t, IsTrusted(map[string]any{Trust: TrustTrusted}))
	for _, m := range []map[string]any{nil, {}, {Trust: TrustUntrusted}, {Trust: "Trusted"}, {Trust: true}} {
		require.False(t, IsTrusted(m))
	}
}
