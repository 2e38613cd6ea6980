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

// An Encoding turns text into tokens and back. It is immutable and safe for
// concurrent use; the encodings of OpenAI are in the subpackages o200k, cl100k,
// p50k and r50k.
type Encoding struct {
	name    string
	split   splitter
	vocab   *vocab
	special specials
	work    *sync.Pool // of *workspace
}

// ErrOption is wrapped by the errors for an option or argument that is out of
// range and for a required argument that is nil. The message names the field,
// its value and what is allowed.
var ErrOption = errors.New("token: invalid option")

// Options configure an [Encoding].
type Options struct {
	// Name is what [Encoding.Name] returns. Default: "".
	Name string

	// Pattern cuts the text into pieces before merging. Default: [PatternO200K],
	// the pattern of OpenAI's current encoding.
	Pattern Pattern

	// Special are tokens that mark something and are not text, such as
	// <|endoftext|>, and their ids. An id must not be a rank's. Default: none.
	Special map[string]int
}

// New makes an Encoding of ranks. For ranks that carry no merges, such as those
// of [ReadRanks] and [RanksOf], it finds them, which takes a few times as long.
// It fails with [ErrOption], or with a [*VocabularyError] if a byte has no token.
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

// Encode returns the tokens of text. Special tokens in it are ordinary text
// here: this is the safe form for documents and users' input. See
// [Encoding.EncodeSpecial] for the other.
func (e *Encoding) Encode(text string) []int {
	// English has about four bytes a token; a guess that is too low costs one
	// copy.
	return e.AppendEncode(make([]int, 0, len(text)/4+4), text)
}

// AppendEncode appends the tokens of text to dst, as [Encoding.Encode].
func (e *Encoding) AppendEncode(dst []int, text string) []int {
	w := e.workspace()
	defer e.work.Put(w)
	for i := 0; i < len(text); {
		end := e.split.next(text, i)
		dst = e.appendPiece(dst, text, i, end, w)
		i = end
	}
	return dst
}

func (e *Encoding) appendPiece(dst []int, text string, i, end int, w *workspace) []int {
	rank, first := e.vocab.find(text, i, end)
	if rank >= 0 {
		return append(dst, e.vocab.id(rank))
	}
	for _, rank := range e.vocab.merge(text[i:end], first, w) {
		dst = append(dst, e.vocab.id(int(rank)))
	}
	return dst
}

// Count returns the number of tokens of text, len(Encode(text)), without
// making them. It doesn't allocate and never fails.
func (e *Encoding) Count(text string) int {
	w := e.workspace()
	defer e.work.Put(w)
	n := 0
	for i := 0; i < len(text); {
		end := e.split.next(text, i)
		n += e.countPiece(text, i, end, w)
		i = end
	}
	return n
}

// countPiece counts a piece's tokens. Nine of ten pieces are short tokens; of
// most others the count is remembered.
func (e *Encoding) countPiece(text string, i, end int, w *workspace) int {
	n := end - i
	var head, tail uint64
	switch {
	case n > 16:
		return e.countNew(text, i, end, w)
	case n > 8:
		head, tail = keyAt(text, i, i+8), keyAt(text, end-8, end)
	case e.vocab.shortID(text, i, end) >= 0:
		return 1
	default:
		head = keyAt(text, i, end)
	}
	slot := &w.counts[(head^bits.RotateLeft64(tail, 13)^uint64(n))*hashFactor>>(64-countBits)]
	if slot.head != head || slot.tail != tail || int(slot.size) != n {
		*slot = pieceCount{head, tail, uint32(n), uint32(e.countNew(text, i, end, w))}
	}
	return int(slot.tokens)
}

func (e *Encoding) countNew(text string, i, end int, w *workspace) int {
	rank, first := e.vocab.find(text, i, end)
	if rank >= 0 {
		return 1
	}
	return len(e.vocab.merge(text[i:end], first, w))
}

// CountUpTo counts the tokens of text and stops once there are more than limit.
// It returns the count and true, or false and a number above limit that is not
// the whole count.
func (e *Encoding) CountUpTo(text string, limit int) (n int, ok bool) {
	w := e.workspace()
	defer e.work.Put(w)
	for i := 0; i < len(text); {
		// A token has so many bytes at most: some texts need not be read.
		if rest := (len(text) - i) / e.vocab.longest; n+rest > limit {
			return n + rest, false
		}
		end := e.split.next(text, i)
		if n += e.countPiece(text, i, end, w); n > limit {
			return n, false
		}
		i = end
	}
	return n, n <= limit
}

// Tokens returns the tokens of text one after the other: the id and the bytes,
// which are a part of text and may be a part of a character.
func (e *Encoding) Tokens(text string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var ids []int
		w := e.workspace()
		defer e.work.Put(w)
		for i := 0; i < len(text); {
			end := e.split.next(text, i)
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

// Ends returns where each token of text ends, in bytes: the form that package
// chunk takes for windows of tokens.
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
	Index    int // where in the ids
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("token: %s has no token %d (number %d of the ids)", e.Encoding, e.ID, e.Index)
}

// Decode returns the bytes of the tokens of these ids. They need not be UTF-8: a token
// may be a part of a character. An unknown id gives a [*DecodeError] and the
// text before it.
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

// TokenText returns the bytes of one token, a special one too, or "" if there
// is none of that id.
func (e *Encoding) TokenText(id int) string {
	if t := e.vocab.Token(id); t != "" {
		return t
	}
	return e.special.text[id]
}

func (e *Encoding) workspace() *workspace { return e.work.Get().(*workspace) }

// SplitAt cuts text in two so that head has at most budget tokens, and no
// code point is cut. Head is cut at the end of a token of text where that can
// be; its true count is checked, since a text's beginning may have more tokens
// than the text has up to that place. Count(head)+Count(tail) may differ from
// Count(text).
func (e *Encoding) SplitAt(text string, budget int) (head, tail string) {
	var ends []int // of the tokens, as far as the budget goes
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
	// Rare: all these tokens end inside of code points.
	for end := slices.Max(append(ends, 0)) - 1; end > 0; end-- {
		if fits(end) {
			return text[:end], text[end:]
		}
	}
	return "", text
}

// runeBoundary reports whether text can be cut at i without cutting a
// character.
func runeBoundary(text string, i int) bool {
	return i <= 0 || i >= len(text) || !continues(text, i)
}

// Ranks returns the vocabulary that the encoding was made of.
func (e *Encoding) Ranks() *Ranks { return e.vocab.Ranks }

// Pieces returns the pieces that the encoding's pattern cuts text into, before
// merging.
func (e *Encoding) Pieces(text string) []string {
	var pieces []string
	for i := 0; i < len(text); {
		end := e.split.next(text, i)
		pieces = append(pieces, text[i:end])
		i = end
	}
	return pieces
}
