package bm25

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// A Hit is a document that was found. It is an alias of a plain struct, so that
// an Index fits interfaces of packages that don't import this one.
type Hit = struct {
	ID    int
	Score float64
}

// Search returns the k best documents for a query, best first, ties by the
// lower id. Documents that share no term with the query are left out.
func (x *Index) Search(query string, k int) []Hit { return x.SearchAllowed(query, k, nil) }

// SearchAllowed is Search among the documents whose id is allowed; nil allows all. It
// must not call methods of the index.
func (x *Index) SearchAllowed(query string, k int, allowed func(id int) bool) []Hit {
	terms := x.analyze(query)
	var phrases [][]string
	if x.phrases {
		parts := strings.Split(query, `"`)
		for i, quoted := range parts {
			if i%2 == 0 || i == len(parts)-1 { // not quoted, or the quote isn't closed
				continue
			}
			if words := x.analyze(quoted); len(words) > 1 {
				phrases = append(phrases, words)
			}
		}
	}
	return x.search(terms, phrases, k, allowed)
}

// SearchTerms is Search for a query whose terms are already known. A repeated term
// counts each time.
func (x *Index) SearchTerms(terms []string, k int) []Hit { return x.search(terms, nil, k, nil) }

// A cursor walks along the list of one term of a query.
type cursor struct {
	list   *postings
	doc    uint32  // the present document; end: there is none left
	at     int     // its index in the list
	times  float64 // how often the query has the term
	weight float64 // of the term
	most   float64 // no document gets more for it
	rest   float64 // no document gets more for it and the cursors before it
}

const end = math.MaxUint32

// seek moves to the first document that is doc or after it.
func (c *cursor) seek(doc uint32) {
	c.at = c.list.seek(c.at, doc)
	c.load()
}

func (c *cursor) load() {
	c.doc = end
	if c.at < len(c.list.docs) {
		c.doc = c.list.docs[c.at]
	}
}

// slack is for rounding: the sum of bounds may be rounded down where the sum of scores
// is not.
const slack = 1 + 1e-9

// cursors returns one for each different term of the query, and the order of all terms.
func (x *Index) cursors(terms []string, phrases [][]string, f *formula) ([]*cursor, []*cursor) {
	var lists []*postings
	for _, t := range terms {
		lists = append(lists, x.postings[t])
	}
	for _, p := range phrases {
		var parts []*postings
		for _, t := range p {
			parts = append(parts, x.postings[t])
		}
		lists = append(lists, x.phrase(parts))
	}
	byList := map[*postings]*cursor{}
	var all, order []*cursor
	for _, l := range lists {
		if l == nil || len(l.docs) == 0 {
			continue
		}
		c := byList[l]
		if c == nil {
			c = &cursor{list: l, doc: l.docs[0], weight: f.weight(l.live)}
			byList[l] = c
			all = append(all, c)
		}
		c.times++
		order = append(order, c)
	}
	looser := x.looser(f)
	for _, c := range all {
		c.most = c.times * c.weight * c.list.most * looser
	}
	return all, order
}

// looser is by how much the bounds are too low for the present average length: if that
// has grown by a factor, no saturation has grown by more.
func (x *Index) looser(f *formula) float64 { return max(1, x.bounded.scale/f.scale) }

