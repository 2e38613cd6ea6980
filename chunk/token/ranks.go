package token

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// maxTokens is the limit of the ids of a vocabulary. Three ids fit into a word.
const maxTokens = 1 << 21

// Ranks is the vocabulary of a byte-pair encoding: the bytes of every token by its id.
// The id is also the rank: of two possible merges, the one that makes the token of the
// lower id is done first. There may be gaps between the ids.
type Ranks struct {
	blob  string
	start []uint32 // token i is blob[start[i]:start[i+1]], empty in a gap

	// split[i] is the pair of tokens whose merge makes token i, or i twice if no merge
	// makes it. split is nil if the pairs are not known yet.
	split [][2]uint32

	// ids[i] is the id of the token of rank i, and rankOf[id] is the rank of an id, for
	// a vocabulary that numbers its tokens in another order than it merges them. Both
	// are nil if the ids are the ranks.
	ids    []int
	rankOf map[int]int

	// No merge makes the tokens of ranks below atoms. atoms is 0 if merging starts from
	// the single bytes.
	atoms int
}

// Len returns the number of ranks with the gaps. It is one more than the highest id,
// unless the ids are not the ranks (see [Merges]).
func (r *Ranks) Len() int { return len(r.start) - 1 }

// Token returns the bytes of a token, or "" if there is no such id.
func (r *Ranks) Token(id int) string {
	if r.ids != nil {
		rank, ok := r.rankOf[id]
		if !ok {
			return ""
		}
		id = rank
	}
	return r.ranked(id)
}

// ranked returns the bytes of the token of a rank, or "".
func (r *Ranks) ranked(rank int) string {
	if rank < 0 || rank >= r.Len() {
		return ""
	}
	return r.blob[r.start[rank]:r.start[rank+1]]
}

// atom reports whether merging starts from this token.
func (r *Ranks) atom(rank int) bool { return rank < r.atoms || len(r.ranked(rank)) == 1 }

// id returns the id of the token of a rank.
func (r *Ranks) id(rank int) int {
	if r.ids != nil {
		return r.ids[rank]
	}
	return rank
}

// RanksOf makes Ranks of a map from the bytes of each token to its id. Tiktoken and its
// ports use such maps.
func RanksOf(tokens map[string]int) (*Ranks, error) {
	highest, size := -1, 0
	for t, id := range tokens {
		if id < 0 || id >= maxTokens {
			return nil, fmt.Errorf("token: the id of %q is %d, want 0 to %d", t, id, maxTokens-1)
		}
		if t == "" {
			return nil, fmt.Errorf("token: token %d is empty", id)
		}
		highest = max(highest, id)
		size += len(t)
	}
	byID := make([]string, highest+1)
	for t, id := range tokens {
		if byID[id] != "" {
			return nil, fmt.Errorf("token: %q and %q both have the id %d", byID[id], t, id)
		}
		byID[id] = t
	}
	return ranksByID(byID, size), nil
}

func ranksByID(byID []string, size int) *Ranks {
	blob := make([]byte, 0, size)
	r := &Ranks{start: make([]uint32, 1, len(byID)+1)}
	for _, t := range byID {
		blob = append(blob, t...)
		r.start = append(r.start, uint32(len(blob)))
	}
	r.blob = string(blob)
	return r
}

// A Loader returns the ranks of a .tiktoken file by its URL. It is the interface
// BpeLoader of tiktoken-go. Package tiktoken and tiktoken-go-loader have one.
type Loader interface {
	LoadTiktokenBpe(file string) (map[string]int, error)
}

// LoadRanks makes Ranks of what a loader of tiktoken-go returns for a file. It fails
// with the error of the loader, or with [ErrOption] if l is nil.
func LoadRanks(l Loader, file string) (*Ranks, error) {
	if l == nil {
		return nil, fmt.Errorf("%w: the loader of LoadRanks is nil", ErrOption)
	}
	tokens, err := l.LoadTiktokenBpe(file)
	if err != nil {
		return nil, fmt.Errorf("token: load %s: %w", file, err)
	}
	return RanksOf(tokens)
}

// ReadRanks reads a .tiktoken file. Each line has a token in base 64, a space and the
// id.
func ReadRanks(rd io.Reader) (*Ranks, error) {
	if rd == nil {
		return nil, fmt.Errorf("%w: the reader of ReadRanks is nil", ErrOption)
	}
	tokens := map[string]int{}
	sc := bufio.NewScanner(rd)
	for line := 1; sc.Scan(); line++ {
		text, id, ok := bytes.Cut(sc.Bytes(), []byte(" "))
		if len(sc.Bytes()) == 0 {
			continue
		}
		raw, err := base64.StdEncoding.AppendDecode(nil, text)
		n, errID := strconv.Atoi(string(id))
		if !ok || err != nil || errID != nil {
			return nil, fmt.Errorf("token: line %d of the ranks: %.40q is not a token in base 64 and an id", line, sc.Bytes())
		}
		if _, twice := tokens[string(raw)]; twice {
			return nil, fmt.Errorf("token: line %d of the ranks: token %q is there twice", line, raw)
		}
		tokens[string(raw)] = n
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("token: read the ranks: %w", err)
	}
	return RanksOf(tokens)
}

