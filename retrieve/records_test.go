package retrieve

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"
)

func TestRecordsGoFromOneCollectionToAnother(t *testing.T) {
	ctx := context.Background()
	from := open(t, "")
	for i := range 25 {
		_, err := from.Upsert(ctx, []schema.Document{{PageContent: fmt.Sprintf("passage %d of the manual", i),
			Metadata: map[string]any{"id": fmt.Sprintf("p%02d", i), "source": "manual.md", "tenant": "a", "n": i}}})
		require.NoError(t, err)
	}
	to := open(t, "")
	cursor, calls := "", 0
	for {
		records, next, err := from.Scan(ctx, cursor, 10)
		require.NoError(t, err)
		did, err := to.UpsertRecords(ctx, records)
		require.NoError(t, err)
		require.Zero(t, did.Embedded)
		calls++
		if cursor = next; next == "" {
			break
		}
	}
	require.Equal(t, 3, calls)
	require.Equal(t, from.Sources(), to.Sources())
	a, _, err := from.Scan(ctx, "", 100)
	require.NoError(t, err)
	b, _, err := to.Scan(ctx, "", 100)
	require.NoError(t, err)
	require.Equal(t, a, b)
	did, err := to.UpsertRecords(ctx, a)
	require.NoError(t, err)
	require.Equal(t, Changes{Kept: 25}, did)

	_, _, err = from.Scan(ctx, "", 0)
	require.ErrorIs(t, err, ErrOption)
	_, err = to.UpsertRecords(ctx, []Record{{Document: schema.Document{PageContent: "x"}, Vector: []float32{1}}})
	require.ErrorIs(t, err, ErrEmbedder)
	_, err = to.UpsertRecords(ctx, []Record{{Document: schema.Document{PageContent: "x"}}})
	require.ErrorIs(t, err, ErrEmbedder)
	require.NoError(t, to.Close())
	_, err = to.UpsertRecords(ctx, a)
	require.ErrorIs(t, err, ErrClosed)
	_, _, err = to.Scan(ctx, "", 1)
	require.ErrorIs(t, err, ErrClosed)
}
