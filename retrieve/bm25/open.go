package bm25

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/prodailabs/prodai/retrieve/internal/snapshot"
)

// Open returns the index that [Index.Save] wrote, without analyzing its texts again. The
// file is mapped into memory where the system can do that: a list is read from the disk
// when a query has its term, and copied when a document is added to it. Options.Variant,
// K1, B, Delta and Phrases are those of the file; Analyze must be the function that the
// documents were added with, see [Index.Matches]. Boosts are those of the file too, unless
// a version of this package wrote it that didn't store them. Open fails with [ErrFormat],
// [ErrVersion], [ErrOption], or the error of reading the file.
func Open(path string, o *Options) (*Index, error) {
	x := &Index{}
	if err := x.open(path, func(head []int64, boosts []byte) (*Index, error) {
		own := Options{}
		if o != nil {
			own = *o
		}
		float := func(i int) Setting { return Fixed(math.Float64frombits(uint64(head[i]))) }
		own.Variant, own.Phrases, own.K1, own.B, own.Delta = Variant(head[0]), head[1] == 1, float(2), float(3), float(4)
		if boosts != nil {
			own.Boosts = nil
			if err := json.Unmarshal(boosts, &own.Boosts); err != nil {
				return nil, fmt.Errorf("%w: the boosts: %w", ErrFormat, err)
			}
		}
		y, err := New(&own)
		if err == nil {
			x.variant, x.k1, x.b, x.delta, x.analyze, x.boosts, x.phrases = y.variant, y.k1, y.b, y.delta, y.analyze, y.boosts, y.phrases
		}
		return y, err
	}); err != nil {
		return nil, err
	}
	return x, nil
}

// Restore is [Open] for an index that was made with [New] and has no documents yet: it
// keeps its options, and fails with [ErrOption] if those of the file are others, or if
// it has documents. After an error it is as it was.
func (x *Index) Restore(path string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.open(path, func(head []int64, boosts []byte) (*Index, error) {
		phrases := int64(0)
		if x.phrases {
			phrases = 1
		}
		if boosts == nil && len(x.boosts) > 0 || boosts != nil && string(boosts) != string(x.boostsJSON()) {
			return nil, fmt.Errorf("%w: Options.Boosts are others than those of the file", ErrOption)
		}
		if len(x.place) > 0 || !slices.Equal(head[:headNumbers], []int64{int64(x.variant), phrases, bits(x.k1), bits(x.b), bits(x.delta)}) {
			return nil, fmt.Errorf("%w: an index is restored that has %d documents, or other options than the file", ErrOption, len(x.place))
		}
		fresh := &Index{variant: x.variant, k1: x.k1, b: x.b, delta: x.delta, analyze: x.analyze, boosts: x.boosts, phrases: x.phrases,
			postings: map[string]*postings{}, place: map[int]uint32{}}
		return fresh, nil
	})
}

// Matches reports whether the document id is in the index as [Index.Add] puts this text
// there now. It finds out that a file was made with another analyzer.
func (x *Index) Matches(id int, text string) bool {
	return x.matches(id, []part{{x.analyze(text), 1}})
}

// MatchesFields is [Index.Matches] for [Index.AddFields].
func (x *Index) MatchesFields(id int, fields ...Field) bool { return x.matches(id, x.parts(fields)) }

func (x *Index) matches(id int, parts []part) bool {
	c := x.count(parts)
	x.mu.RLock()
	defer x.mu.RUnlock()
	slot, ok := x.place[id]
	if !ok || x.lengths[slot] != c.length {
		return false
	}
	same := 0
	for l := range x.termsOf(&x.docs[slot]) {
		i := l.seek(0, slot)
		if i == len(l.docs) || l.docs[i] != slot || l.counts[i] != c.counts[l.term] || !slices.Equal(l.placesOf(i), c.places[l.term]) {
			return false
		}
		same++
	}
	return same == len(c.counts)
}

