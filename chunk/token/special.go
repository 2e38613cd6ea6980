package token

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/datrie"
)

// specials are the special tokens of an encoding.
type specials struct {
	ids   map[string]int
	text  map[int]string
	names []string     // sorted
	trie  *datrie.Trie // of names
}

func newSpecials(ids map[string]int) (specials, error) {
	s := specials{ids: maps.Clone(ids), text: make(map[int]string, len(ids))}
	for name, id := range ids {
		if name == "" || id < 0 || id >= maxTokens {
			return s, fmt.Errorf("%w: the id of the special token %q is %d: want a name, and an id from 0 to %d", ErrOption, name, id, maxTokens-1)
		}
		// Two names may have the same id, as <|endofprompt|> and a reserved name do.
		// Decoding takes the name that is first in order.
		if other, ok := s.text[id]; !ok || name < other {
			s.text[id] = name
		}
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	var err error
	s.trie, err = datrie.New(len(s.names), func(i int) string { return s.names[i] })
	return s, err
}

// find returns the first special token in text[from:] for which wanted is true, and
// its place. Of several at one place it returns the longest.
func (s *specials) find(text string, from int, wanted func(name string) bool) (name string, at int) {
	for at = from; at < len(text); at++ {
		for k, _ := s.trie.Longest(text[at:]); k >= 0; k = s.trie.Prefix(k) {
			if wanted(s.names[k]) {
				return s.names[k], at
			}
		}
	}
	return "", -1
}

// A SpecialSet is a set of names of special tokens: all those of an encoding, or some.
// The zero value is the empty set.
type SpecialSet struct {
	all   bool
	names []string
}

// AllSpecial returns the set of all special tokens of an encoding.
func AllSpecial() SpecialSet { return SpecialSet{all: true} }

// OnlySpecial returns the set of the tokens with these names. A name may be another text
// than a special token. If it is allowed, that changes nothing. If it is disallowed, it
// is refused as a special token is.
func OnlySpecial(names ...string) SpecialSet { return SpecialSet{names: slices.Clone(names)} }

// A SpecialTokenError is the error for a text that contains a special token that
// is not allowed there.
type SpecialTokenError struct {
	Token  string
	Offset int // of its first byte in the text
}

func (e *SpecialTokenError) Error() string {
	return fmt.Sprintf("token: the text contains the special token %q at byte %d; allow it, or encode it as ordinary text", e.Token, e.Offset)
}

// EncodeSpecial encodes text in which special tokens have a meaning:
//
//   - A special token in allowed becomes one token.
//
//   - A special token in disallowed makes EncodeSpecial fail with a
//     [*SpecialTokenError], which names the leftmost. [AllSpecial] means here all that
//     are not allowed.
//
//   - All others are ordinary text.
//
//     e.EncodeSpecial(prompt, token.AllSpecial(), token.SpecialSet{})  // trusted text
//     e.EncodeSpecial(input, token.SpecialSet{}, token.AllSpecial())   // refuse an injected one
//     e.EncodeSpecial(doc, token.OnlySpecial("<|endoftext|>"), token.AllSpecial())
//
// These are the rules of the method encode in tiktoken.
func (e *Encoding) EncodeSpecial(text string, allowed, disallowed SpecialSet) ([]int, error) {
	var bad string
	var at int
	if disallowed.all {
		bad, at = e.special.find(text, 0, func(name string) bool { return !allowed.has(name) })
	} else {
		bad, at = leftmost(text, disallowed.names)
	}
	if at >= 0 {
		return nil, &SpecialTokenError{bad, at}
	}
	ids := make([]int, 0, len(text)/4+4)
	if !allowed.all && len(allowed.names) == 0 {
		return e.AppendEncode(ids, text), nil
	}
	for from := 0; ; {
		name, at := e.special.find(text, from, allowed.has)
		if at < 0 {
			return e.AppendEncode(ids, text[from:]), nil
		}
		ids = e.AppendEncode(ids, text[from:at])
		ids = append(ids, e.special.ids[name])
		from = at + len(name)
	}
}

func (s SpecialSet) has(name string) bool { return s.all || slices.Contains(s.names, name) }

// leftmost returns the one of names that is first in text, and its place. Of several
// at one place it returns the longest.
func leftmost(text string, names []string) (name string, at int) {
	at = -1
	for _, n := range names {
		if i := strings.Index(text, n); i >= 0 && n != "" &&
			(at < 0 || i < at || i == at && len(n) > len(name)) {
			name, at = n, i
		}
	}
	return name, at
}

// continues reports whether the byte at i is a part of a character that begins before
// it.
func continues(text string, i int) bool {
	if utf8.RuneStart(text[i]) {
		return false
	}
	for back := 1; back < utf8.UTFMax && back <= i; back++ {
		if utf8.RuneStart(text[i-back]) {
			_, size := utf8.DecodeRuneInString(text[i-back:])
			return size > back
		}
	}
	return false // a byte that is not UTF-8 is a character of its own
}
