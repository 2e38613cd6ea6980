package service

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/retry/limit"
)

func course(t testing.TB) *Service {
	t.Helper()
	s, err := New(context.Background(), Options{Tenant: func(context.Context) string { return "t" }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return s
}

func BenchmarkAsk(b *testing.B) {
	for name, question := range map[string]func(i int) string{
		"hit":  func(int) string { return "Why is full jitter better than plain exponential backoff?" },
		"miss": func(i int) string { return fmt.Sprintf("Why is full jitter better than plain backoff number %d?", i) },
	} {
		b.Run(name, func(b *testing.B) {
			before := perTenant // the tenant's limit is not what is measured
			perTenant = limit.Quota{Requests: limit.Rate{N: 1e9, Per: time.Minute}, Tokens: limit.Rate{N: 1e12, Per: time.Minute}}
			b.Cleanup(func() { perTenant = before })
			s := course(b)
			for i := 0; b.Loop(); i++ {
				if _, err := s.Ask(b.Context(), Question{Text: question(i)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestLostSpansAreCounted: a full disk loses spans, and closing reports how many.
func TestLostSpansAreCounted(t *testing.T) {
	s, err := New(t.Context(), Options{NoCourse: true, Spans: full{}})
	require.NoError(t, err)
	_, err = s.Ingest(t.Context(), []corpus.Document{{Source: "a.md", Text: "# A\n\nKeys are rotated every 90 days.\n"}}, nil)
	require.NoError(t, err)
	_, err = s.Ask(t.Context(), Question{Text: "How often are keys rotated?"})
	require.NoError(t, err)
	require.ErrorContains(t, s.Close(context.Background()), "spans could not be written")
}
