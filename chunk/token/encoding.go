package token

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/bits"
	"slices"
	"sync"
)

// An Encoding turns text into tokens and tokens into text. It is immutable and safe
// for concurrent use. The encodings of OpenAI are in the subpackages o200k, cl100k,
// p50k and r50k.
type Encoding struct {
	name    string
	split   splitter
	vocab   *vocab
	special specials
	work    *sync.Pool // of *workspace
}

// ErrOption is wrapped by the errors for an option or argument that is out of range,
// and for a required argument that is nil. The message names the field, its value
// and what is allowed.
var ErrOption = errors.New("token: invalid option")

// Options configure an [Encoding].
type Options struct {
	// Name is what [Encoding.Name] returns. Default: "".
	Name string

	// Pattern cuts the text into pieces before merging. Default: [PatternO200K],
	// the pattern of OpenAI's current encoding.
	Pattern Pattern

	// Special has the special tokens and their ids. A special token, such as
	// <|endoftext|>, marks something and is not text. The ids must differ from those of
	// the ranks. Default: none.
	Special map[string]int
}

// New makes an Encoding of ranks. Ranks of [ReadRanks] and [RanksOf] don't state which
// two tokens make each token. New finds these pairs, which makes it a few times as
// slow. It fails with [ErrOption], or with a [*VocabularyError] if a byte has no token.
func New(r *Ranks, o *Options) (*Encoding, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the ranks of New is nil", ErrOption)
	}
	if o == nil {
		o = &Options{}
	}
	split, err := newSplitter(o.Pattern)
	if err != nil {
		return nil, err
	}
	v, err := newVocab(r)
	if err != nil {
		return nil, err
	}
	e := &Encoding{
		name: o.Name, split: split, vocab: v,
		work: &sync.Pool{New: func() any { return new(workspace) }},
	}
	return e.WithSpecial(o.Name, o.Special)
}

// WithSpecial returns an encoding of another name that shares e's ranks and has
// the given special tokens instead of e's. It fails with [ErrOption].
func (e *Encoding) WithSpecial(name string, special map[string]int) (*Encoding, error) {
	s, err := newSpecials(special)
	if err != nil {
		return nil, err
	}
	for text, id := range special {
		if e.vocab.Token(id) != "" {
			return nil, fmt.Errorf("%w: the id of the special token %q is %d, which is the token %q: want an unused id", ErrOption, text, id, e.vocab.Token(id))
		}
	}
	c := *e
	c.name, c.special = name, s
	return &c, nil
}

// Name returns the encoding's name, such as "o200k_base".
func (e *Encoding) Name() string { return e.name }

// Size returns one more than the highest token id.
func (e *Encoding) Size() int {
	n := e.vocab.Len()
	for _, id := range e.vocab.ids {
		n = max(n, id+1)
	}
	for _, id := range e.special.ids {
		n = max(n, id+1)
	}
	return n
}

// Special returns the special tokens and their ids.
func (e *Encoding) Special() map[string]int { return maps.Clone(e.special.ids) }

// Encode returns the tokens of text. It takes special tokens in the text for ordinary
// text, which is the safe form for documents and for users' input.
// [Encoding.EncodeSpecial] is the other form.
func (e *Encoding) Encode(text string) []int {
	// English has about four bytes a token. A guess that is too low costs a copy.
	return e.AppendEncode(make([]int, 0, len(text)/4+4), text)
}

// AppendEncode appends the tokens of text to dst. They are those of [Encoding.Encode].
func (e *Encoding) AppendEncode(dst []int, text string) []int {
	w := e.workspace()
	defer e.work.Put(w)
	for i := 0; i < len(text); {
		marks := e.split.marks(text, i)
		if marks == 0 {
			end := e.split.next(text, i)
			dst = e.appendPiece(dst, text, i, end, w)
			i = end
			continue
		}
		dst = e.appendMarked(dst, text, i, marks, w)
		i += 63 - bits.LeadingZeros64(marks)
	}
	return dst
}

// appendMarked appends the tokens of the pieces that end at marks, in the window
// text[i:].
func (e *Encoding) appendMarked(dst []int, text string, i int, marks uint64, w *workspace) []int {
	window := text[i : i+windowBytes+afterWindow]
	at := 0
	for ; marks != 0; marks &= marks - 1 {
		end := bits.TrailingZeros64(marks)
		size := end - at
		if size < 16 && w.encoded != nil {
			head, tail := load(window, at), uint64(0)
			if size > 8 {
				tail = lowBytes(load(window, at+8), size-8)
			} else {
				head = lowBytes(head, size)
			}
			slot := &w.encoded[encodedSlot(head, tail)]
			if slot.head == head && slot.tail == tail && slot.n == 1 && (size < 8 || head>>59 != 0) {
				dst = append(dst, int(slot.ids[0]))
				at = end
				continue
			}
		}
		dst = e.appendPiece(dst, text, i+at, i+end, w)
		at = end
	}
	return dst
}

// appendPiece appends the tokens of the piece text[i:end]. It remembers those of
// short pieces.
func (e *Encoding) appendPiece(dst []int, text string, i, end int, w *workspace) []int {
	if end-i > 16 {
		return e.appendNew(dst, text[i:end], w)
	}
	head, tail, ok := wordsAt(text, i, end-i)
	if !ok {
		return e.appendNew(dst, text[i:end], w)
	}
	if w.encoded == nil {
		w.encoded = new([1 << encodedBits]pieceTokens)
	}
	slot := &w.encoded[encodedSlot(head, tail)]
	if slot.head == head && slot.tail == tail {
		dst = append(dst, int(slot.ids[0]))
		for _, id := range slot.ids[1:slot.n] {
			dst = append(dst, int(id))
		}
		return dst
	}
	before := len(dst)
	dst = e.appendNew(dst, text[i:end], w)
	if ids := dst[before:]; len(ids) <= len(slot.ids) {
		*slot = pieceTokens{head: head, tail: tail, n: uint32(len(ids))}
		for k, id := range ids {
			slot.ids[k] = uint32(id)
		}
	}
	return dst
}

