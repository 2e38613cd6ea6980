package main

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

var _ = stats.ProportionWilson

func TestDumpCandidates(t *testing.T) {
	out := os.Getenv("CANDIDATES")
	if out == "" {
		t.Skip("CANDIDATES is not set")
	}
	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant, Passages: 8})
	require.NoError(t, err)
	defer svc.Close(context.Background())
	file, err := os.Create(out)
	require.NoError(t, err)
	defer file.Close()
	data, err := os.ReadFile(os.Getenv("QUESTIONS"))
	require.NoError(t, err)
	enc := json.NewEncoder(file)
	enc.SetEscapeHTML(false)
	for _, q := range decode[question](t, data) {
		a, err := svc.Ask(asking(t.Context(), q.Question), service.Question{Text: q.Question, History: q.history()})
		require.NoError(t, err)
		for i, d := range a.Passages {
			source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
			require.NoError(t, enc.Encode(map[string]any{"id": q.ID, "question": q.Question, "history": q.History, "rank": i, "passage": passageID(d.PageContent), "source": source, "text": d.PageContent, "score": d.Score}))
		}
	}
}

func decode[T any](t *testing.T, data []byte) []T {
	var out []T
	start := 0
	for i, c := range data {
		if c != '\n' {
			continue
		}
		var v T
		require.NoError(t, json.Unmarshal(data[start:i], &v))
		out = append(out, v)
		start = i + 1
	}
	return out
}
