package chunk

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// textSplitter is langchaingo's textsplitter.TextSplitter, declared again so that
// its dependencies don't become ours.
type textSplitter interface {
	SplitText(text string) ([]string, error)
}

var _ textSplitter = (*TextSplitter)(nil)

// Every chunker makes the same texts as a TextSplitter, and documents whose places
// in the source survive a store's JSON.
func TestSplitterAndDocumentsRoundTrip(t *testing.T) {
	for name, c := range chunkers(t, 40, 0) {
		chunks, err := c.Chunk(t.Context(), sample)
		require.NoError(t, err, name)
		splitter, err := NewTextSplitter(c)
		require.NoError(t, err, name)
		split, err := splitter.SplitText(sample)
		require.NoError(t, err, name)
		docs := Documents("a", nil, chunks)
		require.Len(t, docs, len(split), name)
		raw, err := json.Marshal(docs)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(raw, &docs))
		ids := map[any]bool{}
		for i, d := range docs {
			require.Equal(t, split[i], d.PageContent, name)
			start, end := int(d.Metadata[KeyStart].(float64)), int(d.Metadata[KeyEnd].(float64))
			require.Equal(t, chunks[i].Context+sample[start:end], d.PageContent, name)
			ids[d.Metadata[KeyID]] = true
		}
		require.Len(t, ids, len(docs), name)
	}
}
