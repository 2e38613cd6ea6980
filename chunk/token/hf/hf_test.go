package hf

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
)

func read(t testing.TB, name string) *Tokenizer {
	f, err := os.Open(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	defer f.Close()
	tok, err := Read(f)
	require.NoError(t, err)
	return tok
}

var kinds = []string{"gpt2", "gpt2_prefix", "llama3", "qwen2", "o200k", "shuffled", "shuffled_whole", "unigram", "unigram_bytes", "precompiled", "spm", "gemma", "bert"}

func TestGoldenIDs(t *testing.T) {
	for _, name := range kinds {
		t.Run(name, func(t *testing.T) {
			tok := read(t, name)
			data, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
			require.NoError(t, err)
			rows, failed := 0, 0
			for line := range strings.Lines(string(data)) {
				var row struct {
					Text string
					IDs  []int
				}
				require.NoError(t, json.Unmarshal([]byte(line), &row))
				if got := tok.EncodeSpecial(row.Text); !slices.Equal(got, row.IDs) {
					if failed++; failed < 5 {
						t.Errorf("%q:\n got %v\nwant %v", row.Text, got, row.IDs)
					}
				}
				rows++
			}
			t.Logf("rows: %d passed, %d failed", rows-failed, failed)
			require.NotZero(t, rows)
		})
	}
}

func TestByteLevelDecodesToItsBytes(t *testing.T) {
	for _, name := range []string{"gpt2", "llama3", "o200k", "shuffled", "shuffled_whole"} {
		tok := read(t, name)
		e, ok := tok.Encoding()
		require.True(t, ok)
		for _, text := range []string{"", "a\xffb 日本\xe6 <|eot_id|> 🧑‍🚀"} {
			ids := tok.Encode(text)
			require.Equal(t, len(ids), tok.Count(text))
			require.Equal(t, append([]int{}, ids...), append([]int{}, e.Encode(text)...))
			back, err := tok.Decode(ids)
			require.NoError(t, err)
			require.Equal(t, text, back)
		}
	}
}

func TestAddedTokensAreOrdinaryForEncode(t *testing.T) {
	for _, name := range []string{"llama3", "qwen2", "spm", "unigram", "bert"} {
		tok := read(t, name)
		special := map[string]string{"llama3": "<|eot_id|>", "qwen2": "<|im_end|>", "spm": "<s>", "unigram": "<unk>", "bert": "[SEP]"}[name]
		require.Len(t, tok.EncodeSpecial(special), 1, name)
		require.Equal(t, len(tok.Encode("x"+special)), tok.Count("x"+special))
		if name != "unigram" { // the piece <unk> is in the model's vocabulary
			require.Greater(t, tok.Count(special), 1, name)
		}
	}
}

func TestDecode(t *testing.T) {
	tok := read(t, "spm")
	back, err := tok.Decode(tok.Encode("some words \U0001F680"))
	require.NoError(t, err)
	require.Equal(t, " some words \U0001F680", back)
	_, err = tok.Decode([]int{1 << 20})
	var bad *token.DecodeError
	require.ErrorAs(t, err, &bad)
	back, err = read(t, "unigram").Decode(read(t, "unigram").Encode("some words"))
	require.NoError(t, err)
	require.Equal(t, " some words", back)
}

func TestUnsupportedIsSaid(t *testing.T) {
	for _, c := range []struct{ json, part string }{
		{`{"model":{"type":"WordLevel"}}`, "model"},
		{`{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Whitespace"}}`, "pre_tokenizer"},
		{`{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"x"},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false}]}}`, "pre_tokenizer"},
		{`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]},"normalizer":{"type":"Lowercase"}}`, "normalizer"},
		{`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]},"added_tokens":[{"id":0,"content":"<unk>","lstrip":true}]}`, "added_tokens"},
		{`{"model":{"type":"WordPiece"}}`, "model"},
	} {
		_, err := Read(strings.NewReader(c.json))
		var unsupported *UnsupportedError
		require.ErrorAs(t, err, &unsupported, c.json)
		require.Equal(t, c.part, unsupported.Part, c.json)
	}
	for _, bad := range []string{"", "{", `{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAA="}}`, `{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}`} {
		_, err := Read(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1]]}}`, "a b")
	small, err := os.ReadFile("testdata/precompiled.json")
	require.NoError(f, err)
	f.Add(string(small), "ﬁ x")
	f.Add(`{"model":{"type":"BPE","byte_fallback":true,"vocab":{"a":0},"merges":[["a","a"]]}}`, "aa")
	f.Fuzz(func(t *testing.T, data, text string) {
		if tok, err := Read(strings.NewReader(data)); err == nil {
			require.Equal(t, len(tok.Encode(text)), tok.Count(text))
			tok.EncodeSpecial(text)
		}
	})
}

func FuzzEncode(f *testing.F) {
	var all []*Tokenizer
	for _, name := range kinds {
		all = append(all, read(f, name))
	}
	f.Add("Hello wörld ▁ \xff", uint8(3))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		tok := all[int(which)%len(all)]
		ids := tok.Encode(text)
		require.Equal(t, len(ids), tok.Count(text))
		_, err := tok.Decode(ids)
		require.NoError(t, err)
	})
}

func TestReadOfNothing(t *testing.T) {
	_, err := Read(nil)
	require.ErrorIs(t, err, ErrOption)
}
