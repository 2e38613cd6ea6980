package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk/token"
)

// patterns are the regular expressions that pre-tokenizers use, and the state
// machines that find the same matches.
var patterns = map[string]token.Pattern{
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`: token.PatternLlama3,
	`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`:      token.PatternQwen2,
	`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|` +
		`\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`: token.PatternO200K,
}

// byteLevel is BPE over bytes, as GPT-2, Llama 3 and Qwen have it.
type byteLevel struct {
	enc       *token.Encoding
	addPrefix bool // a space in front of the text
}

func newByteLevel(f *file) (*byteLevel, error) {
	m := &f.Model
	// An unknown token is never needed: each of the 256 bytes has a token, or there
	// are no ranks.
	if m.Dropout != nil && *m.Dropout != 0 || m.Prefix != "" || m.Suffix != "" {
		return nil, &UnsupportedError{"model", "BPE with dropout, a prefix or a suffix"}
	}
	pattern, addPrefix, err := byteLevelPattern(f.PreTokenizer)
	if err != nil {
		return nil, err
	}
	list, err := readMerges(m.Merges)
	if err != nil {
		return nil, err
	}
	vocab, err := readVocab(f, list)
	if err != nil {
		return nil, err
	}
	bytesOf := byteAlphabet()
	raw := make(map[string]int, len(vocab))
	for t, id := range vocab {
		b, err := bytesOf.decode(t)
		if err != nil {
			return nil, err
		}
		raw[b] = id
	}
	for i := range list {
		for k := range 2 {
			if list[i][k], err = bytesOf.decode(list[i][k]); err != nil {
				return nil, err
			}
		}
	}
	ranks, err := (&token.Merges{Vocab: raw, List: list, Whole: m.IgnoreMerges}).Ranks()
	if err != nil {
		return nil, err
	}
	enc, err := token.New(ranks, &token.Options{Pattern: pattern, Special: specialsOf(f, ranks)})
	return &byteLevel{enc, addPrefix}, err
}

func (b *byteLevel) append(dst []int, text string, _ bool) []int {
	return b.enc.AppendEncode(dst, b.prefixed(text))
}

func (b *byteLevel) prefixed(text string) string {
	if b.addPrefix && text != "" && text[0] != ' ' {
		return " " + text
	}
	return text
}

func (b *byteLevel) text(id int) (string, bool) {
	s := b.enc.TokenText(id)
	return s, s != ""
}

// specialsOf returns the added tokens that have an id of their own and no flags,
// which the special tokens of an encoding don't have.
func specialsOf(f *file, ranks *token.Ranks) map[string]int {
	special := map[string]int{}
	for _, a := range f.Added {
		if a.Content != "" && !a.flagged() && ranks.Token(a.ID) == "" {
			special[a.Content] = a.ID
		}
	}
	return special
}

// readVocab returns the vocabulary without the added tokens. Added tokens that a
// merge makes, or from which merging starts, stay: they are found in text anyway.
func readVocab(f *file, merges [][2]string) (map[string]int, error) {
	var vocab map[string]int
	if err := json.Unmarshal(f.Model.Vocab, &vocab); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: vocab: %w", err)
	}
	added := map[string]bool{}
	for _, a := range f.Added {
		if id, ok := vocab[a.Content]; ok && id == a.ID && utf8.RuneCountInString(a.Content) > 1 {
			added[a.Content] = true
		}
	}
	for _, m := range merges {
		if added[m[0]+m[1]] {
			delete(added, m[0]+m[1])
		}
	}
	for t := range added {
		delete(vocab, t)
	}
	return vocab, nil
}

// readMerges reads merges in both forms that there are: pairs, and, before version
// 0.20 of the reference, strings with a space between the parts.
func readMerges(raw json.RawMessage) ([][2]string, error) {
	var pairs [][]string
	var lines []string
	pairsErr := json.Unmarshal(raw, &pairs)
	if pairsErr != nil {
		// The result of the attempt to read pairs is not used.
		if err := json.Unmarshal(raw, &lines); err != nil {
			return nil, fmt.Errorf("hf: tokenizer.json: merges: want pairs (%w) or strings (%w)", pairsErr, err)
		}
		pairs = make([][]string, 0, len(lines))
		for _, l := range lines {
			if !strings.HasPrefix(l, "#version") { // the first line of merges.txt
				pairs = append(pairs, strings.Split(l, " "))
			}
		}
	}
	if pairs == nil {
		return nil, errors.New("hf: tokenizer.json: the model has no merges")
	}
	list := make([][2]string, len(pairs))
	for i, p := range pairs {
		if len(p) != 2 || p[0] == "" || p[1] == "" {
			return nil, fmt.Errorf("hf: tokenizer.json: merge %d: %q is not two parts", i, p)
		}
		list[i] = [2]string(p)
	}
	return list, nil
}

func byteLevelPattern(raw json.RawMessage) (p token.Pattern, addPrefix bool, err error) {
	type step struct {
		Type      string `json:"type"`
		AddPrefix bool   `json:"add_prefix_space"`
		UseRegex  *bool  `json:"use_regex"`
		Pattern   struct {
			Regex string
		} `json:"pattern"`
		Behavior string `json:"behavior"`
		Invert   bool   `json:"invert"`
		Steps    []step `json:"pretokenizers"`
	}
	var s step
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, false, fmt.Errorf("hf: tokenizer.json: pre_tokenizer: %w", err)
	}
	steps := s.Steps
	if s.Type != "Sequence" {
		steps = []step{s}
	}
	switch {
	case len(steps) == 1 && steps[0].Type == "ByteLevel" && (steps[0].UseRegex == nil || *steps[0].UseRegex):
		return token.PatternGPT2, steps[0].AddPrefix, nil
	case len(steps) == 2 && steps[0].Type == "Split" && steps[0].Behavior == "Isolated" && !steps[0].Invert &&
		steps[1].Type == "ByteLevel" && steps[1].UseRegex != nil && !*steps[1].UseRegex && !steps[1].AddPrefix:
		if p, ok := patterns[steps[0].Pattern.Regex]; ok {
			return p, false, nil
		}
		return 0, false, &UnsupportedError{"pre_tokenizer", fmt.Sprintf("the pattern %s", steps[0].Pattern.Regex)}
	}
	return 0, false, &UnsupportedError{"pre_tokenizer", "a sequence that is not ByteLevel, or Split and ByteLevel,"}
}

// An alphabet maps each character of a byte-level vocabulary to its byte: printable
// bytes are themselves, the others are characters from U+0100 on. (Radford et al.,
// 2019; bytes_to_unicode in GPT-2's source.)
type alphabet map[rune]byte

func byteAlphabet() alphabet {
	a := alphabet{}
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if !('!' <= r && r <= '~' || 0xA1 <= r && r <= 0xAC || 0xAE <= r && r <= 0xFF) {
			r = next
			next++
		}
		a[r] = byte(b)
	}
	return a
}

func (a alphabet) decode(s string) (string, error) {
	out := make([]byte, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		b, ok := a[r]
		if !ok {
			return "", &UnsupportedError{"model", fmt.Sprintf("the token %q, which is not byte-level,", s)}
		}
		out = append(out, b)
	}
	return string(out), nil
}
