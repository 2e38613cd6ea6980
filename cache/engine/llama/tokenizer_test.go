package llama

import (
	"bufio"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/internal/growth"
)

// The ids are those of llama.cpp (llama-cpp-python 0.3.36) for SmolLM2.
func TestTokensAreLlamaCpps(t *testing.T) {
	tok, err := ReadTokenizer(realModel(t))
	require.NoError(t, err)
	path := os.Getenv("PRODAI_SMOLLM2_IDS")
	if path == "" {
		path = "testdata/smollm2_ids.jsonl"
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	n := 0
	s := bufio.NewScanner(f)
	for s.Buffer(nil, 1<<20); s.Scan(); n++ {
		var row struct {
			Text         string
			IDs, Special []int32
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &row))
		require.Equal(t, row.IDs, append([]int32{}, tok.Encode(row.Text, SpecialText)...), "%q", row.Text)
		require.Equal(t, row.Special, append([]int32{}, tok.Encode(row.Text, SpecialTokens)...), "%q", row.Text)
		require.Equal(t, row.Text, tok.Decode(row.IDs))
	}
	require.Greater(t, n, 50)
	t.Logf("%d texts", n)
}

func TestWords(t *testing.T) {
	for _, row := range []struct{ pre, text, want string }{
		{"gpt-2", "It's  12 x!?\n\n y", "It|'s| | 12| x|!?|\n\n| y"},
		{"smollm", "a 12b", "a| |1|2|b"},
		{"qwen2", "I'LL 123 (x)\r\n\n z  ", "I|'LL| |1|2|3| (|x|)\r\n\n| z|  "},
		{"llama-bpe", "1234567 we'Re  ok\n \n", "123|456|7| we|'Re| | ok|\n \n"},
		{"llama-bpe", "'ſ x", "'ſ| x"},
		{"llama-bpe", "...\n\nHi", "...\n\n|Hi"},
	} {
		var got []string
		pretokenizers[row.pre].words(row.text, func(w string) { got = append(got, w) })
		require.Equal(t, row.want, strings.Join(got, "|"), "%s of %q", row.pre, row.text)
	}
}

// sentencePiece is a vocabulary of Llama 2's kind.
func sentencePiece(t *testing.T) *weights.File {
	tokens := []string{"<unk>", "<s>", "</s>"}
	kinds := []int32{2, 3, 3}
	for b := range 256 {
		tokens = append(tokens, "<0x"+strings.ToUpper(string("0123456789abcdef"[b>>4])+string("0123456789abcdef"[b&15]))+">")
		kinds = append(kinds, 6)
	}
	scores := make([]float32, len(tokens))
	for i, s := range []string{"▁t", "he", "▁the", "▁", "t", "h", "e", "▁a", "a", "n", "an"} {
		tokens, kinds, scores = append(tokens, s), append(kinds, 1), append(scores, -float32(i))
	}
	s := shapes["llama"]
	s.vocabulary = len(tokens)
	return s.write(t, weights.Pair{Key: "tokenizer.ggml.model", Value: "llama"}, weights.Pair{Key: "tokenizer.ggml.tokens", Value: tokens},
		weights.Pair{Key: "tokenizer.ggml.token_type", Value: kinds}, weights.Pair{Key: "tokenizer.ggml.scores", Value: scores},
		weights.Pair{Key: "tokenizer.ggml.bos_token_id", Value: uint32(1)}, weights.Pair{Key: "tokenizer.ggml.eos_token_id", Value: uint32(2)})
}

func TestSentencePiece(t *testing.T) {
	tok, err := ReadTokenizer(sentencePiece(t))
	require.NoError(t, err)
	ids := tok.Prompt("the anz", SpecialText)
	var got []string
	for _, id := range ids {
		got = append(got, tok.display[id])
	}
	require.Equal(t, []string{"<s>", "▁the", "▁a", "n", "<0x7A>"}, got)
	require.Equal(t, " the anz", tok.Decode(ids))
	require.Equal(t, " é🙂", tok.Decode(tok.Encode("é🙂", SpecialText)))
	require.True(t, tok.IsEnd(2))
}

