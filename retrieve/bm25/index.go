package bm25

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// A Variant is one of the formulas called BM25. N is the number of documents, n of
// those with the term, f the term's count in the document, K = k1·(1 - b +
// b·length/average length).
type Variant uint8

// The variants, as bm25s computes them.
const (
	Lucene    Variant = iota // ln(1 + (N-n+.5)/(n+.5)) · f/(f+K)
	Robertson                // max(0, ln((N-n+.5)/(n+.5))) · f/(f+K)
	ATIRE                    // ln(N/n) · f·(k1+1)/(f+K)
	BM25L                    // ln((N+1)/(n+.5)) · (k1+1)(c+δ)/(k1+c+δ), c = f·k1/K
	BM25Plus                 // ln((N+1)/n) · (δ + f·(k1+1)/(f+K))
	Dot                      // f: the inner product, for weights of a learned model, see AddWeights
)

// ErrOption is wrapped by the error of [New] for an option that cannot work.
var ErrOption = errors.New("bm25: invalid option")

// Options configure an [Index].
type Options struct {
	// Variant is the formula. Default: Lucene.
	Variant Variant

	// K1, 0 or more, sets how slowly a repeated term stops counting: with
	// [Fixed](0) a term counts once, however often it appears. Default: 1.2.
	K1 Setting

	// B, 0 to 1, sets how much the length of a document counts: with [Fixed](0)
	// not at all. Default: 0.75.
	B Setting

	// Delta, 0 or more, is δ of BM25L and BM25Plus. Default: 1, and 0.5 for BM25L.
	Delta Setting

	// Analyze makes the terms of a text. Default: [English].
	Analyze func(text string) []string

	// Boosts are the weights of the fields of a document, see [Index.AddFields]: a word
	// in a field of weight 2 counts as if it were there twice. They are 1e-6 to 1e6, and
	// the names are UTF-8. A retrieve.Collection searches the metadata that have a weight here, beside the text
	// of a passage, whose field is "text". Default: 1 for each field.
	Boosts map[string]float64

	// Phrases makes Search read a part of a query between double quotes as a phrase too:
	// documents with its words one after another are ranked higher. It stores the place
	// of each word, which takes about twice the memory. Default: false, quotes mean
	// nothing.
	Phrases bool
}

// A Setting is a number that an option may leave open: the zero Setting means the
// option's default, Fixed(0) means 0.
type Setting struct {
	value float64
	fixed bool
}

// Fixed returns a Setting of v.
func Fixed(v float64) Setting { return Setting{v, true} }

// An Index is a set of documents that can be searched. It is safe for
// concurrent use. Make one with [New]: the zero Index is not usable.
type Index struct {
	variant      Variant
	k1, b, delta float64
	analyze      func(string) []string
	boosts       map[string]float64
	phrases      bool

	mu       sync.RWMutex
	postings map[string]*postings
	docs     []document     // in the order in which they were added
	lengths  []float32      // of the documents; below 0: it is removed
	place    map[int]uint32 // of an id in docs
	total    float64        // lengths of all documents
	bounded  formula        // the one that the bounds of the lists are of
	stored   stored         // of the file that the index was opened from
}

// A document is one that was added. A removed one stays in the postings until the
// next clean-up.
type document struct {
	id    int
	terms []*postings // the distinct ones; nil: see stored
	file  int         // its place in the file, counted from 1; 0: it was added later
}

const removed = -1 // as a length

const maxBoost float64 = 1e6

// New returns an empty index, or an error that wraps [ErrOption].
func New(o *Options) (*Index, error) {
	if o == nil {
		o = &Options{}
	}
	x := &Index{variant: o.Variant, k1: 1.2, b: 0.75, delta: 1, analyze: o.Analyze, phrases: o.Phrases, boosts: maps.Clone(o.Boosts),
		postings: map[string]*postings{}, place: map[int]uint32{}}
	x.bounded.x = x
	if len(x.boosts) == 0 {
		x.boosts = nil // the file has one form of none
	}
	for field, boost := range o.Boosts {
		if !utf8.ValidString(field) {
			return nil, fmt.Errorf("%w: Options.Boosts has the name %q, which is not UTF-8", ErrOption, field)
		}
		if !(boost >= 1/maxBoost && boost <= maxBoost) {
			return nil, fmt.Errorf("%w: Options.Boosts of %q is %v: want %v to %v", ErrOption, field, boost, 1/maxBoost, maxBoost)
		}
	}
	if o.Variant > Dot {
		return nil, fmt.Errorf("%w: Options.Variant is %d: want Lucene (0) to Dot (%d)", ErrOption, o.Variant, Dot)
	}
	if o.Variant == BM25L {
		x.delta = 0.5
	}
	for _, p := range []struct {
		name     string
		from     Setting
		to       *float64
		low, top float64
	}{{"K1", o.K1, &x.k1, 0, math.MaxFloat64}, {"B", o.B, &x.b, 0, 1}, {"Delta", o.Delta, &x.delta, 0, math.MaxFloat64}} {
		if !p.from.fixed {
			continue
		}
		if v := p.from.value; !(v >= p.low && v <= p.top) {
			return nil, fmt.Errorf("%w: Options.%s is %v: want %v to %v", ErrOption, p.name, v, p.low, p.top)
		}
		*p.to = p.from.value
	}
	if x.analyze == nil {
		x.analyze = English
	}
	return x, nil
}

