package hf

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/datrie"
)

// An addedToken is a token beside the model's vocabulary. Only
// [Tokenizer.EncodeSpecial] looks for it; for Encode and Count it is ordinary
// text.
type addedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not inside of a word
	LStrip     bool   `json:"lstrip"`      // takes the white space before it
	RStrip     bool   `json:"rstrip"`      // takes the white space after it
	Normalized bool   `json:"normalized"`  // is looked for in normalized text
}

// flagged reports whether finding the token needs more than its content.
func (a *addedToken) flagged() bool { return a.SingleWord || a.LStrip || a.RStrip }

// addedTokens finds added tokens in a text.
type addedTokens struct {
	tokens []addedToken
	trie   *datrie.Trie // of their contents
}

// newAddedTokens takes those of the tokens that are looked for in normalized text,
// or the others.
func newAddedTokens(all []addedToken, normalized bool, normalize normalizer) (addedTokens, error) {
	var a addedTokens
	for _, t := range all {
		if t.Normalized != normalized {
			continue
		}
		if normalize != nil {
			t.Content = normalize(t.Content)
		}
		a.tokens = append(a.tokens, t)
	}
	var err error
	a.trie, err = datrie.New(len(a.tokens), func(i int) string { return a.tokens[i].Content })
	return a, err
}

// A part is a span of a text: an added token with its white space, or the text
// between two.
type part struct {
	start, end int
	added      bool
	id         int // of the added token
}

// split cuts a text at the added tokens, the longest at each place.
func (a *addedTokens) split(text string) iter.Seq[part] {
	return func(yield func(part) bool) {
		done := 0 // the end of the last part
		for at := 0; at < len(text); {
			i, size := a.trie.Longest(text[at:])
			if i < 0 {
				at++
				continue
			}
			t := &a.tokens[i]
			start, end := at, at+size
			at = end
			if t.SingleWord && (wordBefore(text[:start]) || wordAfter(text[end:])) {
				continue
			}
			if t.LStrip {
				start = max(done, len(strings.TrimRightFunc(text[:start], unicode.IsSpace)))
			}
			if t.RStrip {
				end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
			}
			if done < start && !yield(part{start: done, end: start}) || !yield(part{start, end, true, t.ID}) {
				return
			}
			done = end
		}
		if done < len(text) {
			yield(part{start: done, end: len(text)})
		}
	}
}

func wordBefore(text string) bool {
	r, _ := utf8.DecodeLastRuneInString(text)
	return text != "" && wordRune(r)
}

func wordAfter(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return text != "" && wordRune(r)
}

// wordRune reports whether the reference's \w matches: UTS #18's word characters.
func wordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}
