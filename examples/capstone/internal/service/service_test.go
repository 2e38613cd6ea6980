package service

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
