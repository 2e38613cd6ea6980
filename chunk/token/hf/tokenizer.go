package hf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/prodailabs/prodai/chunk/token"
)

// A Tokenizer is what a tokenizer.json describes. It is immutable and safe for
// concurrent use.
type Tokenizer struct {
	kind      string
	normalize normalizer
	model     model
	added     []addedToken
	raw       addedTokens // found in the text as it is
	changed   addedTokens // found in normalized text
}

// A model encodes text in which there are no added tokens and that is normalized.
// first is true if the text is at the beginning of the whole text.
type model interface {
	append(dst []int, text string, first bool) []int
	text(id int) (string, bool)
}

// An UnsupportedError is the error for a part of a tokenizer.json that this package
// doesn't implement exactly.
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

// Read reads a tokenizer.json. A part that this package can't follow exactly gives
// an [*UnsupportedError], an invalid file another error. A nil reader gives an
// [ErrOption].
func Read(r io.Reader) (*Tokenizer, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader of Read is nil", ErrOption)
	}
	var f file
	if err := json.NewDecoder(r).Decode(&f); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: %w", err)
	}
	t := &Tokenizer{kind: f.Model.kind(), added: f.Added}
	var err error
	switch {
	case t.kind == "WordPiece":
		t.model, err = newWordPiece(&f)
	case t.kind == "Unigram":
		t.model, err = newUnigram(&f)
	case t.kind == "BPE" && f.Model.ByteFallback:
		t.model, err = newSentencePiece(&f)
	case t.kind == "BPE":
		t.model, err = newByteLevel(&f)
	default:
		err = &UnsupportedError{"model", fmt.Sprintf("the type %q", t.kind)}
	}
	if err != nil {
		return nil, err
	}
	if t.kind != "WordPiece" { // which has a normalizer of its own
		if t.normalize, err = newNormalizer(f.Normalizer); err != nil {
			return nil, err
		}
	}
	if t.raw, err = newAddedTokens(f.Added, false, nil); err != nil {
		return nil, err
	}
	t.changed, err = newAddedTokens(f.Added, true, t.normalize)
	return t, err
}

// kind returns the model's type. Files of the reference's first versions don't name
// it; then the model's fields decide.
func (m *modelJSON) kind() string {
	switch {
	case m.Type != "":
		return m.Type
	case len(m.Merges) > 0:
		return "BPE"
	case bytes.HasPrefix(bytes.TrimSpace(m.Vocab), []byte("[")):
		return "Unigram"
	case m.MaxRunes > 0:
		return "WordPiece"
	}
	return ""
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
// add_special_tokens, except that for WordPiece an added token is looked for in the
// text as it is even if its flag normalized is set.
func (t *Tokenizer) EncodeSpecial(text string) []int {
	ids := make([]int, 0, len(text)/4+4)
	for part := range t.raw.split(text) {
		if part.added {
			ids = append(ids, part.id)
			continue
		}
		found := text[part.start:part.end]
		if t.normalize != nil && found != "" {
			found = t.normalize(found)
		}
		for sub := range t.changed.split(found) {
			switch {
			case sub.added:
				ids = append(ids, sub.id)
			case sub.start < sub.end:
				ids = t.model.append(ids, found[sub.start:sub.end], part.start+sub.start == 0)
			}
		}
	}
	return ids
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

// Count returns the number of tokens of text, len(Encode(text)). It has the form of
// Options.Tokens in other packages.
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

// Encoding returns the [token.Encoding] of a byte-level BPE, or false for another
// kind or a tokenizer that changes the text before it encodes. Its special tokens
// are the added tokens without flags; an added token with lstrip, rstrip or
// single_word is ordinary text for it.
func (t *Tokenizer) Encoding() (*token.Encoding, bool) {
	b, ok := t.model.(*byteLevel)
	if !ok || t.normalize != nil || b.addPrefix {
		return nil, false
	}
	return b.enc, true
}

// Decode returns the text of ids. For byte-level BPE these are the bytes that were
// encoded, after normalization; for the others a space is where their mark for one
// is. An unknown id gives a [*token.DecodeError].
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
