package sample

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenQuestionsAreWhereTheySay(t *testing.T) {
	corpora := map[string]string{}
	for _, name := range Corpora() {
		corpora[name] = string(golden.Read(t, "chunk/chunkeval", name+".md"))
	}
	d, err := chunkeval.Read(bytes.NewReader(golden.Read(t, "chunk/chunkeval", "questions.jsonl")), corpora)
	require.NoError(t, err)
	require.NotEmpty(t, d.Questions)
	for _, q := range d.Questions {
		require.NotEmpty(t, q.References)
	}
}

func TestData(t *testing.T) {
	d, err := Data()
	require.NoError(t, err)
	require.Len(t, d.Questions, 132)
}
