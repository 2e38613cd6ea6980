package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
)

var (
	candidates   = flag.String("candidates", "", "write the passages found for each question of testdata/questions to this file, for readers to judge")
	candidateSet = flag.String("candidateset", "", "find passages for one set, as eval -set")
)

// TestCandidates writes what readers judge: see testdata/questions/README.md.
func TestCandidates(t *testing.T) {
	if *candidates == "" {
		t.Skip("-candidates is not set")
	}
	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, svc.Close(context.Background())) })
	file, err := os.Create(*candidates)
	require.NoError(t, err)
	out := json.NewEncoder(file)
	out.SetEscapeHTML(false)
	questions, err := (&settings{set: *candidateSet}).questions()
	require.NoError(t, err)
	for _, q := range questions {
		a, err := svc.Ask(asking(t.Context(), q.Question), service.Question{Text: q.Question, History: q.history()})
		require.NoError(t, err)
		read := q.Question
		if rest, ok := strings.CutPrefix(a.Text, rag.CorrectedLine); ok {
			read, _, _ = strings.Cut(rest, "\n")
		}
		for i, d := range a.Passages {
			source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
			require.NoError(t, out.Encode(map[string]any{"question": q.ID, "asked": q.Question, "read": read, "history": q.History, "rank": i + 1,
				"passage": passageID(d.PageContent), "source": source, "text": d.PageContent, "probability": d.Score}))
		}
	}
	require.NoError(t, file.Close())
}
