package model

import (
	_ "embed"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed lexicon.txt
var lexiconText string

// A lexicon maps words, and stems with any ending, to sets of concepts.
type lexicon struct {
	names []string // by concept number
	words map[uint64]uint64
	stems map[uint64]uint64
	// heads marks the first two bytes of stems, so that most words need no
	// look-up by prefix.
	heads [1 << 16]bool
	// glued contains the words of scripts that write no blanks, by first rune.
	glued map[rune][]gluedWord
}

type gluedWord struct {
	text     string
	concepts uint64
}

func newLexicon(fold func(string) string) *lexicon {
	l := &lexicon{words: map[uint64]uint64{}, stems: map[uint64]uint64{}, glued: map[rune][]gluedWord{}}
	for line := range strings.Lines(lexiconText) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] == "#" {
			continue
		}
		bit := uint64(1) << len(l.names)
		l.names = append(l.names, fields[0])
		for _, w := range fields[1:] {
			plain := strings.ToLower(fold(w))
			stem, isStem := strings.CutSuffix(plain, "*")
			r, _ := utf8.DecodeRuneInString(stem)
			switch {
			case unspaced(r):
				l.glue(r, stem, bit)
			case isStem:
				l.stems[hashString(stem)] |= bit
				l.heads[uint16(stem[0])<<8|uint16(stem[1])] = true
			default:
				l.words[hashString(stem)] |= bit
			}
		}
	}
	return l
}

// glue adds a word of a script that writes no blanks. Of two words that begin
// alike the longer one comes first.
func (l *lexicon) glue(first rune, word string, concept uint64) {
	all := l.glued[first]
	at := 0
	for ; at < len(all) && len(all[at].text) >= len(word); at++ {
		if all[at].text == word {
			all[at].concepts |= concept
			return
		}
	}
	l.glued[first] = slices.Insert(all, at, gluedWord{word, concept})
}

// longestStem is the length of the longest stem that is looked up, in bytes.
const longestStem = 32

// unspaced reports whether r belongs to a script that writes no blanks between
// words (Thai, Chinese), or whose words take endings that hide the stem (Korean).
func unspaced(r rune) bool {
	return r >= 0x0E00 && r <= 0x109F || r >= 0x1780 && r <= 0x17FF || r >= 0x3040 && r <= 0x30FF || r >= 0x3400 && r <= 0x9FFF || r >= 0xAC00 && r <= 0xD7AF
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func hashString(s string) uint64 {
	h := uint64(fnvOffset)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// of returns the concepts of a folded word, whose lower-case hash is h. ASCII
// capitals count as small letters.
func (l *lexicon) of(word string, h uint64) uint64 {
	c := l.words[h]
	if len(word) < 3 || !l.heads[uint16(lower(word[0]))<<8|uint16(lower(word[1]))] {
		return c
	}
	p := uint64(fnvOffset)
	for i := range min(len(word), longestStem) {
		p = (p ^ uint64(lower(word[i]))) * fnvPrime
		if i >= 2 {
			c |= l.stems[p]
		}
	}
	return c
}

func lower(b byte) byte {
	if b >= 'A' && b <= 'Z' {
		return b | 0x20
	}
	return b
}

// Concept returns the bit of a concept by its name in lexicon.txt, 0 if there
// is none.
func (e *Extractor) Concept(name string) uint64 {
	for i, n := range e.lexicon.names {
		if n == name {
			return 1 << i
		}
	}
	return 0
}
