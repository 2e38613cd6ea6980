package fault

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRepeats(t *testing.T) {
	for value, want := range map[string]bool{"": false, "attempt=1; max=3": false, "attempt=2; max=3": true, "attempt=10; max=12": true} {
		require.Equal(t, want, repeats(http.Header{"Amz-Sdk-Request": {value}}), value)
	}
}
