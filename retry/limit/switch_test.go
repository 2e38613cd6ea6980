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
	s.StopAll("incident 7")
	_, err = m.Call(t.Context(), "q")
	require.ErrorContains(t, err, "incident 7")
	s.ResumeAll()
	_, err = m.Call(t.Context(), "q")
	require.NoError(t, err)
}

// The tenant "" is one of many: that of the calls that name none.
func TestSwitchOfATenant(t *testing.T) {
	var s Switch
	s.Stop("", "no name")
	s.Stop("a", "a batch job")
	s.StopAll("incident 7")
	s.ResumeAll()
	for tenant, want := range map[string]string{"": "no name", "a": "a batch job", "b": ""} {
		reason, stopped := s.Stopped(tenant)
		require.Equal(t, want, reason)
		require.Equal(t, want != "", stopped)
	}
	s.Resume("")
	_, stopped := s.Stopped("")
	require.False(t, stopped)
}
