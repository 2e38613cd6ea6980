package eval

import (
	"strings"
	"testing"
	"time"

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
		o    JSONOptions
		text string
		want float64
	}{
		{JSONOptions{}, `{"age":3.0e1,"address":{"city":"\u004fslo"},"tags":["a","b"],"name":"Ann"}`, 1},
		{JSONOptions{}, "Here you are:\n```json\n" + ref + "\n```\nAnything else?", 1},
		{JSONOptions{}, strings.Replace(ref, "30", `"30"`, 1), 0},
		{JSONOptions{}, strings.Replace(ref, "Ann", "Bob", 1), 0},
		{JSONOptions{Partial: true}, strings.Replace(ref, "Ann", "Bob", 1), 0.8},
		{JSONOptions{}, strings.Replace(ref, `"age"`, `"x":null,"age"`, 1), 0},
		{JSONOptions{IgnoreExtra: true}, strings.Replace(ref, `"age"`, `"x":null,"age"`, 1), 1},
		{JSONOptions{Ignore: []string{"age"}}, strings.Replace(ref, "30", "31", 1), 1},
		{JSONOptions{}, strings.Replace(ref, `"a","b"`, `"b","a"`, 1), 0},
		{JSONOptions{AnyOrder: true}, strings.Replace(ref, `"a","b"`, `"b","a"`, 1), 1},
		{JSONOptions{}, "no JSON at all {", 0},
		{JSONOptions{Partial: true}, "", 0},
		{JSONOptions{}, strings.Repeat("[{", 10_000), 0},
	} {
		got := value(t, NewJSONMatch(&test.o), &Case{References: []string{ref}}, &Output{Text: test.text})
		require.InDelta(t, test.want, got, 1e-12, "%+v of %.80s", test.o, test.text)
	}
	exact := NewJSONMatch(nil)
	require.Equal(t, 0.0, value(t, exact, &Case{References: []string{"12345678901234567890"}}, &Output{Text: "12345678901234567891"}))
	require.Equal(t, 1.0, value(t, exact, &Case{References: []string{"1e999999999"}}, &Output{Text: "1e999999999"}))
	require.Equal(t, 0.0, value(t, exact, &Case{References: []string{"{}"}}, &Output{Text: "[]"}))
	bag := NewJSONMatch(&JSONOptions{AnyOrder: true})
	require.Equal(t, 0.0, value(t, bag, &Case{References: []string{`[{"a":1,"b":1},{"a":2,"b":2}]`}}, &Output{Text: `[{"a":1,"b":2},{"a":2,"b":1}]`}))
	require.Equal(t, 1.0, value(t, bag, &Case{References: []string{`[{"a":1,"b":1},{"a":2,"b":2}]`}}, &Output{Text: `[{"b":2,"a":2},{"a":1,"b":1}]`}))
	require.ErrorIs(t, exact.Stats(t.Context(), &Case{References: []string{"{"}}, &Output{Text: "{}"}, make([]float64, 2)), ErrCase)
}

