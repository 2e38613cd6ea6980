// Package model turns a text into features and features into a score. Package
// injection's classifier and the program that trains it share it.
package model

import (
	"math"
	"math/bits"
	"slices"
	"sync"
)

// An Extractor computes features. It is safe for concurrent use.
type Extractor struct {
	lexicon *lexicon
	pool    sync.Pool
}

// New returns an extractor. fold is the normalization of the texts, and the lexicon is
// folded with it too.
func New(fold func(string) string) *Extractor {
	e := &Extractor{lexicon: newLexicon(fold)}
	e.pool.New = func() any { return &set{bits: make([]uint64, Buckets/64)} }
	return e
}

// The table of weights has three parts.
const (
	wordBits    = 19
	charBits    = 18
	conceptBits = 15
	wordBase    = 0
	charBase    = wordBase + 1<<wordBits
	conceptBase = charBase + 1<<charBits
	Buckets     = conceptBase + 1<<conceptBits
)

// Bounds are the ends of the parts of the table.
var Bounds = [4]uint32{charBase, conceptBase, Buckets, Buckets}

// Group returns the part that a feature belongs to: 0 words, 1 characters, 2
// concepts.
func Group(index uint32) int {
	switch {
	case index < charBase:
		return 0
	case index < conceptBase:
		return 1
	}
	return 2
}

// A set collects distinct features.
type set struct {
	bits    []uint64
	members []uint32
	counts  [3]int
}

func (s *set) add(i uint32) {
	if w, m := i/64, uint64(1)<<(i%64); s.bits[w]&m == 0 {
		s.bits[w] |= m
		s.members = append(s.members, i)
		s.counts[Group(i)]++
	}
}

func (s *set) word(h uint64)    { s.add(wordBase + mix(h)>>(32-wordBits)) }
func (s *set) char(h uint64)    { s.add(charBase + mix(h)>>(32-charBits)) }
func (s *set) concept(h uint64) { s.add(conceptBase + mix(h)>>(32-conceptBits)) }

// mix folds a 64-bit hash to 32 well-mixed bits.
func mix(h uint64) uint32 { return uint32((h ^ h>>29) * 0xBF58476D1CE4E5B9 >> 32) }

// The values of a group are scaled by 1/sqrt(n+damping), where n is the number of
// distinct features of the group in the text. So a long text counts no more than a
// short one, and a very short one not too much.
var damping = [3]float64{8, 24, 6}

// A Vector is a text's features: distinct indices, and the value by group.
type Vector struct {
	Index []uint32
	Scale [3]float32
}

// Features computes the features of tokens[from:to] of text, with the
// punctuation between and after them.
func (e *Extractor) Features(text string, tokens []Token, from, to int) (v Vector) {
	e.visit(text, tokens, from, to, func(all Vector) { v = Vector{slices.Clone(all.Index), all.Scale} })
	return v
}

// visit computes features and calls a function with them, which must not keep them.
func (e *Extractor) visit(text string, tokens []Token, from, to int, use func(Vector)) {
	start, end := 0, len(text)
	if from > 0 {
		start = tokens[from].Start
	}
	if to < len(tokens) {
		end = tokens[to].Start
	}
	part := tokens[from:to]
	s := e.pool.Get().(*set)
	s.addWords(part)
	s.addChars(text, part)
	s.addConcepts(text[start:end], part)
	v := Vector{Index: s.members}
	for g := range v.Scale {
		v.Scale[g] = float32(1 / math.Sqrt(float64(s.counts[g])+damping[g]))
	}
	use(v)
	for _, i := range s.members {
		s.bits[i/64] = 0
	}
	s.members, s.counts = s.members[:0], [3]int{}
	e.pool.Put(s)
}

// window is the length in words that Windows aims at.
const window = 40

// Windows cuts a text that is longer than one and a half windows into windows,
// at the start of a sentence where one is near. A shorter text has none.
func Windows(tokens []Token) [][2]int {
	if len(tokens) <= window*3/2 {
		return nil
	}
	var all [][2]int
	for from := 0; from < len(tokens); {
		to := min(len(tokens), from+window)
		for to < len(tokens) && to < from+window*3/2 && !tokens[to].sentence {
			to++
		}
		if len(tokens)-to < window/3 {
			to = len(tokens)
		}
		all = append(all, [2]int{from, to})
		from = to
	}
	return all
}

