package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

func TestDumpAnswers(t *testing.T) {
	in := os.Getenv("QUESTIONS")
	if in == "" {
		t.Skip("QUESTIONS is not set")
	}
	svc, err := service.New(t.Context(), service.Options{})
	require.NoError(t, err)
	defer svc.Close(context.Background())
	data, err := os.ReadFile(in)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var q struct {
			ID, Kind, Question string
			History            []struct{ Role, Text string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &q))
		var h []llms.MessageContent
		for _, m := range q.History {
			role := llms.ChatMessageTypeHuman
			if m.Role == "assistant" {
				role = llms.ChatMessageTypeAI
			}
			h = append(h, llms.TextParts(role, m.Text))
		}
		a, err := svc.Ask(t.Context(), service.Question{Text: q.Question, History: h})
		require.NoError(t, err)
		score := float32(0)
		if len(a.Passages) > 0 {
			score = a.Passages[0].Score
		}
		fmt.Printf("=== %s %s [%.2f] %s\n%s\n\n", q.ID, q.Kind, score, q.Question, a.Text)
	}
}
