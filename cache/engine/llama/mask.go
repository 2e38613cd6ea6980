package llama

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Lexicon is a vocabulary in the order that a grammar needs. It may be shared by
// goroutines; one serves all grammars of a model.
type Lexicon struct {
	tok     *Tokenizer
	plain   trie // tokens that may stand inside a JSON string as they are
	other   trie
	longest int // bytes of the longest token
	bytes   [256]bool
}

// A trie is tokens sorted by their bytes, with the length of the common prefix of each
// and the one before.
type trie struct {
	ids    []int32
	texts  []string
	common []int
}

// NewLexicon sorts a vocabulary.
func NewLexicon(tok *Tokenizer) (*Lexicon, error) {
	if tok == nil {
		return nil, fmt.Errorf("%w: no tokenizer", ErrOption)
	}
	l := &Lexicon{tok: tok}
	var plain, other []int32
	for id := range tok.tokens {
		text := tok.Bytes(int32(id))
		if text == "" || tok.ends[int32(id)] {
			continue
		}
		l.longest = max(l.longest, len(text))
		if len(text) == 1 {
			l.bytes[text[0]] = true
		}
		if isPlain(text) {
			plain = append(plain, int32(id))
		} else {
			other = append(other, int32(id))
		}
	}
	for b := 0x20; b < 0xc0; b++ { // a grammar needs these to complete a text
		if b != 0x7f && !l.bytes[b] {
			return nil, fmt.Errorf("%w: no token for the byte %#x", ErrModel, b)
		}
	}
	l.plain, l.other = newTrie(tok, plain), newTrie(tok, other)
	return l, nil
}

// isPlain reports whether a text is whole characters that need no escape in JSON.
func isPlain(text string) bool {
	for _, r := range text {
		if r == '"' || r == '\\' || r < 0x20 || r == '\ufffd' {
			return false
		}
	}
	return true
}

func newTrie(tok *Tokenizer, ids []int32) trie {
	slices.SortStableFunc(ids, func(a, b int32) int { return cmp.Compare(tok.Bytes(a), tok.Bytes(b)) })
	t := trie{ids: ids, texts: make([]string, len(ids)), common: make([]int, len(ids))}
	for i, id := range ids {
		t.texts[i] = tok.Bytes(id)
		if i > 0 {
			a, b := t.texts[i-1], t.texts[i]
			for t.common[i] < min(len(a), len(b)) && a[t.common[i]] == b[t.common[i]] {
				t.common[i]++
			}
		}
	}
	return t
}

// walk sets the bits of the tokens that a state allows. Tokens with a prefix that is not
// allowed are passed over.
func (t *trie) walk(begin state, set []uint64) {
	states := []state{begin} // after each byte of the current token
	for i := 0; i < len(t.ids); {
		text := t.texts[i]
		depth := min(len(states)-1, t.common[i])
		if i == 0 {
			depth = 0
		}
		states = states[:depth+1]
		for depth < len(text) {
			next := states[depth].step(text[depth])
			if len(next) == 0 {
				break
			}
			states = append(states, next)
			depth++
		}
		if depth == len(text) {
			set[t.ids[i]/64] |= 1 << (t.ids[i] % 64)
			i++
			continue
		}
		for i++; i < len(t.ids) && t.common[i] > depth; i++ {
		}
	}
}

// A Matcher follows one text along a grammar and says which tokens may come next. One
// goroutine uses it at a time.
type Matcher struct {
	grammar *Grammar
	lex     *Lexicon
	now     state
	masks   map[string][]uint64
}

// NewMatcher returns a matcher at the begin of a text.
func NewMatcher(g *Grammar, l *Lexicon) (*Matcher, error) {
	if g == nil || l == nil {
		return nil, fmt.Errorf("%w: no grammar, or no lexicon", ErrOption)
	}
	return &Matcher{grammar: g, lex: l, now: g.begin(), masks: map[string][]uint64{}}, nil
}

// Reset begins a new text. The masks that were computed are kept.
func (m *Matcher) Reset() { m.now = m.grammar.begin() }

// Complete reports whether the text so far is whole.
func (m *Matcher) Complete() bool { return m.now.complete() }

// Shortest returns how many tokens, at most, the text needs to be whole.
func (m *Matcher) Shortest() int {
	n, _ := m.now.shortest()
	return n
}

// Allows reports whether a token may come next when left tokens may still come, that one
// included: the grammar must allow it, and what remains must suffice to complete the
// text.
func (m *Matcher) Allows(token int32, left int) bool {
	allowed, fits := m.allows(token, left)
	return allowed && fits
}

// allows reports apart whether the grammar allows a token and whether left suffices.
func (m *Matcher) allows(token int32, left int) (allowed, fits bool) {
	if m.lex.tok.IsEnd(token) {
		return m.now.complete(), true
	}
	text := m.lex.tok.Bytes(token)
	if text == "" {
		return false, true
	}
	next := m.now.steps(text)
	least, _ := next.shortest()
	return len(next) > 0, least <= left-1
}

// Accept takes a token. It reports false when the text is complete and can't go on.
func (m *Matcher) Accept(token int32) (more bool) {
	m.now = m.now.steps(m.lex.tok.Bytes(token))
	return slices.ContainsFunc(m.now, func(f *frame) bool { return f != nil })
}

// Restrict sets the logits of tokens that the grammar does not allow to minus infinity.
func (m *Matcher) Restrict(logits []float32) {
	mask := m.mask()
	off := float32(math.Inf(-1))
	for i := range logits {
		if mask[i/64]>>(i%64)&1 == 0 {
			logits[i] = off
		}
	}
}

// Force leaves only the tokens that begin the shortest text that completes this one.
func (m *Matcher) Force(logits []float32) {
	ending := m.now.ending()
	off := float32(math.Inf(-1))
	for i := range logits {
		text := m.lex.tok.Bytes(int32(i))
		if ending == "" && m.lex.tok.IsEnd(int32(i)) || text != "" && strings.HasPrefix(ending, text) && !m.lex.tok.IsEnd(int32(i)) {
			continue
		}
		logits[i] = off
	}
}

// mask returns a bit for each token. Masks are kept, since a text returns to the same
// state often: inside a string, at each token.
func (m *Matcher) mask() []uint64 {
	key := m.now.key(m.lex.longest)
	if mask, ok := m.masks[key]; ok {
		return mask
	}
	mask := make([]uint64, (len(m.lex.tok.tokens)+63)/64)
	if m.openText() { // every plain token may come, whatever the other readings allow
		for _, id := range m.lex.plain.ids {
			mask[id/64] |= 1 << (id % 64)
		}
	} else {
		m.lex.plain.walk(m.now, mask)
	}
	m.lex.other.walk(m.now, mask)
	if m.now.complete() {
		for id := range m.lex.tok.ends {
			mask[id/64] |= 1 << (id % 64)
		}
	}
	m.masks[key] = mask
	return mask
}

// openText reports whether a reading is inside a string with room for any token.
func (m *Matcher) openText() bool {
	for _, f := range m.now {
		if f != nil && f.t.kind == termText && f.a == textPlain && (f.t.max < 0 || f.t.max-f.b >= m.lex.longest) {
			return true
		}
	}
	return false
}
