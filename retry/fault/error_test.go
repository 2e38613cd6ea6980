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
