package limit_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/limit"
)

func TestLearnOnlyTightens(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	b, err := limit.NewBucket(10, 20)
	require.NoError(t, err)
	learn := func(key, value string) float64 {
		b.Learn(http.Header{key: {value}}, now)
		return b.TokensAt(now)
	}
	require.Equal(t, 20.0, learn("X-Ratelimit-Remaining-Tokens", "1"), "another dimension")
	require.Equal(t, 20.0, learn("X-Ratelimit-Remaining-Requests", "-1"), "unknown to the server")
	require.Equal(t, 20.0, learn("X-Ratelimit-Remaining-Requests", "nonsense"))
	require.Equal(t, 5.0, learn("X-Ratelimit-Remaining-Requests", "5"))
	require.Equal(t, 5.0, learn("Anthropic-Ratelimit-Requests-Remaining", "50"), "a promise gives nothing")
	require.Equal(t, 0.0, learn("Anthropic-Ratelimit-Requests-Remaining", "0"))
	require.False(t, b.AllowAt(now, 1))
	require.True(t, b.AllowAt(now.Add(time.Second), 10), "it refills at its own rate")
}

func ExampleBucket_Learn() {
	now := time.Unix(1_700_000_000, 0)
	bucket, _ := limit.NewBucket(10, 20)
	header := http.Header{}
	header.Set("X-Ratelimit-Remaining-Requests", "3")
	bucket.Learn(header, now)
	fmt.Println(bucket.AllowAt(now, 4), bucket.AllowAt(now, 3))
	// Output: false true
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestLearnerReadsResponses(t *testing.T) {
	b, err := limit.NewBucket(0, 20)
	require.NoError(t, err)
	header := http.Header{"X-Ratelimit-Remaining-Requests": {"2"}}
	want := &http.Response{StatusCode: 429, Header: header, Body: http.NoBody}
	base := roundTrip(func(*http.Request) (*http.Response, error) { return want, nil })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://provider.invalid", nil)
	require.NoError(t, err)
	for _, l := range []*limit.Learner{{Base: base}, {Base: base, Bucket: b}} {
		got, err := l.RoundTrip(req)
		require.NoError(t, err)
		require.Same(t, want, got)
	}
	require.False(t, b.Allow(3))
	require.True(t, b.Allow(2))

	failed := roundTrip(func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed })
	_, err = (&limit.Learner{Base: failed, Bucket: b}).RoundTrip(req)
	require.ErrorIs(t, err, http.ErrServerClosed)
}