// search finds the k best documents without computing the scores of most others. The
// terms are sorted by the most that a document can get for each (MaxScore). Once k
// documents are found, a document that has only terms whose sum of these is below the
// k-th score can't be among the best, so it isn't looked at. The same holds for the
// documents of a block whose bounds are low (block-max).
//
// Turtle, Flood: "Query evaluation: strategies and optimizations", 1995; Ding, Suel:
// "Faster top-k document retrieval using block-max indexes", SIGIR 2011.
func (x *Index) search(terms []string, phrases [][]string, k int, allowed func(int) bool) []Hit {
	if k <= 0 {
		return nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	f := x.formula()
	all, order := x.cursors(terms, phrases, &f)
	return x.rank(f, all, order, k, allowed)
}

func (x *Index) rank(f formula, all, order []*cursor, k int, allowed func(int) bool) []Hit {
	s := &ranking{x: x, f: f, all: all, order: order, allowed: allowed, k: min(k, len(x.place))}
	if s.k > 0 && len(all) > 0 {
		s.run()
	}
	return s.best.hits()
}

// A ranking is a search in progress.
type ranking struct {
	x         *Index
	f         formula
	all       []*cursor // by the most a document gets for the term, least first
	order     []*cursor // by the query
	essential int       // of all, the first one that must be walked along
	looser    float64
	until     uint32  // no document before it
	most      float64 // gets more than that
	allowed   func(int) bool
	k         int
	best      best
}

func (s *ranking) run() {
	slices.SortStableFunc(s.all, func(a, b *cursor) int { return cmp.Compare(a.most, b.most) })
	sum := 0.0
	for _, c := range s.all {
		sum += c.most
		c.rest = sum * slack
	}
	s.best.k, s.looser = s.k, s.x.looser(&s.f)
	for {
		essential := s.all[s.essential:]
		doc := uint32(end)
		for _, c := range essential {
			doc = min(doc, c.doc)
		}
		if doc == end {
			return
		}
		if bar, full := s.best.bar(); full {
			if doc >= s.until {
				s.window()
			}
			if s.most < bar {
				for _, c := range essential {
					if c.doc < s.until {
						c.seek(s.until)
					}
				}
				continue
			}
		}
		s.look(doc)
		for _, c := range essential {
			if c.doc == doc {
				c.at++
				c.load()
			}
		}
	}
}

// window sets until and most for the present blocks of the essential cursors.
func (s *ranking) window() {
	sum := 0.0
	if s.essential > 0 {
		sum = s.all[s.essential-1].rest
	}
	s.until = end
	for _, c := range s.all[s.essential:] {
		if c.doc == end {
			continue
		}
		block := c.at / blockSize
		sum += c.times * c.weight * c.list.bounds[block] * s.looser
		s.until = min(s.until, c.list.docs[min(len(c.list.docs), (block+1)*blockSize)-1]+1)
	}
	s.most = sum * slack
}

// look computes the score of a document, unless it becomes clear that it is not among
// the best.
func (s *ranking) look(doc uint32) {
	length := s.x.lengths[doc]
	if length < 0 {
		return
	}
	if bar, full := s.best.bar(); full {
		sum := 0.0
		for i := len(s.all) - 1; i >= 0; i-- {
			c := s.all[i]
			if i < s.essential {
				if (sum+c.rest)*slack < bar {
					return
				}
				if c.doc < doc {
					c.seek(doc)
				}
			}
			if c.doc == doc {
				sum += c.times * c.weight * s.f.saturation(c.list.counts[c.at], length)
			}
		}
		if sum*slack < bar {
			return
		}
	}
	id := s.x.docs[doc].id
	if s.allowed != nil && !s.allowed(id) {
		return
	}
	score := 0.0 // summed in the order of the query, as everywhere
	for _, c := range s.order {
		if c.doc == doc {
			score += c.weight * s.f.saturation(c.list.counts[c.at], length)
		}
	}
	s.best.offer(Hit{ID: id, Score: score})
	if bar, full := s.best.bar(); full {
		for s.essential < len(s.all) && s.all[s.essential].rest < bar {
			s.essential++
			s.until = 0 // another window
		}
	}
}

// plain is search by the definition: it computes the score of each document that has a
// term. It is the reference of search.
func (x *Index) plain(terms []string, phrases [][]string, k int, allowed func(int) bool) []Hit {
	x.mu.RLock()
	defer x.mu.RUnlock()
	f := x.formula()
	_, order := x.cursors(terms, phrases, &f)
	scores := map[int]float64{}
	for _, c := range order {
		for i, slot := range c.list.docs {
			id, length := x.docs[slot].id, x.lengths[slot]
			if length >= 0 && (allowed == nil || allowed(id)) {
				scores[id] += c.weight * f.saturation(c.list.counts[i], length)
			}
		}
	}
	hits := make([]Hit, 0, len(scores))
	for id, s := range scores {
		hits = append(hits, Hit{ID: id, Score: s})
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits[:max(0, min(k, len(hits)))]
}
