package tiktoken

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/openai"
)

// noNetwork is an http.RoundTripper that counts the requests it refuses.
type noNetwork struct{ asked int }

func (n *noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked++
	return nil, errors.New("no network in this test: " + r.URL.String())
}

const child = "PRODAI_TEST_TIKTOKEN_CHILD"

// TestCountTokensNeedsNoNetwork runs in a process of its own, since tiktoken-go
// keeps the encodings that other tests have loaded.
func TestCountTokensNeedsNoNetwork(t *testing.T) {
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCountTokensNeedsNoNetwork$")
		cmd.Env = append(os.Environ(), child+"=1", "TIKTOKEN_CACHE_DIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	network := &noNetwork{}
	http.DefaultTransport = network
	text := "Why is full jitter better? それは速い。"
	llms.CountTokens("gpt-4", text)
	require.Positive(t, network.asked, "with its own loader tiktoken-go asks the network")
	network.asked = 0
	Use()
	for _, model := range []string{"gpt-4o-2024-08-06", "gpt-4", "gpt-3.5-turbo", "text-davinci-003", "text-davinci-edit-001", "davinci", "text-embedding-3-small"} {
		e, err := openai.ForModel(model)
		require.NoError(t, err)
		require.Equal(t, e.Count(text), llms.CountTokens(model, text), model)
	}
	require.Zero(t, network.asked)
}

func TestLoaderHasEveryFile(t *testing.T) {
	for _, file := range Files() {
		ranks, err := Loader{}.LoadTiktokenBpe("https://openaipublic.blob.core.windows.net/encodings/" + file)
		require.NoError(t, err)
		made, err := token.RanksOf(ranks)
		require.NoError(t, err)
		e, err := openai.Encoding(file[:len(file)-len(suffix)])
		require.NoError(t, err)
		var got, want bytes.Buffer
		_, err = made.WriteTo(&got)
		require.NoError(t, err)
		_, err = e.Ranks().WriteTo(&want)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want.Bytes(), got.Bytes()), file)
	}
	ranks, err := token.LoadRanks(Loader{}, "r50k_base.tiktoken")
	require.NoError(t, err)
	require.Equal(t, 50256, ranks.Len())
	first, err := Loader{}.LoadTiktokenBpe("r50k_base.tiktoken")
	require.NoError(t, err)
	clear(first)
	again, err := Loader{}.LoadTiktokenBpe("r50k_base.tiktoken")
	require.NoError(t, err)
	require.Len(t, again, 50256, "the caller owns the map")
}

func TestUnknownFile(t *testing.T) {
	for _, file := range []string{"", "o300k_base.tiktoken", "o200k_base", "p50k_edit.tiktoken", "gpt2.tiktoken", "o200k_harmony.tiktoken", "https://example.com/vocab.bpe"} {
		_, err := Loader{}.LoadTiktokenBpe(file)
		var unknown *UnknownFileError
		require.ErrorAs(t, err, &unknown, "%q", file)
		require.Equal(t, file, unknown.File)
	}
}
