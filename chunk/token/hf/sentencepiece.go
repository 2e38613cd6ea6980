package hf

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/chunk/token"
)

// mark is the character for a space in vocabularies that come from SentencePiece.
const mark = "▁"

// unknown is how characters are encoded that a vocabulary doesn't have.
type unknown struct {
	id    int   // -1: none
	bytes []int // ids of <0x00> to <0xFF>, nil if there are none
	fuse  bool  // neighboring unknown characters are one token
}

func newUnknown(m *modelJSON, vocab map[string]int) (unknown, error) {
	u := unknown{id: -1, fuse: m.FuseUnk}
	if m.Unk != nil {
		id, ok := vocab[*m.Unk]
		if !ok {
			return u, fmt.Errorf("hf: tokenizer.json: the unknown token %q is not in the vocabulary", *m.Unk)
		}
		u.id = id
	}
	if m.UnkID != nil {
		u.id = *m.UnkID
	}
	if !m.ByteFallback {
		return u, nil
	}
	for b := range 256 {
		id, ok := vocab[fmt.Sprintf("<0x%02X>", b)]
		if !ok {
			return u, &UnsupportedError{"model", fmt.Sprintf("byte_fallback without a token for the byte %#02x", b)}
		}
		u.bytes = append(u.bytes, id)
	}
	return u, nil
}

// append appends the ids of a run of unknown characters.
func (u *unknown) append(dst []int, run string) []int {
	if u.bytes != nil {
		for i := range len(run) {
			dst = append(dst, u.bytes[run[i]])
		}
		return dst
	}
	if u.id < 0 {
		return dst
	}
	n := 1
	if !u.fuse {
		n = utf8.RuneCountInString(run)
	}
	for range n {
		dst = append(dst, u.id)
	}
	return dst
}

// pieceText turns marks back into spaces and byte pieces into bytes.
func pieceText(t string) string {
	var b byte
	if n, err := fmt.Sscanf(t, "<0x%02X>", &b); n == 1 && err == nil && len(t) == 6 {
		return string([]byte{b})
	}
	return strings.ReplaceAll(t, mark, " ")
}

// sentencePiece is BPE over characters with bytes for the unknown ones, as Llama 2,
// Mistral and Gemma have it. The whole text is one piece, unless a Metaspace cuts
// words apart.
type sentencePiece struct {
	space   metaspace
	enc     *token.Encoding
	atoms   map[rune]bool
	pieces  map[int]string
	unknown unknown
}

func newSentencePiece(f *file) (*sentencePiece, error) {
	m := &f.Model
	if m.Dropout != nil && *m.Dropout != 0 || m.Prefix != "" || m.Suffix != "" {
		return nil, &UnsupportedError{"model", "BPE with dropout, a prefix or a suffix"}
	}
	space, err := newSpaces(f)
	if err != nil {
		return nil, err
	}
	var all map[string]int
	if err := json.Unmarshal(m.Vocab, &all); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: vocab: %w", err)
	}
	s := &sentencePiece{space: space, atoms: map[rune]bool{}, pieces: make(map[int]string, len(all))}
	if s.unknown, err = newUnknown(m, all); err != nil {
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
	var atoms []string
	for t, id := range vocab {
		s.pieces[id] = pieceText(t)
		if r, size := utf8.DecodeRuneInString(t); size == len(t) {
			s.atoms[r] = true
			atoms = append(atoms, t)
		}
	}
	ranks, err := (&token.Merges{Vocab: vocab, Atoms: atoms, List: list, Whole: m.IgnoreMerges}).Ranks()
	if err != nil {
		return nil, err
	}
	s.enc, err = token.New(ranks, &token.Options{Pattern: token.PatternWhole})
	return s, err
}

// newSpaces reads the pre-tokenizer: none, Metaspace, or one that splits at spaces,
// which has no effect because a normalizer has replaced all spaces.
func newSpaces(f *file) (metaspace, error) {
	normalize, err := newNormalizer(f.Normalizer)
	if err != nil {
		return metaspace{}, err
	}
	if normalize != nil && !strings.Contains(normalize(" a b "), " ") && sameJSON(f.PreTokenizer, splitAtSpaces) {
		return metaspace{}, nil
	}
	return newMetaspace(f.PreTokenizer)
}

const splitAtSpaces = `{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false}`

func (s *sentencePiece) append(dst []int, text string, first bool) []int {
	for piece := range s.space.pieces(text, first) {
		dst = s.appendPiece(dst, piece)
	}
	return dst
}

func (s *sentencePiece) appendPiece(dst []int, text string) []int {
	for text != "" {
		n := s.run(text, true)
		dst = s.enc.AppendEncode(dst, text[:n])
		text = text[n:]
		n = s.run(text, false)
		if n > 0 {
			dst = s.unknown.append(dst, text[:n])
		}
		text = text[n:]
	}
	return dst
}

// run returns the length of the run of known or unknown characters that begins
// text.
func (s *sentencePiece) run(text string, known bool) int {
	for i, r := range text {
		if s.atoms[r] != known {
			return i
		}
	}
	return len(text)
}

func (s *sentencePiece) text(id int) (string, bool) {
	t, ok := s.pieces[id]
	return t, ok
}
