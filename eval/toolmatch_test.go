package eval

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToolMatch(t *testing.T) {
	search := Call{"search", `{"q":"weather","limit":3}`}
	book := Call{"book", `{"id":7}`}
	mail := Call{"mail", ``}
	want := []Call{search, book}
	for _, test := range []struct {
		o    ToolMatchOptions
		got  []Call
		want float64
	}{
		{ToolMatchOptions{}, []Call{{"search", `{"limit":3.0,"q":"weather"}`}, book}, 1},
		{ToolMatchOptions{}, []Call{search, mail, book}, 0},
		{ToolMatchOptions{Mode: ToolsInOrder}, []Call{search, mail, book}, 1},
		{ToolMatchOptions{Mode: ToolsInOrder}, []Call{book, search}, 0},
		{ToolMatchOptions{Mode: ToolsAnyOrder}, []Call{book, search}, 1},
		{ToolMatchOptions{Mode: ToolsAnyOrder}, []Call{book, search, search}, 0},
		{ToolMatchOptions{Mode: ToolsContain}, []Call{book, search, search}, 1},
		{ToolMatchOptions{Mode: ToolsF1}, []Call{search}, 2.0 / 3},
		{ToolMatchOptions{Mode: ToolsPath}, []Call{book, search, mail}, 1.0 / 3},
		{ToolMatchOptions{NamesOnly: true}, []Call{{"search", "not json"}, {"book", ""}}, 1},
		{ToolMatchOptions{}, []Call{{"search", "not json"}, book}, 0},
		{ToolMatchOptions{IgnoreArguments: []string{"limit"}}, []Call{{"search", `{"q":"weather","limit":9}`}, book}, 1},
		{ToolMatchOptions{ExtraArguments: true}, []Call{{"search", `{"q":"weather","limit":3,"lang":"en"}`}, book}, 1},
		{ToolMatchOptions{}, nil, 0},
	} {
		m, err := NewToolMatch(&test.o)
		require.NoError(t, err)
		require.InDelta(t, test.want, value(t, m, &Case{Calls: want}, &Output{Calls: test.got}), 1e-12, "%+v %+v", test.o, test.got)
	}
	m, err := NewToolMatch(&ToolMatchOptions{Mode: ToolsContain, ExtraArguments: true})
	require.NoError(t, err)
	require.Equal(t, 1.0, value(t, m, &Case{Calls: []Call{{"f", `{}`}, {"f", `{"a":1}`}}}, &Output{Calls: []Call{{"f", `{"a":1}`}, {"f", `{"b":1}`}}}),
		"the first call fits both wants, the second only one")
	require.Error(t, m.Stats(t.Context(), &Case{}, &Output{}, make([]float64, 2)))
	require.Equal(t, 0.0, value(t, mustTool(t, ToolsExact), &Case{Tags: map[string]string{"calls": "none"}}, &Output{Calls: want}))
	require.Equal(t, 1.0, value(t, mustTool(t, ToolsPath), &Case{Tags: map[string]string{"calls": "none"}}, &Output{}))
	_, err = NewToolMatch(&ToolMatchOptions{Mode: "loose"})
	require.ErrorIs(t, err, ErrOption)
}

func mustTool(t *testing.T, mode ToolMode) *ToolMatch {
	m, err := NewToolMatch(&ToolMatchOptions{Mode: mode})
	require.NoError(t, err)
	return m
}
