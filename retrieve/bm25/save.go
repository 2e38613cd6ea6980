package bm25

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
)

// Errors of [Open].
var (
	// ErrFormat is wrapped by errors for a file that isn't a stored index, is cut off
	// or changed.
	ErrFormat = snapshot.ErrFormat
	// ErrVersion is wrapped by errors for an index that was stored by a later version,
	// or by a machine with another byte order.
	ErrVersion = snapshot.ErrVersion
)

const (
	kind    = "bm25"
	version = 1
)

// The sections of the file. Lists follow one another in the order of the terms.
const (
	headSection   = iota // variant, phrases, k1, b and delta as bits
	idSection            // of the documents
	lengthSection        // of the documents
	termSection          // the bytes of all terms
	endSection           // of each term in it
	sizeSection          // of each list
	docSection           // of all lists
	countSection
	placeCountSection // places of each document of all lists, with phrases
	placeSection
)

// Save writes the index to the file at path, in place of the one that was there. A
// crash leaves the old file or the new one. Changes wait meanwhile.
func (x *Index) Save(path string) error {
	x.mu.RLock()
	for len(x.docs) > len(x.place) { // without removed documents
		x.mu.RUnlock()
		x.mu.Lock()
		x.clean()
		x.mu.Unlock()
		x.mu.RLock()
	}
	defer x.mu.RUnlock()
	head := []int64{int64(x.variant), 0, bits(x.k1), bits(x.b), bits(x.delta)}
	if x.phrases {
		head[1] = 1
	}
	var ids, ends, sizes []int64
	var lengths, counts []float32
	var terms []byte
	var docs, placeCounts, places []uint32
	for i, d := range x.docs {
		ids, lengths = append(ids, int64(d.id)), append(lengths, x.lengths[i])
	}
	for _, t := range slices.Sorted(maps.Keys(x.postings)) {
		l := x.postings[t]
		terms = append(terms, t...)
		ends, sizes = append(ends, int64(len(terms))), append(sizes, int64(len(l.docs)))
		docs, counts, places = append(docs, l.docs...), append(counts, l.counts...), append(places, l.places...)
		for i := range l.starts {
			placeCounts = append(placeCounts, uint32(len(l.placesOf(i))))
		}
	}
	return snapshot.Save(path, kind, version, snapshot.Bytes(head), snapshot.Bytes(ids), snapshot.Bytes(lengths), terms, snapshot.Bytes(ends),
		snapshot.Bytes(sizes), snapshot.Bytes(docs), snapshot.Bytes(counts), snapshot.Bytes(placeCounts), snapshot.Bytes(places))
}

func bits(f float64) int64 { return int64(math.Float64bits(f)) }

// Open returns the index that [Index.Save] wrote, without analyzing its texts again. The
// file is mapped into memory where the system can do that. Options.Variant, K1, B, Delta
// and Phrases are those of the file; Analyze must be the function that the documents
// were added with. Open fails with [ErrFormat], [ErrVersion], [ErrOption], or the error
// of reading the file.
func Open(path string, o *Options) (*Index, error) {
	f, err := snapshot.Open(path, kind, version)
	if err != nil {
		return nil, fmt.Errorf("bm25: %w", err)
	}
	x, err := decode(f, o)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("bm25: open %s: %w", path, err)
	}
	snapshot.Keep(f, x)
	return x, nil
}

func decode(f *snapshot.File, o *Options) (*Index, error) {
	own := Options{}
	if o != nil {
		own = *o
	}
	head, err := snapshot.Numbers[int64](f, headSection, 5)
	if err != nil {
		return nil, err
	}
	if head[0] < 0 || head[0] > int64(Dot) {
		return nil, fmt.Errorf("%w: variant %d", ErrFormat, head[0])
	}
	float := func(i int) Setting { return Fixed(math.Float64frombits(uint64(head[i]))) }
	own.Variant, own.Phrases, own.K1, own.B, own.Delta = Variant(head[0]), head[1] == 1, float(2), float(3), float(4)
	x, err := New(&own)
	if err != nil {
		return nil, err
	}
	if err := x.readDocs(f); err != nil {
		return nil, err
	}
	return x, x.readLists(f)
}

