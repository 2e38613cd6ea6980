package langchain_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/langchain"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenSeparators(t *testing.T) {
	var want map[string][]string
	require.NoError(t, json.Unmarshal(golden.Read(t, "chunk", "language_separators.json"), &want))
	require.NotEmpty(t, want)
	for language, list := range want {
		got, err := langchain.Separators(language)
		if list == nil {
			require.ErrorIs(t, err, langchain.ErrOption, language)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, list, got, language)
		_, err = langchain.New(&langchain.Options{Separators: got, Regexp: true})
		require.NoError(t, err, language)
	}
}