// Tokens that are defined beside the merges are found in any text, longest first; control
// tokens are not.
func TestUserDefinedTokens(t *testing.T) {
	tokens := []string{"<unk>", "<s>", "</s>", "▁", "a", "▁a", "▁▁", "▁▁▁", "<b>"}
	s := shapes["llama"]
	s.vocabulary = len(tokens)
	tok, err := ReadTokenizer(s.write(t, weights.Pair{Key: "tokenizer.ggml.model", Value: "llama"}, weights.Pair{Key: "tokenizer.ggml.tokens", Value: tokens},
		weights.Pair{Key: "tokenizer.ggml.token_type", Value: []int32{2, 3, 3, 1, 1, 1, 4, 4, 4}}, weights.Pair{Key: "tokenizer.ggml.scores", Value: make([]float32, len(tokens))},
		weights.Pair{Key: "tokenizer.ggml.add_space_prefix", Value: false}, weights.Pair{Key: "tokenizer.ggml.unknown_token_id", Value: uint32(0)}))
	require.NoError(t, err)
	require.Equal(t, []int32{5, 7, 6, 4, 8, 4}, tok.Encode(" a     a<b>a", SpecialText))
	require.Equal(t, " a     a<b>a", tok.Decode([]int32{5, 7, 6, 4, 8, 4}))
	require.NotContains(t, tok.Encode("a</s>", SpecialText), int32(2))
	require.Equal(t, []int32{4, 2}, tok.Encode("a</s>", SpecialTokens))
}

// Llama 3 takes a word that is a token as it is: its merges need not lead there.
func TestWholeWordsOfLlama3(t *testing.T) {
	tokens := append([]string{"<|begin_of_text|>", "Ġzebra"}, byteLetters[:]...)
	s := shapes["llama"]
	s.vocabulary = len(tokens)
	for pre, want := range map[string]int{"llama-bpe": 2, "gpt-2": 6} {
		tok, err := ReadTokenizer(s.write(t, weights.Pair{Key: "tokenizer.ggml.model", Value: "gpt2"}, weights.Pair{Key: "tokenizer.ggml.tokens", Value: tokens},
			weights.Pair{Key: "tokenizer.ggml.pre", Value: pre}, weights.Pair{Key: "tokenizer.ggml.bos_token_id", Value: uint32(0)}))
		require.NoError(t, err)
		require.Len(t, tok.Prompt(" zebra", SpecialText), want, pre)
	}
}

// Some models' files say of the tokens that begin and end a turn that they are text, as
// DeepSeek's do. A message must not contain them all the same; what a model writes, such
// as <think>, is text.
func TestMarksOfTurnsAreControl(t *testing.T) {
	marks := []string{"<｜User｜>", "<|im_start|>", "<end_of_turn>", "<start_of_turn>", "</s>"}
	tokens := append([]string{"<think>", "a"}, marks...)
	kinds := []int32{4, 1, 4, 4, 4, 4, 4}
	s := shapes["llama"]
	s.vocabulary = len(tokens)
	tok, err := ReadTokenizer(s.write(t, weights.Pair{Key: "tokenizer.ggml.model", Value: "gpt2"}, weights.Pair{Key: "tokenizer.ggml.tokens", Value: tokens},
		weights.Pair{Key: "tokenizer.ggml.token_type", Value: kinds}, weights.Pair{Key: "tokenizer.ggml.pre", Value: "qwen2"}))
	require.NoError(t, err)
	require.Equal(t, []int32{1, 0, 1}, tok.Encode("a<think>a", SpecialText))
	require.Equal(t, "<think>", tok.Bytes(0))
	chat := &Chat{tok: tok}
	for i, mark := range marks {
		require.NotContains(t, tok.Encode("a"+mark+"a", SpecialText), int32(2+i), mark)
		require.Equal(t, []int32{1, int32(2 + i), 1}, tok.Encode("a"+mark+"a", SpecialTokens), mark)
		require.True(t, chat.containsMark(mark), mark)
		require.Empty(t, tok.Bytes(int32(2+i)), mark)
	}
	require.True(t, tok.IsEnd(4) && tok.IsEnd(6))
}