func (x *Index) readDocs(f *snapshot.File) error {
	ids, err := snapshot.All[int64](f, idSection)
	if err != nil {
		return err
	}
	lengths, err := snapshot.Numbers[float32](f, lengthSection, len(ids))
	if err != nil {
		return err
	}
	x.docs, x.lengths = make([]document, len(ids)), lengths
	for i, id := range ids {
		if _, twice := x.place[int(id)]; twice || !(lengths[i] >= 0) || math.IsInf(float64(lengths[i]), 0) {
			return fmt.Errorf("%w: document %d is there twice, or its length is %v", ErrFormat, id, lengths[i])
		}
		x.docs[i] = document{id: int(id)}
		x.place[int(id)] = uint32(i)
		x.total += float64(lengths[i])
	}
	x.bounded = x.formula()
	return nil
}

// A reader takes parts off the front of a section.
type reader[T any] []T

func (r *reader[T]) take(n int64) ([]T, error) {
	if n < 0 || n > int64(len(*r)) {
		return nil, fmt.Errorf("%w: %d numbers of %d", ErrFormat, n, len(*r))
	}
	part := (*r)[:n:n]
	*r = (*r)[n:]
	return part, nil
}

func section[T snapshot.Number](f *snapshot.File, at int, err *error) reader[T] {
	s, e := snapshot.All[T](f, at)
	if e != nil && *err == nil {
		*err = e
	}
	return s
}

func (x *Index) readLists(f *snapshot.File) error {
	var err error
	terms, ends, sizes := section[byte](f, termSection, &err), section[int64](f, endSection, &err), section[int64](f, sizeSection, &err)
	docs, counts := section[uint32](f, docSection, &err), section[float32](f, countSection, &err)
	placeCounts, places := section[uint32](f, placeCountSection, &err), section[uint32](f, placeSection, &err)
	if err != nil {
		return err
	}
	if len(ends) != len(sizes) {
		return fmt.Errorf("%w: %d terms and %d lists", ErrFormat, len(ends), len(sizes))
	}
	begin := int64(0)
	for i, end := range ends {
		name, err := terms.take(end - begin)
		if err != nil {
			return err
		}
		begin = end
		l := &postings{term: string(name), live: int(sizes[i])}
		if l.docs, err = docs.take(sizes[i]); err != nil {
			return err
		}
		if l.counts, err = counts.take(sizes[i]); err != nil {
			return err
		}
		if x.phrases {
			n, err := placeCounts.take(sizes[i])
			if err != nil {
				return err
			}
			total := int64(0)
			for _, c := range n {
				l.starts = append(l.starts, int(total))
				total += int64(c)
			}
			if l.places, err = places.take(total); err != nil {
				return err
			}
		}
		if err := x.take(l); err != nil {
			return err
		}
	}
	if len(terms)+len(docs)+len(counts)+len(placeCounts)+len(places) > 0 {
		return fmt.Errorf("%w: numbers that belong to no term", ErrFormat)
	}
	return nil
}

// take adds a list that was read.
func (x *Index) take(l *postings) error {
	if len(l.docs) == 0 || x.postings[l.term] != nil {
		return fmt.Errorf("%w: the term %q is there twice, or in no document", ErrFormat, l.term)
	}
	for i, doc := range l.docs {
		if i > 0 && doc <= l.docs[i-1] || int(doc) >= len(x.docs) || !(l.counts[i] > 0) || math.IsInf(float64(l.counts[i]), 0) {
			return fmt.Errorf("%w: the term %q is %v times in document %d of %d", ErrFormat, l.term, l.counts[i], doc, len(x.docs))
		}
		x.docs[doc].terms = append(x.docs[doc].terms, l)
	}
	l.bounds = make([]float64, (len(l.docs)+blockSize-1)/blockSize)
	l.bound(&x.bounded)
	x.postings[l.term] = l
	return nil
}