// Add puts a document into the index under id, in place of the one that was
// there.
func (x *Index) Add(id int, text string) { x.AddTerms(id, x.analyze(text)) }

// AddTerms is Add for a text whose terms are already known.
func (x *Index) AddTerms(id int, terms []string) { x.insert(id, x.count([]part{{terms, 1}})) }

// A Field is a named part of a document, such as its title. It is an alias of a plain
// struct, so that an Index fits interfaces of packages that don't import this one.
type Field = struct{ Name, Text string }

// AddFields is Add for a document of several fields, whose words count by
// Options.Boosts. No phrase goes from one field into the next.
func (x *Index) AddFields(id int, fields ...Field) { x.insert(id, x.count(x.parts(fields))) }

// Fields returns the names that Options.Boosts has, in order.
func (x *Index) Fields() []string { return slices.Sorted(maps.Keys(x.boosts)) }

func (x *Index) parts(fields []Field) []part {
	parts := make([]part, len(fields))
	for i, f := range fields {
		boost, ok := x.boosts[f.Name]
		if !ok {
			boost = 1
		}
		parts[i] = part{x.analyze(f.Text), float32(boost)}
	}
	return parts
}

// A part has terms that count alike.
type part struct {
	terms []string
	boost float32
}

// fieldGap is between the places of the words of two fields: no phrase is in both.
const fieldGap = 100

// counted has the terms of a document.
type counted struct {
	order  []string // the distinct ones
	counts map[string]float32
	places map[string][]uint32
	length float32
}

func (x *Index) count(parts []part) *counted {
	c := &counted{counts: map[string]float32{}, places: map[string][]uint32{}}
	at := uint32(0)
	for _, p := range parts {
		for _, t := range p.terms {
			if c.counts[t] == 0 {
				c.order = append(c.order, t)
			}
			c.counts[t] += p.boost
			if x.phrases {
				c.places[t] = append(c.places[t], at)
			}
			at++
		}
		c.length += p.boost * float32(len(p.terms))
		at += fieldGap
	}
	return c
}

// insert adds a document whose terms are counted.
func (x *Index) insert(id int, c *counted) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(id)
	d := document{id: id, terms: make([]*postings, 0, len(c.order))}
	slot := uint32(len(x.docs))
	for _, t := range c.order {
		list := x.postings[t]
		if list == nil {
			list = &postings{term: t}
			x.postings[t] = list
		}
		list.append(slot, c.counts[t], x.bounded.saturation(c.counts[t], c.length), c.places[t])
		list.live++
		d.terms = append(d.terms, list)
	}
	x.docs, x.lengths = append(x.docs, d), append(x.lengths, c.length)
	x.place[id] = slot
	x.total += float64(c.length)
	x.keepBounds()
}

// drift is how much the average length may change until the bounds are computed anew.
const drift = 1.02

// keepBounds computes the bounds of all lists anew if the average length has moved away
// from the one they are of. That is rare in a large index, and cheap in a small one.
func (x *Index) keepBounds() {
	f := x.formula()
	if f.scale <= x.bounded.scale*drift && f.scale*drift >= x.bounded.scale {
		return
	}
	x.bounded = f
	for _, l := range x.postings {
		l.bound(&f)
	}
}

// Remove removes a document and reports whether it was there.
func (x *Index) Remove(id int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.remove(id)
}

func (x *Index) remove(id int) bool {
	slot, ok := x.place[id]
	if !ok {
		return false
	}
	d := &x.docs[slot]
	for list := range x.termsOf(d) {
		if list.live--; list.live == 0 {
			delete(x.postings, list.term)
		}
	}
	x.total -= float64(x.lengths[slot])
	d.terms, d.file, x.lengths[slot] = nil, 0, removed
	delete(x.place, id)
	switch dead := len(x.docs) - len(x.place); {
	case len(x.place) == 0:
		x.empty()
	case dead > 100 && dead > len(x.place):
		x.clean()
	}
	x.keepBounds()
	return true
}

