package token

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Merges is a byte-pair encoding as a list of merges. GPT-2's vocabulary and Hugging
// Face's tokenizer.json have this form.
type Merges struct {
	// Vocab is the id of each token by its bytes.
	Vocab map[string]int

	// Atoms are the tokens that merging starts from. Default: the 256 bytes. With other
	// atoms, for instance characters, the encoding is only good for texts that consist
	// of atoms.
	Atoms []string

	// List has the bytes of the two parts of each merge, in the order of the merges'
	// priority.
	List [][2]string

	// Whole makes a piece that is a token as a whole that token, even if no merges
	// lead to it ("ignore_merges" in tokenizer.json). Default: false.
	Whole bool
}

// Ranks returns the ranks that encode as the merges do. A merge can happen if the
// merges before it leave its two parts of the token's bytes. A token has the rank of
// the first merge that makes it and that can happen. A merge that can't happen has
// no effect and is left out. A token that no merge makes is left out too, unless Whole
// is set.
//
// Ranks fails with a [*VocabularyError] if a merge comes before the merges that make
// its parts. Such a list has no ranks, and no training makes one.
func (m *Merges) Ranks() (*Ranks, error) {
	r := &Ranks{start: make([]uint32, 1, len(m.Vocab)+1), rankOf: make(map[int]int, len(m.Vocab)), atoms: len(m.Atoms)}
	b := &rankBuilder{r: r, v: &vocab{Ranks: r}, rankOf: make(map[string]uint32, len(m.Vocab))}
	b.v.makePairs(len(m.Vocab))
	if err := b.addAtoms(m); err != nil {
		return nil, err
	}
	if err := b.addMerges(m); err != nil {
		return nil, err
	}
	if m.Whole {
		for _, t := range sortedByID(m.Vocab) {
			if _, ok := b.rankOf[t]; !ok && t != "" {
				if err := b.add(t, m.Vocab[t]); err != nil {
					return nil, err
				}
			}
		}
	}
	r.blob = string(b.blob)
	return r, nil
}

// A rankBuilder gives ranks to tokens, one after the other.
type rankBuilder struct {
	r      *Ranks
	v      *vocab
	blob   []byte
	rankOf map[string]uint32
}

func (b *rankBuilder) add(t string, id int) error {
	if id < 0 || id >= maxTokens {
		return &VocabularyError{id, fmt.Sprintf("(%q): ids go from 0 to %d", t, maxTokens-1)}
	}
	if other, ok := b.r.rankOf[id]; ok {
		return &VocabularyError{id, fmt.Sprintf("is %q and also %q", b.blob[b.r.start[other]:b.r.start[other+1]], t)}
	}
	rank := uint32(len(b.r.ids))
	b.rankOf[t] = rank
	b.r.rankOf[id] = int(rank)
	b.r.ids = append(b.r.ids, id)
	b.r.split = append(b.r.split, [2]uint32{rank, rank})
	b.blob = append(b.blob, t...)
	b.r.start = append(b.r.start, uint32(len(b.blob)))
	return nil
}

func (b *rankBuilder) addAtoms(m *Merges) error {
	atoms := m.Atoms
	if atoms == nil {
		for c := range 256 {
			atoms = append(atoms, string([]byte{byte(c)}))
		}
	}
	for _, t := range atoms {
		id, ok := m.Vocab[t]
		if !ok {
			return &VocabularyError{-1, fmt.Sprintf("there is no token for %q", t)}
		}
		if err := b.add(t, id); err != nil {
			return err
		}
	}
	return nil
}

func (b *rankBuilder) addMerges(m *Merges) error {
	early := map[string][]int{} // for each part: the merges that need it and come before it is made
	for i, pair := range m.List {
		t := pair[0] + pair[1]
		id, ok := m.Vocab[t]
		if !ok {
			return &VocabularyError{-1, fmt.Sprintf("merge %d makes %q, which is not a token", i, t)}
		}
		left, okLeft := b.rankOf[pair[0]]
		right, okRight := b.rankOf[pair[1]]
		for k, ok := range []bool{okLeft, okRight} {
			if !ok {
				early[pair[k]] = append(early[pair[k]], i)
			}
		}
		if _, made := b.rankOf[t]; made || !okLeft || !okRight || !b.v.valid(left, right) {
			continue
		}
		if err := b.add(t, id); err != nil {
			return err
		}
		rank := b.rankOf[t]
		b.r.split[rank] = [2]uint32{left, right}
		b.v.addPair(rank)
		for _, k := range early[t] {
			// Merge k could happen now. It never will if its token is made already.
			other := m.List[k]
			_, left := b.rankOf[other[0]]
			_, right := b.rankOf[other[1]]
			if _, made := b.rankOf[other[0]+other[1]]; left && right && !made {
				return &VocabularyError{id, fmt.Sprintf("(%q) is needed for merge %d and made only in merge %d", t, k, i)}
			}
		}
	}
	return nil
}

func sortedByID(vocab map[string]int) []string {
	tokens := slices.Collect(maps.Keys(vocab))
	slices.SortFunc(tokens, func(a, b string) int { return cmp.Compare(vocab[a], vocab[b]) })
	return tokens
}