// open reads a file into an index that fresh makes, and moves it to x, whose options are
// the same.
func (x *Index) open(path string, fresh func(head []int64, boosts []byte) (*Index, error)) error {
	f, err := snapshot.Open(path, kind, version)
	if err != nil {
		return fmt.Errorf("bm25: %w", err)
	}
	y, err := decode(f, fresh)
	if err != nil {
		f.Close()
		return fmt.Errorf("bm25: open %s: %w", path, err)
	}
	f.Forget() // what decode has looked at
	if x.stored.file != nil {
		x.stored.file.Close() // of a restored index that was emptied
	}
	y.stored.file = f
	x.postings, x.docs, x.lengths, x.place, x.total, x.stored = y.postings, y.docs, y.lengths, y.place, y.total, y.stored
	x.bounded = y.bounded
	x.bounded.x = x
	snapshot.Keep(f, x)
	return nil
}

// headNumbers is how many numbers of the head are options.
const headNumbers = 5

func decode(f *snapshot.File, fresh func(head []int64, boosts []byte) (*Index, error)) (*Index, error) {
	numbers := headNumbers
	if f.Version > 1 {
		numbers++
	}
	head, err := snapshot.Numbers[int64](f, headSection, numbers)
	if err != nil {
		return nil, err
	}
	if head[0] < 0 || head[0] > int64(Dot) {
		return nil, fmt.Errorf("%w: variant %d", ErrFormat, head[0])
	}
	var boosts []byte
	if f.Version > 2 {
		if boosts, err = snapshot.All[byte](f, boostSection); err != nil {
			return nil, err
		}
	}
	x, err := fresh(head, boosts)
	if err != nil {
		return nil, err
	}
	if err := x.readDocs(f); err != nil {
		return nil, err
	}
	if f.Version > 1 { // the bounds are of the formula that they were made by
		scale := math.Float64frombits(uint64(head[headNumbers]))
		if !(scale >= 0) || math.IsInf(scale, 0) {
			return nil, fmt.Errorf("%w: bounds for a scale of %v", ErrFormat, scale)
		}
		x.bounded.scale, x.bounded.slope = scale, x.k1*x.b*scale
	}
	if err := x.readLists(f); err != nil {
		return nil, err
	}
	if err := x.readForward(f); err != nil {
		return nil, err
	}
	x.keepBounds()
	return x, nil
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
	x.docs, x.lengths, x.place = make([]document, len(ids)), slices.Clone(lengths), make(map[int]uint32, len(ids))
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

// lists are the sections with the lists of all terms.
type lists struct {
	docs, starts, places reader[uint32]
	counts               reader[float32]
	bounds               reader[float64]
	placeSizes           reader[int64]
	version              uint32
}

func (x *Index) readLists(f *snapshot.File) error {
	var err error
	terms, ends, sizes := section[byte](f, termSection, &err), section[int64](f, endSection, &err), section[int64](f, sizeSection, &err)
	parts := lists{docs: section[uint32](f, docSection, &err), starts: section[uint32](f, startSection, &err), places: section[uint32](f, placeSection, &err),
		counts: section[float32](f, countSection, &err), version: f.Version}
	if f.Version > 1 {
		parts.bounds = section[float64](f, boundSection, &err)
		if x.phrases {
			parts.placeSizes = section[int64](f, placeSizeSection, &err)
		}
	}
	if err != nil {
		return err
	}
	if len(ends) != len(sizes) {
		return fmt.Errorf("%w: %d terms and %d lists", ErrFormat, len(ends), len(sizes))
	}
	x.stored.lists = make([]*postings, len(ends))
	x.postings = make(map[string]*postings, len(ends))
	begin := int64(0)
	for i, end := range ends {
		name, err := terms.take(end - begin)
		if err != nil {
			return err
		}
		begin = end
		l, err := x.readList(&parts, string(name), sizes[i])
		if err != nil {
			return err
		}
		x.postings[l.term], x.stored.lists[i] = l, l
	}
	if len(terms)+len(parts.docs)+len(parts.counts)+len(parts.starts)+len(parts.places)+len(parts.bounds)+len(parts.placeSizes) > 0 {
		return fmt.Errorf("%w: numbers that belong to no term", ErrFormat)
	}
	return nil
}

func (x *Index) readList(from *lists, term string, size int64) (*postings, error) {
	l := &postings{term: term, live: int(size)}
	var err error
	if l.docs, err = from.docs.take(size); err != nil {
		return nil, err
	}
	if l.counts, err = from.counts.take(size); err != nil {
		return nil, err
	}
	if len(l.docs) == 0 || x.postings[term] != nil {
		return nil, fmt.Errorf("%w: the term %q is there twice, or in no document", ErrFormat, term)
	}
	for i, doc := range l.docs {
		if i > 0 && doc <= l.docs[i-1] || int(doc) >= len(x.docs) || !(l.counts[i] > 0) || math.IsInf(float64(l.counts[i]), 0) {
			return nil, fmt.Errorf("%w: the term %q is %v times in document %d of %d", ErrFormat, term, l.counts[i], doc, len(x.docs))
		}
	}
	if x.phrases {
		if err := l.readPlaces(from); err != nil {
			return nil, err
		}
	}
	blocks := (len(l.docs) + blockSize - 1) / blockSize
	if from.version == 1 {
		l.bounds = make([]float64, blocks)
		l.bound(&x.bounded)
		return l, nil
	}
	if l.bounds, err = from.bounds.take(int64(blocks)); err != nil {
		return nil, err
	}
	l.bounds = slices.Clone(l.bounds) // bound changes them
	for _, b := range l.bounds {
		if !(b >= 0) || math.IsInf(b, 0) {
			return nil, fmt.Errorf("%w: the term %q has a bound of %v", ErrFormat, term, b)
		}
		l.most = max(l.most, b)
	}
	return l, nil
}

// readPlaces sets where the places of the documents start, and the places.
func (l *postings) readPlaces(from *lists) error {
	var err error
	if l.starts, err = from.starts.take(int64(len(l.docs))); err != nil {
		return err
	}
	total := int64(0)
	if from.version == 1 { // they are numbers of places
		numbers := l.starts
		l.starts = make([]uint32, len(numbers))
		for i, n := range numbers {
			l.starts[i] = uint32(total)
			total += int64(n)
		}
	} else {
		size, err := from.placeSizes.take(1)
		if err != nil {
			return err
		}
		total = size[0]
	}
	if total > math.MaxUint32 {
		return fmt.Errorf("%w: %d places of the term %q", ErrFormat, total, l.term)
	}
	l.places, err = from.places.take(total)
	for i, s := range l.starts {
		if i > 0 && s < l.starts[i-1] || int64(s) > total {
			return fmt.Errorf("%w: the places of the term %q are not in order", ErrFormat, l.term)
		}
	}
	return err
}

// readForward sets the terms of the documents, or computes them where the file has none.
func (x *Index) readForward(f *snapshot.File) error {
	if f.Version == 1 {
		for _, t := range slices.Sorted(maps.Keys(x.postings)) {
			for _, doc := range x.postings[t].docs {
				x.docs[doc].terms = append(x.docs[doc].terms, x.postings[t])
			}
		}
		return nil
	}
	var err error
	if x.stored.spans, err = snapshot.Numbers[int64](f, spanSection, len(x.docs)); err != nil {
		return err
	}
	if x.stored.forward, err = snapshot.All[uint32](f, forwardSection); err != nil {
		return err
	}
	at := make([]int64, len(x.docs)) // in forward, of each document
	for i, to := range x.stored.spans {
		if i+1 < len(at) {
			at[i+1] = to
		}
		if to < at[i] || to > int64(len(x.stored.forward)) {
			return fmt.Errorf("%w: the terms of document %d are cut off", ErrFormat, x.docs[i].id)
		}
		x.docs[i].file = i + 1
	}
	total := 0
	for n, l := range x.stored.lists {
		for _, doc := range l.docs {
			if at[doc] == x.stored.spans[doc] || x.stored.forward[at[doc]] != uint32(n) {
				return fmt.Errorf("%w: the terms of document %d are not those whose lists have it", ErrFormat, x.docs[doc].id)
			}
			at[doc]++
		}
		total += len(l.docs)
	}
	if total != len(x.stored.forward) {
		return fmt.Errorf("%w: a document has terms whose lists don't have it", ErrFormat)
	}
	return nil
}
