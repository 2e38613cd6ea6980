package hf

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
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
	space   metaspace
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
	if u.space, err = newMetaspace(f.PreTokenizer); err != nil {
		return nil, err
	}
	u.trie, err = datrie.New(len(u.pieces), func(i int) string { return u.pieces[i] })
	return u, err
}

func (u *unigram) append(dst []int, text string, first bool) []int {
	for piece := range u.space.pieces(text, first) {
		dst = u.best(dst, piece)
	}
	return dst
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
			slices.Reverse(dst[k:]) // the pieces were found from the end
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