// WriteTo writes r as a .tiktoken file. For the ranks of OpenAI it writes the bytes of
// the published files, so a checksum can prove that the ranks are right.
func (r *Ranks) WriteTo(w io.Writer) (int64, error) {
	var line []byte
	var total int64
	for rank := range r.Len() {
		t := r.ranked(rank)
		if t == "" {
			continue
		}
		line = base64.StdEncoding.AppendEncode(line[:0], []byte(t))
		line = append(line, ' ')
		line = strconv.AppendInt(line, int64(r.id(rank)), 10)
		line = append(line, '\n')
		n, err := w.Write(line)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// The packed form has for each token the two tokens that are merged to make it, such
// as "t" and "he" for "the". From that all else follows. It has three columns of bytes
// for the left parts and three for the right ones. Deflated, they need a fifth of
// the size of the .tiktoken file. A program that reads them need not search for the merges.
const packedMagic = "prodai ranks 1\n"

// MarshalBinary returns r in the compact form that [UnmarshalRanks] reads.
func (r *Ranks) MarshalBinary() ([]byte, error) {
	if r.ids != nil {
		return nil, fmt.Errorf("token: ranks with ids of their own have no compact form")
	}
	v, err := newVocab(r)
	if err != nil {
		return nil, err
	}
	if n := v.whole; n > 0 {
		return nil, fmt.Errorf("token: %d tokens are not made by merging two others", n)
	}
	n := r.Len()
	cols := make([]byte, 6*n)
	for id, pair := range v.split {
		switch t := r.Token(id); len(t) {
		case 0: // a gap refers to itself
			pair = [2]uint32{uint32(id), uint32(id)}
		case 1: // a byte refers to the next id, which nothing made of two parts can
			pair = [2]uint32{uint32(id) + 1, uint32(t[0])}
		}
		for i, part := range pair {
			for b := range 3 {
				cols[(3*i+b)*n+id] = byte(part >> (8 * b))
			}
		}
	}
	out := bytes.NewBufferString(packedMagic)
	out.Write(binary.AppendUvarint(nil, uint64(n)))
	out.Write(binary.AppendUvarint(nil, uint64(len(r.blob))))
	zw, err := flate.NewWriter(out, flate.BestCompression)
	if err == nil {
		_, err = zw.Write(cols)
	}
	if err == nil {
		err = zw.Close()
	}
	return out.Bytes(), err
}

// UnmarshalRanks reads the form that [Ranks.MarshalBinary] returns.
func UnmarshalRanks(data []byte) (*Ranks, error) {
	rest, ok := bytes.CutPrefix(data, []byte(packedMagic))
	if !ok {
		return nil, fmt.Errorf("token: these are not packed ranks")
	}
	n, k := binary.Uvarint(rest)
	size, k2 := binary.Uvarint(rest[max(k, 0):])
	if k <= 0 || k2 <= 0 || n > maxTokens || size > 1<<28 {
		return nil, fmt.Errorf("token: packed ranks: damaged header")
	}
	cols := make([]byte, 6*n)
	if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(rest[k+k2:])), cols); err != nil {
		return nil, fmt.Errorf("token: packed ranks: %w", err)
	}
	r := &Ranks{start: make([]uint32, n+1), split: make([][2]uint32, n)}
	blob := make([]byte, 0, size)
	part := func(col, id int) uint32 {
		at := 3*col*int(n) + id
		return uint32(cols[at]) | uint32(cols[at+int(n)])<<8 | uint32(cols[at+2*int(n)])<<16
	}
	for id := range int(n) {
		left, right := part(0, id), part(1, id)
		switch self := uint32(id); {
		case left == self && right == self:
			r.split[id] = [2]uint32{self, self}
		case left == self+1 && right < 256:
			blob = append(blob, byte(right))
			r.split[id] = [2]uint32{self, self}
		case left < self && right < self && r.start[left] != r.start[left+1] && r.start[right] != r.start[right+1]:
			blob = append(blob, blob[r.start[left]:r.start[left+1]]...)
			blob = append(blob, blob[r.start[right]:r.start[right+1]]...)
			r.split[id] = [2]uint32{left, right}
		default:
			return nil, fmt.Errorf("token: packed ranks: token %d is made of %d and %d", id, left, right)
		}
		if uint64(len(blob)) > size {
			return nil, fmt.Errorf("token: packed ranks: longer than announced")
		}
		r.start[id+1] = uint32(len(blob))
	}
	r.blob = string(blob)
	return r, nil
}
