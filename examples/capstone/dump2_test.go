package main

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
)

func TestDumpPassages(t *testing.T) {
	out := os.Getenv("PASSAGES")
	if out == "" {
		t.Skip("x")
	}
	docs, err := corpus.Course()
	require.NoError(t, err)
	c, err := chunk.NewBlocks(&chunk.Options{Size: 250, Tokens: o200k.Encoding().Count})
	require.NoError(t, err)
	f, err := os.Create(out)
	require.NoError(t, err)
	defer f.Close()
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	for _, d := range docs {
		if path.Ext(d.Source) == ".go" && path.Base(d.Source) != "doc.go" {
			continue
		}
		chunks, err := c.Chunk(t.Context(), d.Text)
		require.NoError(t, err)
		for _, k := range chunks {
			require.NoError(t, enc.Encode(map[string]any{"source": d.Source, "heading": strings.Join(k.Headings, " > "), "text": k.Text}))
		}
	}
}
