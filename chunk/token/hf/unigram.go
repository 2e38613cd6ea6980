package hf

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/internal/datrie"
)

// unigram finds the pieces whose probabilities have the greatest product.
// (Kudo, "Subword Regularization", ACL 2018, section 3.2.)
type unigram struct {
	pieces  []string
	scores  []float64
	trie    *datrie.Trie
	ids     map[string]int
	unknown unknown
	penalty float64 // the score of an unknown character
	scheme  string  // Metaspace's prepend_scheme; "" without Metaspace
	words   bool    // white space is dropped first
	split   bool
}

func newUnigram(f *file) (*unigram, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(f.Model.Vocab, &entries); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: vocab: %w", err)
	}
	u := &unigram{ids: make(map[string]int, len(entries)), penalty: math.Inf(1)}
	for i, raw := range entries {
		var piece string
		var score float64
		entry := []any{&piece, &score}
		if err := json.Unmarshal(raw, &entry); err != nil {
			return nil, fmt.Errorf("hf: tokenizer.json: piece %d: %w", i, err)
		}
		if len(entry) != 2 || entry[0] == nil || entry[1] == nil {
			return nil, fmt.Errorf("hf: tokenizer.json: piece %d: %s is not a text and a score", i, raw)
		}
		u.pieces = append(u.pieces, piece)
		u.scores = append(u.scores, score)
		u.ids[piece] = i
		u.penalty = min(u.penalty, score)
	}
	const unknownPenalty = 10 // below the least likely piece, as in SentencePiece
	u.penalty -= unknownPenalty
	var err error
	if u.unknown, err = newUnknown(&f.Model, u.ids); err != nil {
		return nil, err
	}
	if u.unknown.id < 0 || u.unknown.id >= len(u.pieces) {
		return nil, &UnsupportedError{"model", "Unigram without an unknown piece"}
	}
	u.unknown.fuse = true
	if u.scheme, u.words, u.split, err = metaspace(f.PreTokenizer); err != nil {
		return nil, err
	}
	u.trie, err = datrie.New(len(u.pieces), func(i int) string { return u.pieces[i] })
	return u, err
}

// metaspace reads the pre-tokenizers that go with Unigram: Metaspace, or
// WhitespaceSplit and Metaspace.
func metaspace(raw json.RawMessage) (scheme string, words, split bool, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", false, false, nil
	}
	type step struct {
		Type        string  `json:"type"`
		Replacement string  `json:"replacement"`
		Scheme      *string `json:"prepend_scheme"`
		AddPrefix   *bool   `json:"add_prefix_space"`
		Split       *bool   `json:"split"`
		Steps       []step  `json:"pretokenizers"`
	}
	var p step
	if err := json.Unmarshal(raw, &p); err != nil {
		return "", false, false, fmt.Errorf("hf: tokenizer.json: pre_tokenizer: %w", err)
	}
	if p.Type == "Sequence" && len(p.Steps) == 2 && p.Steps[0].Type == "WhitespaceSplit" {
		words = true
		p = p.Steps[1]
	}
	switch {
	case p.Scheme != nil:
		scheme = *p.Scheme
	case p.AddPrefix != nil && !*p.AddPrefix: // the older form
		scheme = "never"
	default:
		scheme = "always"
	}
	if p.Type != "Metaspace" || p.Replacement != mark || scheme != "always" && scheme != "first" && scheme != "never" || words && scheme == "first" {
		return "", false, false, &UnsupportedError{"pre_tokenizer", fmt.Sprintf("the type %q, or its settings,", p.Type)}
	}
	return scheme, words, p.Split == nil || *p.Split, nil
}

func (u *unigram) append(dst []int, text string, first bool) []int {
	if u.scheme == "" {
		return u.best(dst, text)
	}
	if !u.words {
		return u.marked(dst, text, first)
	}
	for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
		dst = u.marked(dst, word, false)
	}
	return dst
}

// marked encodes text with marks for its spaces.
func (u *unigram) marked(dst []int, text string, first bool) []int {
	text = strings.ReplaceAll(text, " ", mark)
	if (u.scheme == "always" || u.scheme == "first" && first) && !strings.HasPrefix(text, mark) {
		text = mark + text
	}
	for u.split && text != "" { // each mark begins a piece
		end := strings.Index(text[1:], mark) + 1
		if end == 0 {
			break
		}
		dst = u.best(dst, text[:end])
		text = text[end:]
	}
	return u.best(dst, text)
}

// best is Viterbi's algorithm: the best way to each position is the best over
// the pieces that end there.
func (u *unigram) best(dst []int, text string) []int {
	type step struct {
		score float64
		from  int // -1: not reached
		piece int
	}
	way := make([]step, len(text)+1)
	for i := range way {
		way[i].from = -1
	}
	reach := func(end int, s step) {
		if w := &way[end]; w.from < 0 || s.score > w.score {
			*w = s
		}
	}
	for at := 0; at < len(text); {
		_, size := utf8.DecodeRuneInString(text[at:])
		single := false
		p, _ := u.trie.Longest(text[at:])
		for ; p >= 0; p = u.trie.Prefix(p) {
			n := len(u.pieces[p])
			single = single || n == size
			reach(at+n, step{way[at].score + u.scores[p], at, p})
		}
		if !single {
			reach(at+size, step{way[at].score + u.penalty, at, u.unknown.id})
		}
		at += size
	}
	start := len(dst)
	for end := len(text); end > 0; {
		from, piece := way[end].from, way[end].piece
		if piece != u.unknown.id {
			dst = append(dst, piece)
			end = from
			continue
		}
		for from > 0 && way[from].piece == u.unknown.id { // one run of unknown characters
			from = way[from].from
		}
		run := text[from:end]
		if id, ok := u.ids[run]; ok {
			dst = append(dst, id)
		} else {
			k := len(dst)
			dst = u.unknown.append(dst, run)
			slices.Reverse(dst[k:]) // all is turned round in the end
		}
		end = from
	}
	slices.Reverse(dst[start:])
	return dst
}

func (u *unigram) text(id int) (string, bool) {
	if id < 0 || id >= len(u.pieces) {
		return "", false
	}
	return pieceText(u.pieces[id]), true
}
