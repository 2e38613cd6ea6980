package main

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	chunkdata "github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

func TestDumpSample(t *testing.T) {
	out := os.Getenv("SAMPLE")
	if out == "" {
		t.Skip("x")
	}
	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant, Passages: 8, NoCourse: true})
	require.NoError(t, err)
	defer svc.Close(context.Background())
	data, err := chunkdata.Data()
	require.NoError(t, err)
	var docs []corpus.Document
	for name, text := range data.Corpora {
		docs = append(docs, corpus.Document{Source: name, Text: text})
	}
	_, err = svc.Ingest(t.Context(), docs, nil)
	require.NoError(t, err)
	file, err := os.Create(out)
	require.NoError(t, err)
	defer file.Close()
	enc := json.NewEncoder(file)
	enc.SetEscapeHTML(false)
	for _, q := range data.Questions {
		a, err := svc.Ask(asking(t.Context(), q.Text), service.Question{Text: q.Text})
		require.NoError(t, err)
		for _, d := range a.Passages {
			source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
			at, ok := chunk.MetaSpan(d.Metadata)
			label, want, have := 0.0, 0, 0
			for _, r := range q.References {
				want += r.End - r.Start
				if ok && source == q.Corpus {
					have += max(0, min(r.End, at.End)-max(r.Start, at.Start))
				}
			}
			switch share := float64(have) / float64(want); {
			case share >= 0.6:
				label = 1
			case share >= 0.25:
				label = 0.5
			}
			require.NoError(t, enc.Encode(map[string]any{"question": q.Text, "around": "", "passage": d.PageContent, "label": label, "refuse": false, "kind": "sample", "set": "sample"}))
		}
	}
}
