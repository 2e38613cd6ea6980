package cache

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// Savings are counted for the tenant and the model of each call.
func TestSavings(t *testing.T) {
	type tenantKey struct{}
	now := time.Unix(0, 0)
	m, err := New(answers(func() *llms.ContentResponse {
		now = now.Add(2 * time.Second)
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "a", StopReason: "stop",
			GenerationInfo: map[string]any{"PromptTokens": 7, "CompletionTokens": 3}}}}
	}), &Options{
		Model: "small", Now: func() time.Time { return now },
		Tenant: func(ctx context.Context) string { s, _ := ctx.Value(tenantKey{}).(string); return s },
		Cost: func(model string, _ *llms.ContentResponse) (int64, bool) {
			return 5, model == "large"
		},
	})
	require.NoError(t, err)
	ask := func(tenant string, n int, o ...llms.CallOption) {
		for range n {
			_, err := m.Call(context.WithValue(t.Context(), tenantKey{}, tenant), "q", o...)
			require.NoError(t, err)
		}
	}
	require.Empty(t, m.Savings())
	ask("bob", 3)
	ask("ann", 2, llms.WithModel("large"))
	ask("ann", 4)
	ask("eve", 1)
	require.Equal(t, []Saving{
		{"ann", "large", 1, 10, 5, 2 * time.Second},
		{"ann", "small", 3, 30, 0, 6 * time.Second},
		{"bob", "small", 2, 20, 0, 4 * time.Second},
	}, m.Savings())
	s := m.Stats()
	require.Equal(t, []int64{60, 5, int64(12 * time.Second)}, []int64{s.TokensSaved, s.SavedPicoUSD, int64(s.TimeSaved)})
}

// The rows of a ledger are bounded, and nothing is lost.
func TestLedgerIsBounded(t *testing.T) {
	var l Ledger
	for i := range maxSavings + 50 {
		l.Add(Saving{Tenant: fmt.Sprintf("%06d", i), Tokens: 1})
	}
	l.Add(Saving{Tenant: "000000", Tokens: 1})
	rows := l.Rows()
	require.Len(t, rows, maxSavings+1)
	require.Equal(t, Saving{Tenant: OtherTenants, Tokens: 50}, rows[0])
	require.EqualValues(t, 2, rows[1].Tokens)
}

// answers is a model of one function.
type answers func() *llms.ContentResponse

func (a answers) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return a(), nil
}

func (a answers) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }
