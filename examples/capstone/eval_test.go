package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// frozen returns the course as it was on the day the golden questions were
// written. The live notes change with every release; answers that are tested
// must not change with them.
func frozen(t *testing.T) []corpus.Document {
	t.Helper()
	file, err := os.Open("testdata/course.jsonl")
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var docs []corpus.Document
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var d corpus.Document
		require.NoError(t, json.Unmarshal(lines.Bytes(), &d))
		docs = append(docs, d)
	}
	require.NoError(t, lines.Err())
	return docs
}

func TestGoldenQuestions(t *testing.T) {
	svc, err := service.New(t.Context(), service.Options{NoCourse: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, svc.Close(context.Background())) })
	_, err = svc.Ingest(t.Context(), frozen(t), nil)
	require.NoError(t, err)
	var out strings.Builder
	got, err := score(t.Context(), svc, &out)
	require.NoError(t, err)
	t.Log(out.String())
	require.Equal(t, 17, got.total)
	require.GreaterOrEqual(t, got.found, 17)
	require.GreaterOrEqual(t, got.cited, 17)
	require.GreaterOrEqual(t, got.right, 15)
}
