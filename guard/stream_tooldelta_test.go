package guard

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Servers number calls, or give all of them the index 0, or none; some send an id and a
// name once, some in each delta.
func TestAssemble(t *testing.T) {
	type call struct{ name, arguments string }
	for name, c := range map[string]struct {
		chunks []string
		want   []call
	}{
		"in pieces, interleaved": {[]string{
			`[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}},{"index":1,"id":"b","function":{"name":"g","arguments":""}}]`,
			`[{"index":1,"function":{"arguments":"{}"}}]`, `[{"index":0,"function":{"arguments":":1}"}}]`,
		}, []call{{"f", `{"x":1}`}, {"g", "{}"}}},
		"index 0 for all, with ids": {[]string{
			`[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]`, `[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]`,
			`[{"index":0,"id":"c","function":{"name":"g","arguments":"{}"}}]`,
		}, []call{{"f", "{}"}, {"g", "{}"}, {"g", "{}"}}},
		"index 0 for all, without ids": {[]string{
			`[{"index":0,"function":{"name":"f","arguments":"{}"}}]`, `[{"index":0,"function":{"name":"g","arguments":"{}"}}]`,
		}, []call{{"f", "{}"}, {"g", "{}"}}},
		"a name in each delta": {[]string{
			`[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]`, `[{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}]`,
			`[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]`,
		}, []call{{"f", `{"x":1}`}}},
		"a name in two pieces": {[]string{
			`[{"index":0,"id":"a","function":{"name":"get_","arguments":""}}]`, `[{"index":0,"function":{"name":"weather","arguments":"{}"}}]`,
		}, []call{{"get_weather", "{}"}}},
		"neither index nor id": {[]string{
			`[{"function":{"name":"f","arguments":"{}"}}]`, `[{"function":{"name":"g","arguments":""}}]`, `[{"function":{"name":"h","arguments":""}}]`,
		}, []call{{"f", "{}"}, {"g", ""}, {"h", ""}}},
		"ids alone": {[]string{
			`[{"id":"a","function":{"name":"f","arguments":"{"}},{"id":"b","function":{"name":"g","arguments":"{"}}]`, `[{"id":"a","function":{"arguments":"}"}}]`, `[{"id":"b","function":{"arguments":"}"}}]`,
		}, []call{{"f", "{}"}, {"g", "{}"}}},
	} {
		var chunks [][]byte
		for _, c := range c.chunks {
			chunks = append(chunks, []byte(c))
		}
		calls, err := assemble(chunks)
		require.NoError(t, err, name)
		var got []call
		for _, c := range calls {
			got = append(got, call{c.Function.Name, c.Function.Arguments})
		}
		assert.Equal(t, c.want, got, name)
	}
}
