package hf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/internal/wordpiece"
)

// wordPiece is BERT's uncased tokenizer.
type wordPiece struct{ vocab *wordpiece.Vocab }

func newWordPiece(f *file) (*wordPiece, error) {
	m := &f.Model
	if m.Unk == nil || *m.Unk != wordpiece.Unknown || m.Prefix != "##" || m.MaxRunes != wordpiece.MaxWordRunes {
		return nil, &UnsupportedError{"model", "WordPiece with other settings than BERT's"}
	}
	if !sameJSON(f.Normalizer, `{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true}`) {
		return nil, &UnsupportedError{"normalizer", "one that is not BERT's uncased"}
	}
	if !sameJSON(f.PreTokenizer, `{"type":"BertPreTokenizer"}`) {
		return nil, &UnsupportedError{"pre_tokenizer", "one that is not BERT's"}
	}
	var vocab map[string]int
	if err := json.Unmarshal(m.Vocab, &vocab); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: vocab: %w", err)
	}
	tokens := make([]string, len(vocab))
	for t, id := range vocab {
		if id < 0 || id >= len(tokens) || tokens[id] != "" {
			return nil, fmt.Errorf("hf: tokenizer.json: the id %d of %q is out of range or taken", id, t)
		}
		tokens[id] = t
	}
	v, err := wordpiece.New(tokens)
	if err != nil {
		return nil, err
	}
	return &wordPiece{v.Ordinary()}, nil
}

func sameJSON(raw json.RawMessage, want string) bool {
	var a, b any
	if json.Unmarshal(raw, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return false
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func (w *wordPiece) append(dst []int, text string, _ bool) []int {
	var few [256]int32
	for _, id := range w.vocab.AppendIDs(few[:0], text) {
		dst = append(dst, int(id))
	}
	return dst
}

func (w *wordPiece) text(id int) (string, bool) {
	t := w.vocab.Token(int32(id))
	if rest, ok := strings.CutPrefix(t, "##"); ok {
		return rest, true
	}
	return " " + t, t != ""
}
