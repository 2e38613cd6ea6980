package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/internal/datrie"
)

// A Tokenizer is what a tokenizer.json describes. It is immutable and safe for
// concurrent use.
type Tokenizer struct {
	kind      string
	normalize normalizer
	model     model
	added     []addedToken
	trie      *datrie.Trie // of added
}

// A model encodes text in which there are no added tokens and that is
// normalized. first is true if the text begins where the whole text does.
type model interface {
	append(dst []int, text string, first bool) []int
	text(id int) (string, bool)
}

// An UnsupportedError is the error for a part of a tokenizer.json that this
// package doesn't do, or doesn't do exactly.
type UnsupportedError struct {
	Part string // "normalizer", "pre_tokenizer", "model", "added_tokens"
	What string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("hf: tokenizer.json: %s: %s is not supported", e.Part, e.What)
}

type file struct {
	Added        []addedToken    `json:"added_tokens"`
	Normalizer   json.RawMessage `json:"normalizer"`
	PreTokenizer json.RawMessage `json:"pre_tokenizer"`
	Model        modelJSON       `json:"model"`
}

type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
}

type modelJSON struct {
	Type         string          `json:"type"`
	Vocab        json.RawMessage `json:"vocab"`
	Merges       json.RawMessage `json:"merges"`
	Dropout      *float64        `json:"dropout"`
	Unk          *string         `json:"unk_token"`
	UnkID        *int            `json:"unk_id"`
	Prefix       string          `json:"continuing_subword_prefix"`
	Suffix       string          `json:"end_of_word_suffix"`
	FuseUnk      bool            `json:"fuse_unk"`
	ByteFallback bool            `json:"byte_fallback"`
	IgnoreMerges bool            `json:"ignore_merges"`
	MaxRunes     int             `json:"max_input_chars_per_word"`
}

// ErrOption is wrapped by the error for a required argument that is nil.
var ErrOption = errors.New("hf: invalid option")

// Read reads a tokenizer.json. What it can't do exactly gives an
// [*UnsupportedError]; what makes no sense, another error. A nil reader gives an
// [ErrOption].
func Read(r io.Reader) (*Tokenizer, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader of Read is nil", ErrOption)
	}
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: %w", err)
	}
	t := &Tokenizer{kind: f.Model.Type, added: f.Added}
	var err error
	switch {
	case f.Model.Type == "WordPiece":
		t.model, err = newWordPiece(&f)
	case f.Model.Type == "Unigram":
		t.model, err = newUnigram(&f)
	case f.Model.Type == "BPE" && f.Model.ByteFallback:
		t.model, err = newSentencePiece(&f)
	case f.Model.Type == "BPE":
		t.model, err = newByteLevel(&f)
	default:
		err = &UnsupportedError{"model", fmt.Sprintf("the type %q", f.Model.Type)}
	}
	if err != nil {
		return nil, err
	}
	if f.Model.Type != "WordPiece" { // which has a normalizer of its own
		if t.normalize, err = newNormalizer(f.Normalizer); err != nil {
			return nil, err
		}
	}
	for _, a := range f.Added {
		if a.SingleWord || a.LStrip || a.RStrip || a.Content == "" ||
			a.Normalized && t.normalize != nil && t.normalize(a.Content) != a.Content {
			return nil, &UnsupportedError{"added_tokens", fmt.Sprintf("%q with these flags", a.Content)}
		}
	}
	t.trie, err = datrie.New(len(t.added), func(i int) string { return t.added[i].Content })
	return t, err
}

// Kind returns the model's type: "BPE", "WordPiece" or "Unigram".
func (t *Tokenizer) Kind() string { return t.kind }

// Encode returns the tokens of text. The added tokens of the vocabulary, such
// as <|eot_id|>, are ordinary text here: this is the safe form for documents
// and users' input.
func (t *Tokenizer) Encode(text string) []int {
	return t.append(make([]int, 0, len(text)/4+4), text, true)
}

// EncodeSpecial returns the tokens of text in which added tokens are
// themselves. It is what the reference's encode does without
// add_special_tokens.
func (t *Tokenizer) EncodeSpecial(text string) []int {
	ids := make([]int, 0, len(text)/4+4)
	from := 0
	for at := 0; at < len(text); {
		i, size := t.trie.Longest(text[at:])
		if i < 0 {
			at++
			continue
		}
		ids = t.append(ids, text[from:at], from == 0)
		ids = append(ids, t.added[i].ID)
		at += size
		from = at
	}
	return t.append(ids, text[from:], from == 0)
}

func (t *Tokenizer) append(dst []int, text string, first bool) []int {
	if t.normalize != nil && text != "" {
		text = t.normalize(text)
	}
	if text == "" {
		return dst
	}
	return t.model.append(dst, text, first)
}

// Count returns the number of tokens of text, len(Encode(text)). It has the form
// that Options.Tokens of other packages want.
func (t *Tokenizer) Count(text string) int {
	if b, ok := t.model.(*byteLevel); ok {
		if t.normalize != nil {
			text = t.normalize(text)
		}
		return b.enc.Count(b.prefixed(text))
	}
	var few [512]int
	return len(t.append(few[:0], text, true))
}

// Encoding returns the encoding behind a byte-level BPE, with all that
// [token.Encoding] can do, or false for another kind or a tokenizer that changes
// the text before it encodes.
func (t *Tokenizer) Encoding() (*token.Encoding, bool) {
	b, ok := t.model.(*byteLevel)
	if !ok || t.normalize != nil || b.addPrefix {
		return nil, false
	}
	return b.enc, true
}

// Decode returns the text that the pieces of ids spell. For byte-level BPE
// these are the bytes that were encoded, after normalization; for the others a
// space is where their mark for one is. An unknown id gives a
// [*token.DecodeError].
func (t *Tokenizer) Decode(ids []int) (string, error) {
	var b strings.Builder
	for i, id := range ids {
		s, ok := t.model.text(id)
		for k := 0; k < len(t.added) && !ok; k++ {
			if t.added[k].ID == id {
				s, ok = t.added[k].Content, true
			}
		}
		if !ok {
			return b.String(), &token.DecodeError{Encoding: "the tokenizer", ID: id, Index: i}
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