// Clear removes all documents.
func (x *Index) Clear() {
	x.mu.Lock()
	defer x.mu.Unlock()
	clear(x.postings)
	clear(x.place)
	x.empty()
	x.keepBounds()
}

// empty forgets what is left of documents that were all removed.
func (x *Index) empty() {
	x.docs, x.lengths, x.total, x.stored = nil, nil, 0, stored{file: x.stored.file}
}

// clean takes the removed documents out of the postings.
func (x *Index) clean() {
	to := make([]uint32, len(x.docs))
	kept, lengths := make([]document, 0, len(x.place)), make([]float32, 0, len(x.place))
	for i, d := range x.docs {
		to[i] = uint32(len(kept))
		if x.lengths[i] >= 0 {
			x.place[d.id] = to[i]
			kept, lengths = append(kept, d), append(lengths, x.lengths[i])
		}
	}
	for _, list := range x.postings {
		old := *list
		list.reset()
		for i, slot := range old.docs {
			if length := x.lengths[slot]; length >= 0 {
				list.append(to[slot], old.counts[i], x.bounded.saturation(old.counts[i], length), old.placesOf(i))
			}
		}
	}
	x.docs, x.lengths = kept, lengths
}

// Len returns the number of documents.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.place)
}

// Rarity returns the weight of a term: ln(1 + (N-n+.5)/(n+.5)), where n of the N
// documents have it. It is largest for a term that no document has.
func (x *Index) Rarity(term string) float64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	docs, with := float64(len(x.place)), 0.0
	if list := x.postings[term]; list != nil {
		with = float64(list.live)
	}
	return math.Log(1 + (docs-with+.5)/(with+.5))
}

// Contains reports whether a document has the term.
func (x *Index) Contains(term string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.postings[term] != nil
}

// Scores returns the score of every document for a query's terms, also of those
// that share none of them: BM25L and BM25Plus give these a score too.
func (x *Index) Scores(terms []string) map[int]float64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	scores := make([]float64, len(x.docs))
	f := x.formula()
	counts := make([]float32, len(x.docs))
	for _, t := range terms {
		list := x.postings[t]
		if list == nil {
			continue
		}
		for i, slot := range list.docs {
			counts[slot] = list.counts[i]
		}
		weight := f.weight(list.live)
		for slot, length := range x.lengths {
			if length >= 0 {
				scores[slot] += weight * f.saturation(counts[slot], length)
			}
		}
		clear(counts)
	}
	out := make(map[int]float64, len(x.place))
	for id, slot := range x.place {
		out[id] = scores[slot]
	}
	return out
}

// A formula computes scores for the present number and length of documents.
type formula struct {
	x           *Index
	docs        float64
	scale       float64 // 1/average length
	base, slope float64 // K = base + slope·length
}

func (x *Index) formula() formula {
	f := formula{x: x, docs: float64(len(x.place)), base: x.k1 * (1 - x.b)}
	if x.total > 0 {
		f.scale = f.docs / x.total
	}
	f.slope = x.k1 * x.b * f.scale
	return f
}

// weight is the part of a term's score that is the same for all documents; n have the
// term.
func (f *formula) weight(n int) float64 {
	with := float64(n)
	switch f.x.variant {
	case Robertson:
		return max(0, math.Log((f.docs-with+.5)/(with+.5)))
	case ATIRE:
		return math.Log(f.docs/with) * (f.x.k1 + 1)
	case BM25L:
		return math.Log((f.docs+1)/(with+.5)) * (f.x.k1 + 1)
	case BM25Plus:
		return math.Log((f.docs + 1) / with)
	case Dot:
		return 1
	}
	return math.Log(1 + (f.docs-with+.5)/(with+.5))
}

// saturation is the part that depends on the count of the term in the document and on
// its length. It never falls with the count, and never grows with the length.
func (f *formula) saturation(count, length float32) float64 {
	c := float64(count)
	if f.x.variant < BM25L {
		if c == 0 {
			return 0
		}
		return c / (c + (f.base + f.slope*float64(length)))
	}
	return f.withDelta(c, float64(length))
}

func (f *formula) withDelta(c, length float64) float64 {
	x := f.x
	if x.variant == Dot {
		return c
	}
	if x.variant == BM25L {
		if c > 0 {
			c /= 1 - x.b + x.b*(length*f.scale)
		}
		if c+x.delta == 0 {
			return 0
		}
		return (c + x.delta) / (x.k1 + c + x.delta)
	}
	if c == 0 {
		return x.delta
	}
	return x.delta + (x.k1+1)*(c/(c+(f.base+f.slope*length)))
}
