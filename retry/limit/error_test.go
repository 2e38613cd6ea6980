package limit

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// An Error whose Refusal was not set doesn't ask the caller to wait.
func TestZeroRefusalIsNotAWait(t *testing.T) {
	e := &Error{}
	require.Equal(t, http.StatusServiceUnavailable, e.HTTPStatus())
	require.Equal(t, "service_unavailable", e.Code())
}
