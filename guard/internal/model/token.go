package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Token is a word of a text: letters, digits and apostrophes, or one word of
// the lexicon in a script that writes no blanks.
type Token struct {
	Start, End int    // bytes in the text
	Concepts   uint64 // bit i: concept i of the lexicon
	hash       uint64 // of the lower-case word; all numbers have the same
	sentence   bool   // the first of its sentence
}

var wordByte = func() (c [256]bool) {
	for b := range c {
		c[b] = b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9' || b >= 0x80
	}
	c['\''] = true
	return c
}()

// numberHash is the hash of every number.
const numberHash = 0x9E3779B97F4A7C15

// Tokens splits text, which is folded but keeps its case, into words.
func (e *Extractor) Tokens(text string) []Token {
	return e.AppendTokens(make([]Token, 0, len(text)/5+4), text)
}

// AppendTokens appends the words of text to tokens.
func (e *Extractor) AppendTokens(tokens []Token, text string) []Token {
	fresh := true
	for i := 0; i < len(text); {
		b := text[i]
		if !wordByte[b] {
			if b == '.' || b == '!' || b == '?' || b == '\n' || b == ':' || b == ';' || b == '"' {
				fresh = true
			}
			i++
			continue
		}
		start, h := i, uint64(fnvOffset)
		ascii, digits := true, true
		for i < len(text) && wordByte[text[i]] {
			c := lower(text[i])
			ascii = ascii && c < utf8.RuneSelf
			digits = digits && c >= '0' && c <= '9'
			h = (h ^ uint64(c)) * fnvPrime
			i++
		}
		if !ascii {
			tokens = e.wide(tokens, text, start, i, fresh)
			fresh = false
			continue
		}
		t := Token{Start: start, End: i, hash: h, sentence: fresh}
		if digits {
			t.hash = numberHash
		} else {
			t.Concepts = e.lexicon.of(text[start:i], h)
		}
		fresh = false
		tokens = append(tokens, t)
	}
	return tokens
}

// wide splits a run that contains letters beyond ASCII: at punctuation, and at each
// word of the lexicon in scripts without blanks.
func (e *Extractor) wide(tokens []Token, text string, start, end int, fresh bool) []Token {
	from := start
	flush := func(to int) {
		if to > from {
			word := strings.ToLower(text[from:to])
			h := hashString(word)
			tokens = append(tokens, Token{Start: from, End: to, hash: h, Concepts: e.lexicon.of(word, h), sentence: fresh})
			fresh = false
		}
	}
scan:
	for i := start; i < end; {
		r, size := utf8.DecodeRuneInString(text[i:end])
		switch {
		case unspaced(r):
			flush(i)
			from = i + size
			for _, w := range e.lexicon.glued[r] {
				if strings.HasPrefix(text[i:end], w.text) {
					tokens = append(tokens, Token{Start: i, End: i + len(w.text), hash: hashString(w.text), Concepts: w.concepts, sentence: fresh})
					fresh = false
					i += len(w.text)
					from = i
					continue scan
				}
			}
			tokens = append(tokens, Token{Start: i, End: i + size, hash: hashString(text[i : i+size]), sentence: fresh})
			fresh = false
		case r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			flush(i)
			from = i + size
			fresh = fresh || r == '。' || r == '！' || r == '？' || r == '¿' || r == '¡'
		}
		i += size
	}
	flush(end)
	return tokens
}
