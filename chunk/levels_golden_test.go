package chunk

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/internal/golden"
)

// The passages of semantic-text-splitter and semchunk for the same texts and sizes
// are a reference, not the definition: ours must keep the size, lose nothing, and
// need only few passages more in all.
func TestGoldenLevels(t *testing.T) {
	var docs struct{ Docs map[string]string }
	require.NoError(t, json.Unmarshal(golden.Read(t, "chunk", "docs.json"), &docs))
	type tally struct{ ours, theirs, same int }
	tallies := map[string]tally{}
	golden.Rows(t, "chunk", "levels.jsonl", func(row struct {
		Impl, Doc string
		Cap       json.RawMessage
		Overlap   float64
		Chunks    []struct {
			S int
			T string
		}
	}) error {
		sizes := make([]int, 1) // or the least and the largest
		if err := json.Unmarshal(row.Cap, &sizes[0]); err != nil {
			if err := json.Unmarshal(row.Cap, &sizes); err != nil {
				return err
			}
		}
		o := &Options{Size: sizes[len(sizes)-1], Overlap: int(row.Overlap)}
		count := utf8.RuneCountInString
		if strings.HasPrefix(row.Impl, "semchunk") {
			count = cl100k.Encoding().Count
			o.Tokens, o.Overlap = count, int(row.Overlap*float64(o.Size))
		}
		var c Chunker
		c, err := NewRecursive(o)
		if strings.HasSuffix(row.Impl, "markdown") {
			c, err = NewMarkdown(o)
		}
		if err != nil {
			return err
		}
		text, ok := docs.Docs[row.Doc]
		if !ok {
			return fmt.Errorf("no document %q", row.Doc)
		}
		chunks, err := c.Chunk(t.Context(), text)
		if err != nil {
			return err
		}
		requireLaws(t, row.Impl+" "+row.Doc, text, o.Size, count, chunks)
		at := map[int]string{}
		for _, c := range row.Chunks {
			at[c.S] = c.T
		}
		sum := tallies[row.Impl]
		sum.ours, sum.theirs = sum.ours+len(chunks), sum.theirs+len(row.Chunks)
		for _, c := range chunks {
			if at[c.RuneStart] == c.Text {
				sum.same++
			}
		}
		tallies[row.Impl] = sum
		return nil
	})
	for impl, n := range tallies {
		t.Logf("%s: %d passages, ours %d, %d the same", impl, n.theirs, n.ours, n.same)
		require.LessOrEqual(t, float64(n.ours), 1.1*float64(n.theirs), impl)
	}
}
