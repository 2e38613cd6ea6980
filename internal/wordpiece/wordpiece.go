// Package wordpiece is BERT's uncased tokenizer. A text becomes lower-case words
// without accents, and each word becomes the longest pieces of a vocabulary that
// spell it from left to right.
//
//	"Résumés, 日本" → resume ##s , 日 本
//
// The first piece of a word is in the vocabulary as it is, and the others have "##"
// in front. A word that can't be spelled, or that is longer than [MaxWordRunes],
// becomes the one unknown token. (Devlin et al., "BERT", 2019; Wu et al., "Google's
// Neural Machine Translation System", 2016, 4.1; greedy matching as in the
// reference implementation.)
//
// Special tokens (see [Special]) that are spelled out in a text are recognized
// first, as in the reference.
//
// The normalizer's table is made by asking the reference itself for every code
// point, so it equals the reference and not some version of Unicode.
package wordpiece

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/prodailabs/prodai/internal/datrie"
)

// MaxWordRunes is the length in code points, after normalization, above which
// a word is unknown.
const MaxWordRunes = 100

// Unknown is the token for a word that can't be spelled.
const Unknown = "[UNK]"

// Special lists the tokens of BERT that are not text.
func Special() []string { return []string{"[PAD]", Unknown, "[CLS]", "[SEP]", "[MASK]"} }

const continuation = "##"

// A Vocab turns text into token ids. It is immutable and safe for concurrent
// use.
type Vocab struct {
	tokens  []string
	unknown int32
	special []special
	fold    *folder

	// Two tries over the same ids: pieces that begin a word, and pieces that
	// continue one, without their "##".
	first, rest *datrie.Trie
}

type special struct {
	text string
	id   int32
}

// Read reads a vocabulary with a token on each line, the first having id 0.
func Read(r io.Reader) (*Vocab, error) {
	var tokens []string
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		tokens = append(tokens, sc.Text())
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("wordpiece: %w", err)
	}
	return New(tokens)
}

// New makes a Vocab of tokens; a token's id is its index. It fails if [Unknown]
// is not among them.
func New(tokens []string) (*Vocab, error) {
	v := &Vocab{tokens: tokens, unknown: -1}
	names := Special()
	for i, t := range tokens {
		if t == Unknown {
			v.unknown = int32(i)
		}
		if slices.Contains(names, t) {
			v.special = append(v.special, special{t, int32(i)})
		}
	}
	if v.unknown < 0 {
		return nil, fmt.Errorf("wordpiece: the vocabulary of %d tokens has no %s", len(tokens), Unknown)
	}
	isRest := func(t string) bool {
		return len(t) > len(continuation) && t[:len(continuation)] == continuation
	}
	var err error
	// A token such as "##s" could also begin a word that is spelled so in the text.
	// But "#" is punctuation and a word of its own, so no word ever begins with it.
	if v.first, err = datrie.New(len(tokens), func(i int) string {
		if isRest(tokens[i]) {
			return ""
		}
		return tokens[i]
	}); err != nil {
		return nil, fmt.Errorf("wordpiece: %w", err)
	}
	if v.rest, err = datrie.New(len(tokens), func(i int) string {
		if isRest(tokens[i]) {
			return tokens[i][len(continuation):]
		}
		return ""
	}); err != nil {
		return nil, fmt.Errorf("wordpiece: %w", err)
	}
	if v.fold, err = newFolder(); err != nil {
		return nil, err
	}
	return v, nil
}

// Len returns the number of tokens.
func (v *Vocab) Len() int { return len(v.tokens) }

// Token returns the text of a token, or "" if there is no such id.
func (v *Vocab) Token(id int32) string {
	if id < 0 || int(id) >= len(v.tokens) {
		return ""
	}
	return v.tokens[id]
}

// Ordinary returns a Vocab of the same tokens that treats special tokens in a text
// as ordinary text.
func (v *Vocab) Ordinary() *Vocab {
	c := *v
	c.special = nil
	return &c
}

// UnknownID returns the id of [Unknown].
func (v *Vocab) UnknownID() int32 { return v.unknown }

// AppendIDs appends the ids of text to dst and returns it, without adding
// [CLS] and [SEP]. It allocates only to grow dst. A byte that is not UTF-8 is dropped, as
// the reference drops U+FFFD.
func (v *Vocab) AppendIDs(dst []int32, text string) []int32 {
	// A normalized code point takes up to four bytes, and one that decomposes
	// gives up to three of them; runes after MaxWordRunes are only counted.
	var word [MaxWordRunes*4 + maxFold]byte
	n, runes := 0, 0
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			i++
			a := ascii[c]
			if a > asciiAlone {
				if runes < MaxWordRunes {
					word[n] = a
					n++
				}
				runes++
				continue
			}
			if a == asciiDrop {
				continue
			}
			dst = v.appendWord(dst, word[:n], runes)
			n, runes = 0, 0
			if c == '[' {
				if id, size := v.specialAt(text[i-1:]); size > 0 {
					dst = append(dst, id)
					i += size - 1
					continue
				}
			}
			if a == asciiAlone {
				dst = v.appendWord(dst, []byte{c}, 1)
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		kind, folded := v.fold.rune(r)
		switch kind {
		case drop:
		case space:
			dst = v.appendWord(dst, word[:n], runes)
			n, runes = 0, 0
		case alone:
			dst = v.appendWord(dst, word[:n], runes)
			n, runes = 0, 0
			k := copy(word[:], folded.bytes())
			dst = v.appendWord(dst, word[:k], 1)
		case keep:
			if runes < MaxWordRunes {
				n += copy(word[n:], folded.bytes())
			}
			runes += int(folded.runes)
		}
	}
	return v.appendWord(dst, word[:n], runes)
}

// specialAt returns the special token that text starts with, and its length.
func (v *Vocab) specialAt(text string) (id int32, size int) {
	for _, s := range v.special {
		if strings.HasPrefix(text, s.text) {
			return s.id, len(s.text)
		}
	}
	return 0, 0
}

// Count returns the number of ids of text. It doesn't allocate for texts of
// up to a few hundred words.
func (v *Vocab) Count(text string) int {
	var ids [512]int32
	return len(v.AppendIDs(ids[:0], text))
}

// appendWord appends the ids of one normalized word of the given length in
// code points.
func (v *Vocab) appendWord(dst []int32, word []byte, runes int) []int32 {
	if len(word) == 0 {
		return dst
	}
	if runes > MaxWordRunes {
		return append(dst, v.unknown)
	}
	text := unsafe.String(&word[0], len(word)) // read only until the function returns
	start := len(dst)
	trie := v.first
	for len(text) > 0 {
		// No token of a vocabulary ends inside a code point, so neither does
		// a match.
		id, n := trie.Longest(text)
		if n == 0 {
			return append(dst[:start], v.unknown)
		}
		dst = append(dst, int32(id))
		text = text[n:]
		trie = v.rest
	}
	return dst
}
