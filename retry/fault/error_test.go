package fault

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

func TestErrorUnwraps(t *testing.T) {
	e := Classify(Response{Status: 429, Header: header(map[string]string{"retry-after": "7", "x-request-id": "req_1"})}, time.Now())
	var err error = fmt.Errorf("asking: %w", e)
	require.True(t, llms.IsRateLimitError(err))
	var seam interface {
		HTTPStatus() int
		Code() string
		RetryAfter() (time.Duration, bool)
	}
	require.ErrorAs(t, err, &seam)
	require.Equal(t, 429, seam.HTTPStatus())
	require.Equal(t, "rate_limit", seam.Code())
	d, ok := seam.RetryAfter()
	require.True(t, ok)
	require.Equal(t, 7*time.Second, d)
	require.Equal(t, RefusalWait, e.Class.Refusal())
	require.Equal(t, "req_1", e.RequestID)

	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	hidden := errors.New("request timeout: API call exceeded deadline")
	e = FromError(ctx, hidden)
	require.ErrorIs(t, e, context.DeadlineExceeded)
	require.ErrorIs(t, e, hidden)
	require.True(t, llms.IsTimeoutError(e))
}

// A client's code that only reports that something failed doesn't turn a status
// that blames the request into a failure of the server.
func TestAClearStatusBeatsAGenericCode(t *testing.T) {
	for status, want := range map[int]Class{400: ClassInvalidRequest, 401: ClassAuth, 404: ClassNotFound, 429: ClassRateLimit, 500: ClassServerError} {
		e := FromError(context.Background(), &coded{status, "server_error"})
		require.Equal(t, want, e.Class, status)
		require.Equal(t, status >= 500, e.Unhealthy, status)
	}
	require.Equal(t, ClassQuota, FromError(context.Background(), &coded{429, "insufficient_quota"}).Class)
}

type coded struct {
	status int
	code   string
}

func (c *coded) Error() string   { return c.code }
func (c *coded) HTTPStatus() int { return c.status }
func (c *coded) Code() string    { return c.code }