func (s *set) addWords(tokens []Token) {
	var a, b uint64 = 1, 1
	for _, t := range tokens {
		s.word(t.hash)
		s.word(t.hash*3 + b*fnvPrime)
		s.word(t.hash*5 + b*fnvPrime + a*7919)
		a, b = b, t.hash
	}
}

// addChars adds the runs of three to five bytes of each word with its boundaries.
func (s *set) addChars(text string, tokens []Token) {
	for _, t := range tokens {
		word := text[t.Start:t.End]
		n := len(word) + 2
		at := func(i int) uint64 {
			if i == 0 || i == n-1 {
				return ' '
			}
			return uint64(lower(word[i-1]))
		}
		for i := 0; i+3 <= n; i++ {
			h := uint64(fnvOffset)
			for k := 0; k < 5 && i+k < n; k++ {
				h = (h ^ at(i+k)) * fnvPrime
				if k >= 2 {
					s.char(h)
				}
			}
		}
	}
}

// addConcepts adds each concept, ordered pairs within eight words, triples within
// twelve, and facts about the form of the text.
func (s *set) addConcepts(text string, tokens []Token) {
	var recent [4]seenConcepts
	n := 0
	for at, t := range tokens {
		if t.Concepts == 0 {
			continue
		}
		for c := t.Concepts; c != 0; c &= c - 1 {
			id := uint64(bits.TrailingZeros64(c)) + 1
			s.concept(id * fnvPrime)
			if t.sentence {
				s.concept(id*fnvPrime + 77)
			}
			s.addPairs(id, at, n, &recent)
		}
		recent[n%4] = seenConcepts{at, t.Concepts}
		n++
	}
	for _, f := range form(text, tokens, n) {
		s.concept(f + 1<<40)
	}
}

// seenConcepts are the concepts of the token at a place.
type seenConcepts struct {
	at int
	c  uint64
}

// addPairs adds the pairs and triples that end with a concept. n tokens before it had
// concepts, of which recent has the last.
func (s *set) addPairs(id uint64, at, n int, recent *[4]seenConcepts) {
	for k := 1; k <= min(n, 3); k++ {
		p := recent[(n-k)%4]
		if at-p.at > 8 {
			break
		}
		far := uint64(0)
		if at-p.at > 2 {
			far = 1
		}
		var third uint64 // the concepts that make triples with this pair
		if k == 1 && n > 1 {
			if q := recent[(n-2)%4]; at-q.at <= 12 {
				third = q.c
			}
		}
		for pc := p.c; pc != 0; pc &= pc - 1 {
			pair := id*fnvPrime + (uint64(bits.TrailingZeros64(pc))+1)*1000003
			s.concept(pair + far*99991)
			for qc := third; qc != 0; qc &= qc - 1 {
				s.concept(pair + (uint64(bits.TrailingZeros64(qc))+1)*15485863)
			}
		}
	}
}

// form describes the form of a text: length, case, punctuation.
func form(text string, tokens []Token, concepts int) [8]uint64 {
	var upper, lower, digits, punct, high, lines int
	for i := range len(text) {
		switch b := text[i]; {
		case b >= 'a' && b <= 'z':
			lower++
		case b >= 'A' && b <= 'Z':
			upper++
		case b >= '0' && b <= '9':
			digits++
		case b >= 0x80:
			high++
		case b == '\n':
			lines++
		case b > ' ':
			punct++
		}
	}
	n := len(text) + 1
	bucket := func(kind uint64, v, of int) uint64 { return kind*1000 + uint64(min(9, 20*v/max(of, 1))) }
	last := byte(0)
	for i := len(text) - 1; i >= 0 && last == 0; i-- {
		if text[i] > ' ' {
			last = text[i]
		}
	}
	return [8]uint64{
		1000 + uint64(bits.Len(uint(len(tokens)))),
		bucket(2, upper, upper+lower), bucket(3, digits, n), bucket(4, punct, n), bucket(5, high, n),
		6000 + uint64(bits.Len(uint(lines))),
		bucket(7, concepts, len(tokens)),
		8000 + uint64(last&0x7F),
	}
}