func TestToolMatch(t *testing.T) {
	search := Call{"search", `{"q":"weather","limit":3}`}
	book := Call{"book", `{"id":7}`}
	mail := Call{"mail", ``}
	want := []Call{search, book}
	for _, test := range []struct {
		o    ToolOptions
		got  []Call
		want float64
	}{
		{ToolOptions{}, []Call{{"search", `{"limit":3.0,"q":"weather"}`}, book}, 1},
		{ToolOptions{}, []Call{search, mail, book}, 0},
		{ToolOptions{Mode: ToolsInOrder}, []Call{search, mail, book}, 1},
		{ToolOptions{Mode: ToolsInOrder}, []Call{book, search}, 0},
		{ToolOptions{Mode: ToolsAnyOrder}, []Call{book, search}, 1},
		{ToolOptions{Mode: ToolsAnyOrder}, []Call{book, search, search}, 0},
		{ToolOptions{Mode: ToolsContain}, []Call{book, search, search}, 1},
		{ToolOptions{Mode: ToolsF1}, []Call{search}, 2.0 / 3},
		{ToolOptions{Mode: ToolsPath}, []Call{book, search, mail}, 1.0 / 3},
		{ToolOptions{NamesOnly: true}, []Call{{"search", "not json"}, {"book", ""}}, 1},
		{ToolOptions{}, []Call{{"search", "not json"}, book}, 0},
		{ToolOptions{IgnoreArguments: []string{"limit"}}, []Call{{"search", `{"q":"weather","limit":9}`}, book}, 1},
		{ToolOptions{ExtraArguments: true}, []Call{{"search", `{"q":"weather","limit":3,"lang":"en"}`}, book}, 1},
		{ToolOptions{}, nil, 0},
	} {
		m, err := NewToolMatch(&test.o)
		require.NoError(t, err)
		require.InDelta(t, test.want, value(t, m, &Case{Calls: want}, &Output{Calls: test.got}), 1e-12, "%+v %+v", test.o, test.got)
	}
	m, err := NewToolMatch(&ToolOptions{Mode: ToolsContain, ExtraArguments: true})
	require.NoError(t, err)
	require.Equal(t, 1.0, value(t, m, &Case{Calls: []Call{{"f", `{}`}, {"f", `{"a":1}`}}}, &Output{Calls: []Call{{"f", `{"a":1}`}, {"f", `{"b":1}`}}}),
		"the first call fits both wants, the second only one")
	require.Error(t, m.Stats(t.Context(), &Case{}, &Output{}, make([]float64, 2)))
	require.Equal(t, 0.0, value(t, mustTool(t, ToolsExact), &Case{Tags: map[string]string{"calls": "none"}}, &Output{Calls: want}))
	require.Equal(t, 1.0, value(t, mustTool(t, ToolsPath), &Case{Tags: map[string]string{"calls": "none"}}, &Output{}))
	_, err = NewToolMatch(&ToolOptions{Mode: "loose"})
	require.ErrorIs(t, err, ErrOption)
}

func mustTool(t *testing.T, mode ToolMode) *ToolMatch {
	m, err := NewToolMatch(&ToolOptions{Mode: mode})
	require.NoError(t, err)
	return m
}

func TestLatencyAndCost(t *testing.T) {
	outputs := []*Output{
		{Latency: time.Second, CostPicoUSD: 2e9, InputTokens: 10, OutputTokens: 5},
		{Latency: 3 * time.Second, CostPicoUSD: 4e9, InputTokens: 20, OutputTokens: 5},
		{Latency: 2 * time.Second},
	}
	score := func(m Metric) Score {
		table := NewTable(m)
		for _, o := range outputs {
			require.NoError(t, table.Add(t.Context(), &Case{}, o))
		}
		s, err := table.Score()
		require.NoError(t, err)
		return s
	}
	within, err := NewWithin(2 * time.Second)
	require.NoError(t, err)
	require.InDelta(t, 2, score(NewLatency()).Value, 1e-12)
	require.InDelta(t, 2.0/3, score(within).Value, 1e-12)
	require.InDelta(t, 0.003, score(NewCost()).Value, 1e-15)
	require.Equal(t, 1, score(NewCost()).Skipped)
	require.InDelta(t, 20, score(NewTokens()).Value, 1e-12)
	_, err = NewWithin(0)
	require.ErrorIs(t, err, ErrOption)
}

func FuzzFindJSON(f *testing.F) {
	f.Add(`x {"a":[1,2]} y`)
	f.Add(`[[[{`)
	f.Add("1e999")
	m := NewJSONMatch(&JSONOptions{Partial: true})
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := findJSON(text)
		if ok {
			require.Equal(t, 1.0, m.score(v, v))
			require.Equal(t, 1.0, NewJSONMatch(&JSONOptions{AnyOrder: true}).score(v, v))
		}
	})
}
