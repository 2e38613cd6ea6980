package corpus

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/chunk"
	"github.com/stretchr/testify/require"
)

func TestDump(t *testing.T) {
	out, err := os.Create("/tmp/unasked.jsonl")
	require.NoError(t, err)
	docs, err := Course()
	require.NoError(t, err)
	blocks, err := chunk.NewBlocks(nil)
	require.NoError(t, err)
	e := json.NewEncoder(out)
	for _, d := range docs {
		if path.Base(d.Source) != "doc.go" && path.Base(d.Source) != "README.md" || strings.HasPrefix(d.Source, "examples/") {
			continue
		}
		chunks, err := blocks.Chunk(t.Context(), d.Text)
		require.NoError(t, err)
		for _, c := range chunks {
			if Asked(c.Text) != nil || len(c.Text) < 60 {
				continue
			}
			h := c.Headings[len(c.Headings)-1]
			if h == "Lab" || h == "Exercises" || h == "Further reading" || h == "A minimal program" {
				continue
			}
			require.NoError(t, e.Encode(map[string]any{"id": askedID(c.Text), "source": path.Dir(d.Source), "heading": h, "text": c.Text}))
		}
	}
}
