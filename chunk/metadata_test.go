package chunk_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/chunk"
)

// The place of a passage survives a store that keeps metadata as JSON.
func ExampleMetaSpan() {
	stored, err := json.Marshal(schema.Document{Metadata: map[string]any{chunk.KeySource: "returns.md", chunk.KeyStart: 22, chunk.KeyEnd: 37}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var d schema.Document
	err = json.Unmarshal(stored, &d)
	source, _ := chunk.MetaString(d.Metadata, chunk.KeySource)
	span, ok := chunk.MetaSpan(d.Metadata)
	fmt.Println(source, span.Start, span.End, ok, chunk.MetaTrusted(d.Metadata), err)
	// Output: returns.md 22 37 true false <nil>
}

func TestMetadata(t *testing.T) {
	meta := map[string]any{chunk.KeyTrust: chunk.TrustTrusted, chunk.KeyStart: 9.0, chunk.KeyEnd: json.Number("3"), chunk.KeyTenant: "acme"}
	require.True(t, chunk.MetaTrusted(meta))
	_, ok := chunk.MetaSpan(meta)
	require.False(t, ok, "the end is before the start")
	n, ok := chunk.MetaInt(meta, chunk.KeyEnd)
	require.True(t, ok)
	require.Equal(t, 3, n)
	_, ok = chunk.MetaInt(meta, chunk.KeyTenant)
	require.False(t, ok)
	_, ok = chunk.MetaString(meta, chunk.KeyStart)
	require.False(t, ok)
	keys := map[string]bool{}
	for _, k := range []string{chunk.KeyID, chunk.KeySource, chunk.KeyStart, chunk.KeyEnd, chunk.KeyHeading, chunk.KeyParent, chunk.KeyTenant, chunk.KeyTrust} {
		keys[k] = true
	}
	require.Len(t, keys, 8)
}
