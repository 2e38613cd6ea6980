package eval

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func value(t *testing.T, m Metric, c *Case, o *Output) float64 {
	t.Helper()
	dst := make([]float64, m.Width())
	require.NoError(t, m.Stats(t.Context(), c, o, dst))
	return m.Value(dst)
}

func TestJSONMatch(t *testing.T) {
	const ref = `{"name":"Ann","age":30,"tags":["a","b"],"address":{"city":"Oslo"}}`
	for _, test := range []struct {
		o    JSONMatchOptions
		text string
		want float64
	}{
		{JSONMatchOptions{}, `{"age":3.0e1,"address":{"city":"\u004fslo"},"tags":["a","b"],"name":"Ann"}`, 1},
		{JSONMatchOptions{}, "Here you are:\n```json\n" + ref + "\n```\nAnything else?", 1},
		{JSONMatchOptions{}, strings.Replace(ref, "30", `"30"`, 1), 0},
		{JSONMatchOptions{}, strings.Replace(ref, "Ann", "Bob", 1), 0},
		{JSONMatchOptions{Partial: true}, strings.Replace(ref, "Ann", "Bob", 1), 0.8},
		{JSONMatchOptions{}, strings.Replace(ref, `"age"`, `"x":null,"age"`, 1), 0},
		{JSONMatchOptions{IgnoreExtra: true}, strings.Replace(ref, `"age"`, `"x":null,"age"`, 1), 1},
		{JSONMatchOptions{Ignore: []string{"age"}}, strings.Replace(ref, "30", "31", 1), 1},
		{JSONMatchOptions{}, strings.Replace(ref, `"a","b"`, `"b","a"`, 1), 0},
		{JSONMatchOptions{AnyOrder: true}, strings.Replace(ref, `"a","b"`, `"b","a"`, 1), 1},
		{JSONMatchOptions{}, "no JSON at all {", 0},
		{JSONMatchOptions{Partial: true}, "", 0},
		{JSONMatchOptions{}, strings.Repeat("[{", 10_000), 0},
	} {
		got := value(t, must(NewJSONMatch(&test.o)), &Case{References: []string{ref}}, &Output{Text: test.text})
		require.InDelta(t, test.want, got, 1e-12, "%+v of %.80s", test.o, test.text)
	}
	exact := must(NewJSONMatch(nil))
	require.Equal(t, 0.0, value(t, exact, &Case{References: []string{"12345678901234567890"}}, &Output{Text: "12345678901234567891"}))
	require.Equal(t, 1.0, value(t, exact, &Case{References: []string{"1e999999999"}}, &Output{Text: "1e999999999"}))
	require.Equal(t, 0.0, value(t, exact, &Case{References: []string{"{}"}}, &Output{Text: "[]"}))
	bag := must(NewJSONMatch(&JSONMatchOptions{AnyOrder: true}))
	require.Equal(t, 0.0, value(t, bag, &Case{References: []string{`[{"a":1,"b":1},{"a":2,"b":2}]`}}, &Output{Text: `[{"a":1,"b":2},{"a":2,"b":1}]`}))
	require.Equal(t, 1.0, value(t, bag, &Case{References: []string{`[{"a":1,"b":1},{"a":2,"b":2}]`}}, &Output{Text: `[{"b":2,"a":2},{"a":1,"b":1}]`}))
	require.ErrorIs(t, exact.Stats(t.Context(), &Case{References: []string{"{"}}, &Output{Text: "{}"}, make([]float64, 2)), ErrCase)
}

func FuzzFindJSON(f *testing.F) {
	f.Add(`x {"a":[1,2]} y`)
	f.Add(`[[[{`)
	f.Add("1e999")
	m := must(NewJSONMatch(&JSONMatchOptions{Partial: true}))
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := findJSON(text)
		if ok {
			require.Equal(t, 1.0, m.score(v, v))
			require.Equal(t, 1.0, must(NewJSONMatch(&JSONMatchOptions{AnyOrder: true})).score(v, v))
		}
	})
}

// TestJSONMatchOfDeepObjects: memory grows with the depth, not with its square.
func TestJSONMatchOfDeepObjects(t *testing.T) {
	deep := func(inner string) string { return strings.Repeat(`{"a":`, 9000) + inner + strings.Repeat("}", 9000) }
	partial := must(NewJSONMatch(&JSONMatchOptions{IgnoreExtra: true}))
	right, wrong := &Output{Text: deep(`[1,"x"]`)}, &Output{Text: deep(`[1,"y"]`)}
	c := &Case{References: []string{deep(`[1,"x"]`)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.Equal(t, 1.0, value(t, partial, c, right))
	require.Equal(t, 0.0, value(t, partial, c, wrong))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200<<20), "it was a gigabyte")
}

// TestJSONMatchOfDeepArrays: an earlier version doubled the compared text at each
// level, and ran out of memory.
func TestJSONMatchOfDeepArrays(t *testing.T) {
	deep := func(inner string) string { return strings.Repeat("[", 500) + inner + strings.Repeat("]", 500) }
	bag := must(NewJSONMatch(&JSONMatchOptions{AnyOrder: true}))
	require.Equal(t, 1.0, value(t, bag, &Case{References: []string{deep(`"a",2`)}}, &Output{Text: deep(`2,"a"`)}))
	require.Equal(t, 0.0, value(t, bag, &Case{References: []string{deep(`"a",2`)}}, &Output{Text: deep(`2,"b"`)}))
}
