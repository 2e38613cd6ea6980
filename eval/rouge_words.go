package eval

import (
	"strings"
	"unicode/utf8"
)

// A rougeWords gives words ids that stay between segments, so that a word is
// stemmed once and not at every occurrence.
type rougeWords struct {
	vocab vocab
	stem  []uint32 // of word id: the id of its stem, 0 if it isn't known yet
	buf   []byte
}

// begin starts a segment. Without stems the table is emptied, because a small table
// is faster than a large one. With stems the ids are dropped when the table has
// grown large, so that memory is bounded in a long run over many languages.
func (w *rougeWords) begin(stem bool) {
	if !stem || len(w.vocab.ends) > 1<<15 || len(w.vocab.bytes) > 1<<20 || w.vocab.gen == 0 {
		w.vocab.reset()
		w.stem = w.stem[:0]
	}
}

// cut is rouge-score's tokenizer: runs of ASCII letters and digits of the text
// in lower case.
func (w *rougeWords) cut(dst []uint32, text string, stem bool) []uint32 {
	begin := len(dst)
	for i := 0; i < len(text); {
		c := text[i]
		if rougeByte[c] == 0 {
			if c >= utf8.RuneSelf && (strings.HasPrefix(text[i:], kelvin) || strings.HasPrefix(text[i:], "İ")) {
				return w.cutRunes(dst[:begin], text, stem)
			}
			i++
			continue
		}
		start := i
		for i < len(text) && rougeByte[text[i]] != 0 {
			i++
		}
		n := i - start
		if stem && n > 3 || n > 15 || start+16 > len(text) {
			buf := w.buf[:0]
			for _, c := range []byte(text[start:i]) {
				buf = append(buf, rougeByte[c])
			}
			dst = append(dst, w.word(buf, stem))
			w.buf = buf
			continue
		}
		// Eight bytes at a time: the bit 0x20 makes a capital small, and every
		// other byte of the run has it already.
		lo := load(text[start:]) | 0x2020202020202020
		hi := uint64(0)
		if n < 8 {
			lo &= 1<<(8*n) - 1
		} else {
			hi = (load(text[start+8:]) | 0x2020202020202020) & (1<<(8*(n-8)) - 1)
		}
		dst = append(dst, w.vocab.short(lo, hi|uint64(n)<<56, true))
	}
	return dst
}

// load reads eight bytes; the compiler makes one instruction of it.
func load(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// kelvin is U+212A. It and İ are the only runes above ASCII whose lower case
// begins with an ASCII letter.
const kelvin = "\u212a"

// cutRunes is cut for the texts that have one of those two runes.
func (w *rougeWords) cutRunes(dst []uint32, text string, stem bool) []uint32 {
	text = strings.ReplaceAll(text, kelvin, "k")
	text = strings.ReplaceAll(text, "İ", "i ") // i and a combining dot, which ends a word
	return w.cut(dst, text, stem)
}

var rougeByte = func() (table [256]byte) {
	for c := range table {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z':
			table[c] = byte(c)
		case 'A' <= c && c <= 'Z':
			table[c] = byte(c) + 'a' - 'A'
		}
	}
	return table
}()

// word returns the id of a word, or of its stem if it has more than 3 letters.
func (w *rougeWords) word(word []byte, stem bool) uint32 {
	id := w.vocab.id(word, true)
	if !stem || len(word) <= 3 {
		return id
	}
	for len(w.stem) < int(id) {
		w.stem = append(w.stem, 0)
	}
	if w.stem[id-1] == 0 {
		w.stem[id-1] = w.vocab.id([]byte(PorterStem(string(word), PorterNLTK)), true)
	}
	return w.stem[id-1]
}
