package bm25

import (
	"encoding/json"
	"iter"
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

// Version 1 of the format had the number of places of each document where version 2 has
// their starts, and nothing of what follows the places. Version 2 had no boosts.
const (
	kind    = "bm25"
	version = 3
)

// The sections of the file. Lists follow one another in the order of the terms.
const (
	headSection   = iota // variant, phrases, k1, b and delta as bits; from version 2 on, the scale of the bounds
	idSection            // of the documents
	lengthSection        // of the documents
	termSection          // the bytes of all terms
	endSection           // of each term in it
	sizeSection          // of each list
	docSection           // of all lists
	countSection
	startSection // of the places of each document in those of its list, of all lists, with phrases
	placeSection
	placeSizeSection // of the places of each list
	boundSection     // of each block of all lists
	forwardSection   // the numbers of the terms of all documents, those of each in order
	spanSection      // where those of each document end
	boostSection     // Options.Boosts in JSON
)

// stored is what a file has for [Index.Remove]: the terms of its documents.
type stored struct {
	file    *snapshot.File
	lists   []*postings // by the number of the term
	forward []uint32
	spans   []int64
}

// termsOf yields the lists of a document's terms.
func (x *Index) termsOf(d *document) iter.Seq[*postings] {
	if d.file == 0 {
		return slices.Values(d.terms)
	}
	s, from := &x.stored, int64(0)
	if d.file > 1 {
		from = s.spans[d.file-2]
	}
	return func(yield func(*postings) bool) {
		for _, n := range s.forward[from:s.spans[d.file-1]] {
			if !yield(s.lists[n]) {
				return
			}
		}
	}
}

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
	head := []int64{int64(x.variant), 0, bits(x.k1), bits(x.b), bits(x.delta), bits(x.bounded.scale)}
	if x.phrases {
		head[1] = 1
	}
	var ends, sizes, placeSizes []int64
	var counts []float32
	var terms []byte
	var docs, starts, places []uint32
	var bounds []float64
	number := make(map[*postings]uint32, len(x.postings))
	for _, t := range slices.Sorted(maps.Keys(x.postings)) {
		l := x.postings[t]
		number[l] = uint32(len(ends))
		terms = append(terms, t...)
		ends, sizes = append(ends, int64(len(terms))), append(sizes, int64(len(l.docs)))
		docs, counts, bounds = append(docs, l.docs...), append(counts, l.counts...), append(bounds, l.bounds...)
		starts, places, placeSizes = append(starts, l.starts...), append(places, l.places...), append(placeSizes, int64(len(l.places)))
	}
	ids, spans := make([]int64, len(x.docs)), make([]int64, len(x.docs))
	forward, from := make([]uint32, 0, len(docs)), 0
	for i := range x.docs {
		ids[i] = int64(x.docs[i].id)
		for l := range x.termsOf(&x.docs[i]) {
			forward = append(forward, number[l])
		}
		slices.Sort(forward[from:])
		from = len(forward)
		spans[i] = int64(len(forward))
	}
	return snapshot.Save(path, kind, version, snapshot.Bytes(head), snapshot.Bytes(ids), snapshot.Bytes(x.lengths), terms, snapshot.Bytes(ends),
		snapshot.Bytes(sizes), snapshot.Bytes(docs), snapshot.Bytes(counts), snapshot.Bytes(starts), snapshot.Bytes(places),
		snapshot.Bytes(placeSizes), snapshot.Bytes(bounds), snapshot.Bytes(forward), snapshot.Bytes(spans), x.boostsJSON())
}

// boostsJSON returns Options.Boosts with the names in order.
func (x *Index) boostsJSON() []byte {
	b, _ := json.Marshal(x.boosts) // names and finite numbers
	return b
}

func bits(f float64) int64 { return int64(math.Float64bits(f)) }
