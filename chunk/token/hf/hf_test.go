package hf

import (
	"bytes"
	"encoding/json"
	"maps"
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

// rows calls row for each text of a golden file.
func rows(t testing.TB, file string, row func(text string, ids []int)) (n int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var r struct {
			Text string
			IDs  []int
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		row(r.Text, r.IDs)
		n++
	}
	return n
}

func TestGoldenIDs(t *testing.T) {
	for _, name := range kinds {
		t.Run(name, func(t *testing.T) {
			tok := read(t, name)
			failed := 0
			n := rows(t, name+".jsonl", func(text string, ids []int) {
				if got := tok.EncodeSpecial(text); !slices.Equal(got, ids) {
					if failed++; failed < 5 {
						t.Errorf("%q:\n got %v\nwant %v", text, got, ids)
					}
				}
			})
			t.Logf("rows: %d passed, %d failed", n-failed, failed)
			require.NotZero(t, n)
		})
	}
}

// change returns a tokenizer of testdata whose file was changed.
func change(t testing.TB, name string, change func(file, model map[string]any)) (*Tokenizer, error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	var file map[string]any
	require.NoError(t, json.Unmarshal(data, &file))
	change(file, file["model"].(map[string]any))
	data, err = json.Marshal(file)
	require.NoError(t, err)
	return Read(bytes.NewReader(data))
}

// Before version 0.20 of the reference merges were strings, and in the first
// versions the model had no type.
func TestOlderFilesAreReadAlike(t *testing.T) {
	for _, name := range kinds {
		want := read(t, name)
		got, err := change(t, name, func(_, model map[string]any) {
			delete(model, "type")
			pairs, _ := model["merges"].([]any)
			lines := []any{"#version: 0.2"}
			for _, p := range pairs {
				lines = append(lines, p.([]any)[0].(string)+" "+p.([]any)[1].(string))
			}
			if pairs != nil {
				model["merges"] = lines
			}
		})
		require.NoError(t, err, name)
		require.Equal(t, want.Kind(), got.Kind())
		rows(t, name+".jsonl", func(text string, _ []int) {
			require.Equal(t, want.EncodeSpecial(text), got.EncodeSpecial(text), "%s: %q", name, text)
		})
	}
}

func TestMergesThatAreNoPairs(t *testing.T) {
	for _, bad := range []any{
		nil, "a b", []any{"a b c"}, []any{"ab"}, []any{" b"}, []any{"a "}, []any{[]any{"a"}}, []any{[]any{"a", "b", "c"}}, []any{[]any{"", "a"}},
		[]any{[]any{"a", nil}}, []any{nil}, []any{[]any{"a", "b"}, "a b"}, []any{"a b", []any{"a", "b"}}, []any{map[string]any{"a": "b"}}, 5,
	} {
		_, err := change(t, "gpt2", func(_, model map[string]any) { model["merges"] = bad })
		require.ErrorContains(t, err, "merge", "%v", bad)
	}
	_, err := change(t, "gpt2", func(_, model map[string]any) { delete(model, "merges") })
	require.Error(t, err)
}

func TestByteLevelNeedsNoUnknownToken(t *testing.T) {
	want := read(t, "gpt2")
	got, err := change(t, "gpt2", func(_, model map[string]any) { model["unk_token"] = "<|endoftext|>" })
	require.NoError(t, err)
	text := "naïve \U0001F680 \xff"
	require.Equal(t, want.Encode(text), got.Encode(text))
}

func TestGoldenAddedTokens(t *testing.T) {
	data, err := os.ReadFile("testdata/added.jsonl")
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		var set struct {
			Name    string
			Changed map[string]any
			Rows    []struct {
				Text string
				IDs  []int
			}
		}
		require.NoError(t, json.Unmarshal([]byte(line), &set))
		tok, err := change(t, set.Name, func(file, _ map[string]any) { maps.Copy(file, set.Changed) })
		require.NoError(t, err, set.Name)
		plain, err := change(t, set.Name, func(file, _ map[string]any) {
			maps.Copy(file, set.Changed)
			delete(file, "added_tokens")
		})
		require.NoError(t, err)
		require.NotEmpty(t, set.Rows)
		for _, r := range set.Rows {
			require.Equal(t, r.IDs, tok.EncodeSpecial(r.Text), "%s: %q", set.Name, r.Text)
			require.Equal(t, plain.Count(r.Text), tok.Count(r.Text), "added tokens are ordinary text for Count")
		}
	}
}

// Gemma's file lists pieces of the vocabulary, runs of spaces and line ends, as
// added tokens too.
func TestAddedTokensThatMergesMake(t *testing.T) {
	want := read(t, "gpt2")
	id := want.Encode("the")
	require.Len(t, id, 1)
	got, err := change(t, "gpt2", func(file, _ map[string]any) {
		file["added_tokens"] = []any{map[string]any{"id": id[0], "content": "the"}, map[string]any{"id": want.Encode("!")[0], "content": "!"}}
	})
	require.NoError(t, err)
	require.Equal(t, want.Encode("the other!"), got.Encode("the other!"))
	require.Equal(t, append(id, want.Encode("se")...), got.EncodeSpecial("these"))
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
		{`{"model":{"type":"WordPiece"}}`, "model"},
	} {
		_, err := Read(strings.NewReader(c.json))
		var unsupported *UnsupportedError
		require.ErrorAs(t, err, &unsupported, c.json)
		require.Equal(t, c.part, unsupported.Part, c.json)
	}
	for _, bad := range []string{"", "{", `{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0]]},"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAA="}}`, `{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]},"pre_tokenizer":{"type":"ByteLevel"}}`,
		`{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}`, `{"model":{"vocab":{"a":0}}}`,
		`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a"]]}}`, `{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["a",-1,2]]}}`,
		`{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],[null,-1]]}}`, `{"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],null]}}`} {
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
