package token

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Merges is a byte-pair encoding as a list of merges, the form in which GPT-2's
// vocabulary and Hugging Face's tokenizer.json have it.
type Merges struct {
	// Vocab gives the id of each token by its bytes.
	Vocab map[string]int

	// Atoms are the tokens that merging starts from. Default: the 256 bytes. If
	// they are others, characters for instance, the encoding is only good for
	// texts made of them.
	Atoms []string

	// List are the merges in the order of their priority: the bytes of the two
	// parts.
	List [][2]string

	// Whole lets a piece that is a token as a whole be that token even if the
	// merges don't lead there ("ignore_merges").
	Whole bool
}

// Ranks returns the ranks that encode as the merges do. A token has the rank of
// the first merge that makes it and that can happen: whose two parts are what
// the merges before leave of the token's bytes. A merge of which this is never
// so has no effect and is left out, so are tokens that no merge makes, unless
// Whole.
//
// It fails with a [*VocabularyError] if a merge comes before those that make
// its parts, which no training does: such merges have no ranks.
func (m *Merges) Ranks() (*Ranks, error) {
	r := &Ranks{start: make([]uint32, 1, len(m.Vocab)+1), rankOf: make(map[int]int, len(m.Vocab))}
	v := &vocab{Ranks: r}
	v.makePairs(len(m.Vocab))
	var blob []byte
	rankOf := make(map[string]uint32, len(m.Vocab))
	add := func(t string, id int) error {
		if id < 0 || id >= maxTokens {
			return &VocabularyError{id, fmt.Sprintf("(%q): ids go from 0 to %d", t, maxTokens-1)}
		}
		if other, ok := r.rankOf[id]; ok {
			return &VocabularyError{id, fmt.Sprintf("is %q and also %q", blob[r.start[other]:r.start[other+1]], t)}
		}
		rank := uint32(len(r.ids))
		rankOf[t] = rank
		r.rankOf[id] = int(rank)
		r.ids = append(r.ids, id)
		r.split = append(r.split, [2]uint32{rank, rank})
		blob = append(blob, t...)
		r.start = append(r.start, uint32(len(blob)))
		return nil
	}
	atoms := m.Atoms
	r.atoms = len(atoms)
	if atoms == nil {
		for b := range 256 {
			atoms = append(atoms, string([]byte{byte(b)}))
		}
	}
	for _, t := range atoms {
		id, ok := m.Vocab[t]
		if !ok {
			return nil, &VocabularyError{-1, fmt.Sprintf("there is no token for %q", t)}
		}
		if err := add(t, id); err != nil {
			return nil, err
		}
	}
	early := map[string][]int{} // by part: the merges before the one that makes it
	for i, pair := range m.List {
		t := pair[0] + pair[1]
		id, ok := m.Vocab[t]
		if !ok {
			return nil, &VocabularyError{-1, fmt.Sprintf("merge %d makes %q, which is no token", i, t)}
		}
		left, okLeft := rankOf[pair[0]]
		right, okRight := rankOf[pair[1]]
		for k, ok := range []bool{okLeft, okRight} {
			if !ok {
				early[pair[k]] = append(early[pair[k]], i)
			}
		}
		if _, made := rankOf[t]; made || !okLeft || !okRight || !v.valid(left, right) {
			continue
		}
		if err := add(t, id); err != nil {
			return nil, err
		}
		rank := rankOf[t]
		r.split[rank] = [2]uint32{left, right}
		v.addPair(rank)
		for _, k := range early[t] {
			// Now it could happen. It never will if its token is made before.
			other := m.List[k]
			_, left := rankOf[other[0]]
			_, right := rankOf[other[1]]
			if _, made := rankOf[other[0]+other[1]]; left && right && !made {
				return nil, &VocabularyError{id, fmt.Sprintf("(%q) is needed for merge %d and made only in merge %d", t, k, i)}
			}
		}
	}
	if m.Whole {
		for _, t := range sortedByID(m.Vocab) {
			if _, ok := rankOf[t]; !ok && t != "" {
				if err := add(t, m.Vocab[t]); err != nil {
					return nil, err
				}
			}
		}
	}
	r.blob = string(blob)
	return r, nil
}

func sortedByID(vocab map[string]int) []string {
	tokens := slices.Collect(maps.Keys(vocab))
	slices.SortFunc(tokens, func(a, b string) int { return cmp.Compare(vocab[a], vocab[b]) })
	return tokens
}