// appendNew appends the tokens of a piece that is not remembered.
func (e *Encoding) appendNew(dst []int, piece string, w *workspace) []int {
	v := e.vocab
	if rank := v.find(piece); rank >= 0 {
		return append(dst, v.id(rank))
	}
	at := 0
	if v.segmented(piece) { // see countSegments
		for base := 0; base < len(piece); base += 64 {
			for free := v.seams.freePlaces(piece, base); free != 0; free &= free - 1 {
				end := base + bits.TrailingZeros64(free)
				dst = e.appendPiece(dst, piece, at, end, w)
				at = end
			}
		}
	}
	if at > 0 {
		return e.appendPiece(dst, piece, at, len(piece), w)
	}
	if v.short(piece) {
		for starts := v.mergeShort(piece, &w.short); starts != 0; starts &= starts - 1 {
			dst = append(dst, v.id(int(w.short[bits.TrailingZeros32(starts)&placeMask])))
		}
		return dst
	}
	for _, rank := range v.merge(piece, w) {
		dst = append(dst, v.id(int(rank)))
	}
	return dst
}

// Tokens returns the tokens of text one after the other: the id and the bytes. The
// bytes are a part of text. They may be only a part of a character.
func (e *Encoding) Tokens(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var ids []int
		w := e.workspace()
		defer e.work.Put(w)
		var c cursor
		for i := 0; i < len(text); {
			end := c.next(&e.split, text, i)
			ids = e.appendPiece(ids[:0], text, i, end, w)
			for _, id := range ids {
				n := len(e.vocab.Token(id))
				if !yield(id, text[i:i+n]) {
					return
				}
				i += n
			}
		}
	}
}

// Ends returns where each token of text ends, in bytes. Package chunk takes this form
// for windows of tokens.
func (e *Encoding) Ends(text string) []int {
	ends := make([]int, 0, len(text)/4+4)
	at := 0
	for _, t := range e.Tokens(text) {
		at += len(t)
		ends = append(ends, at)
	}
	return ends
}

// A DecodeError names a token id that the encoding doesn't have.
type DecodeError struct {
	Encoding string
	ID       int
	Index    int // the place of ID in the ids
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("token: %s has no token %d (number %d of the ids)", e.Encoding, e.ID, e.Index)
}

// Decode returns the bytes of the tokens with these ids. The bytes need not be UTF-8,
// because a token may be a part of a character. For an unknown id, Decode returns
// the text before it and a [*DecodeError].
func (e *Encoding) Decode(ids []int) (string, error) {
	size := 0
	for _, id := range ids {
		size += len(e.vocab.Token(id))
	}
	out := make([]byte, 0, size)
	for i, id := range ids {
		t := e.TokenText(id)
		if t == "" {
			return string(out), &DecodeError{e.name, id, i}
		}
		out = append(out, t...)
	}
	return string(out), nil
}

// TokenText returns the bytes of the token with this id, or "" if there is none. The
// token may be a special one.
func (e *Encoding) TokenText(id int) string {
	if t := e.vocab.Token(id); t != "" {
		return t
	}
	return e.special.text[id]
}

// SplitAt cuts text in two so that head has at most budget tokens. It cuts no code
// point. It cuts at the end of a token of text if that is possible.
//
// SplitAt counts head itself, because the beginning of a text may have more tokens
// than the text has up to that place. Count(head)+Count(tail) may differ from
// Count(text).
func (e *Encoding) SplitAt(text string, budget int) (head, tail string) {
	var ends []int // of the first budget+1 tokens
	at := 0
	for _, t := range e.Tokens(text) {
		at += len(t)
		ends = append(ends, at)
		if len(ends) > budget {
			break
		}
	}
	if len(ends) <= budget {
		return text, ""
	}
	ends = ends[:max(budget, 0)]
	fits := func(end int) bool {
		if !runeBoundary(text, end) {
			return false
		}
		_, ok := e.CountUpTo(text[:end], budget)
		return ok
	}
	for _, end := range slices.Backward(ends) {
		if fits(end) {
			return text[:end], text[end:]
		}
	}
	// This is rare: all these tokens end inside of code points.
	for end := slices.Max(append(ends, 0)) - 1; end > 0; end-- {
		if fits(end) {
			return text[:end], text[end:]
		}
	}
	return "", text
}

// runeBoundary reports whether a cut at i cuts no character of text.
func runeBoundary(text string, i int) bool {
	return i <= 0 || i >= len(text) || !continues(text, i)
}

// Ranks returns the vocabulary of the encoding.
func (e *Encoding) Ranks() *Ranks { return e.vocab.Ranks }

// Pieces returns the pieces of text: the pattern of the encoding cuts a text into
// pieces before it merges bytes to tokens.
func (e *Encoding) Pieces(text string) []string {
	var pieces []string
	var c cursor
	for i := 0; i < len(text); {
		end := c.next(&e.split, text, i)
		pieces = append(pieces, text[i:end])
		i = end
	}
	return pieces
}
