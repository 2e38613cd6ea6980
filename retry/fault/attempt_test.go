package fault

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type answering func(*http.Request) *http.Response

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestAttempt(t *testing.T) {
	var keys []string
	status := 200
	rt := &Transport{Base: answering(func(r *http.Request) *http.Response {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}"))}
	})}
	send := func(ctx context.Context, header ...string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://model.example", nil)
		require.NoError(t, err)
		for _, h := range header {
			req.Header.Set("X-Stainless-Retry-Count", h)
		}
		resp, err := rt.RoundTrip(req)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		require.NoError(t, err)
	}
	var first, second, other Attempt
	first.Start(t.Context(), nil)
	require.Nil(t, AttemptOf(t.Context()))
	require.Same(t, &first, AttemptOf(context.WithValue(&first, "k", 1))) //nolint:staticcheck // any key will do
	require.False(t, first.Recorded())
	require.Nil(t, first.Failure(errors.New("no exchange was seen"), time.Now()))
	status = 503
	send(&first, "0")
	send(&first, "1")
	require.True(t, first.Recorded())
	require.Equal(t, 1, first.Repeats())
	require.Equal(t, ClassOverloaded, first.Failure(errors.New("the client hides it"), time.Now()).Class)

	second.Start(t.Context(), &first)
	status = 200
	send(&second)
	require.Nil(t, second.Failure(nil, time.Now()))
	require.Zero(t, second.Repeats())
	other.Start(t.Context(), nil)
	send(&other)
	require.NotEmpty(t, keys[0])
	require.Equal(t, []string{keys[0], keys[0], keys[0]}, keys[:3], "a call's attempts share a key")
	require.NotEqual(t, keys[0], keys[3])

	var chosen Attempt
	chosen.Start(WithIdempotencyKey(t.Context(), "mine"), nil)
	key, ok := IdempotencyKey(&chosen)
	require.True(t, ok)
	require.Equal(t, "mine", key)
}

// No time is left for a call whose context is done, here or elsewhere.
func TestFromContext(t *testing.T) {
	for done, class := range map[error]Class{context.Canceled: ClassCanceled, context.DeadlineExceeded: ClassTimeout} {
		cause := errors.New("hidden")
		e := FromContext(done, cause)
		require.Equal(t, class, e.Class)
		require.False(t, e.Retryable || e.Fallback)
		require.ErrorIs(t, e, done)
		require.ErrorIs(t, e, cause)
	}
}