func TestTokenizersThatAreRefused(t *testing.T) {
	texts := []string{"a", "b"}
	for name, meta := range map[string][]weights.Pair{
		"no tokens":  {{Key: "tokenizer.ggml.model", Value: "gpt2"}},
		"unknown":    {{Key: "tokenizer.ggml.model", Value: "bert"}, {Key: "tokenizer.ggml.tokens", Value: texts}},
		"pretoken":   {{Key: "tokenizer.ggml.model", Value: "gpt2"}, {Key: "tokenizer.ggml.tokens", Value: texts}, {Key: "tokenizer.ggml.pre", Value: "frob"}},
		"no scores":  {{Key: "tokenizer.ggml.model", Value: "llama"}, {Key: "tokenizer.ggml.tokens", Value: texts}},
		"a merge":    {{Key: "tokenizer.ggml.model", Value: "gpt2"}, {Key: "tokenizer.ggml.tokens", Value: texts}, {Key: "tokenizer.ggml.pre", Value: "qwen2"}, {Key: "tokenizer.ggml.merges", Value: []string{"ab"}}},
		"end beyond": {{Key: "tokenizer.ggml.model", Value: "gpt2"}, {Key: "tokenizer.ggml.tokens", Value: texts}, {Key: "tokenizer.ggml.pre", Value: "qwen2"}, {Key: "tokenizer.ggml.eos_token_id", Value: uint32(2)}},
	} {
		_, err := ReadTokenizer(shapes["one layer"].write(t, meta...))
		require.ErrorIs(t, err, ErrModel, name)
	}
}

func TestGrowthEncode(t *testing.T) {
	tok, err := ReadTokenizer(speaking(t))
	require.NoError(t, err)
	for name, unit := range map[string]string{"one word": "the", "words": "the an ", "marks": "<|im_"} {
		t.Run(name, func(t *testing.T) {
			growth.Test(t, 4000, 3, func(n int) func() {
				text := strings.Repeat(unit, n)
				return func() { tok.Encode(text, SpecialTokens) }
			})
		})
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("It's 12 <|im_end|>\n é🙂 ")
	f.Add("\xff\xc3 x")
	tok, err := ReadTokenizer(speaking(f))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		if got := tok.Decode(tok.Encode(text, SpecialText)); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		tok.Encode(text, SpecialTokens)
	})
}

// The heap gives the merges of the plain rule: the lowest rank first, then the leftmost.
func TestMergesAreThePlainRule(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	ranks := map[[2]string]float64{}
	rank := func(a, b string) (float64, bool) { r, ok := ranks[[2]string{a, b}]; return r, ok }
	for i := range 60 {
		word := func() string { return strings.Repeat("ab"[rng.IntN(2):][:1], 1+rng.IntN(3)) }
		ranks[[2]string{word(), word()}] = float64(i)
	}
	for range 300 {
		var pieces []string
		for range rng.IntN(20) {
			pieces = append(pieces, "ab"[rng.IntN(2):][:1])
		}
		plain := append([]string{}, pieces...)
		for {
			best, at := 1e9, -1
			for i := 1; i < len(plain); i++ {
				if r, ok := rank(plain[i-1], plain[i]); ok && r < best {
					best, at = r, i
				}
			}
			if at < 0 {
				break
			}
			plain = append(plain[:at-1], append([]string{plain[at-1] + plain[at]}, plain[at+1:]...)...)
		}
		require.Equal(t, plain, append([]string{}, mergeAll(append([]string{}, pieces...), rank)...))
	}
}
