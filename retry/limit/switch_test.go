package limit

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSwitch(t *testing.T) {
	var s Switch
	m, err := New(&fakeModel{use: func(string) int { return 1 }}, &Options{Switch: &s})
	require.NoError(t, err)
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
	s.Off("", "incident 7")
	_, err = m.Call(t.Context(), "q")
	require.ErrorContains(t, err, "incident 7")
	s.On("")
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
}
