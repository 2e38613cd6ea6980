package bm25

// blockSize is how many documents of a list share one bound.
const blockSize = 128

// postings lists the documents that have a term, in the order in which they were added.
type postings struct {
	term   string
	live   int // documents that are not removed
	docs   []uint32
	counts []float32
	bounds []float64 // of each block of blockSize documents: the highest saturation
	most   float64   // the highest of the bounds
	starts []uint32  // of the places of each document, with phrases
	places []uint32
}

// append adds a document with the saturation of its count by the index's bounded formula.
func (l *postings) append(doc uint32, count float32, saturation float64, places []uint32) {
	if len(l.docs)%blockSize == 0 {
		l.bounds = append(l.bounds, 0)
	}
	last := &l.bounds[len(l.bounds)-1]
	*last, l.most = max(*last, saturation), max(l.most, saturation)
	l.docs, l.counts = append(l.docs, doc), append(l.counts, count)
	if places != nil {
		l.starts = append(l.starts, uint32(len(l.places)))
		l.places = append(l.places, places...)
	}
}

// bound computes the bounds anew by a formula. Removed documents don't count.
func (l *postings) bound(f *formula) {
	clear(l.bounds)
	l.most = 0
	for i, doc := range l.docs {
		if length := f.x.lengths[doc]; length >= 0 {
			b := &l.bounds[i/blockSize]
			*b = max(*b, f.saturation(l.counts[i], length))
			l.most = max(l.most, *b)
		}
	}
}

func (l *postings) reset() {
	*l = postings{term: l.term, live: l.live}
}

// placesOf returns the places of the term in the i-th document, nil without phrases.
func (l *postings) placesOf(i int) []uint32 {
	if len(l.starts) == 0 {
		return nil
	}
	end := uint32(len(l.places))
	if i+1 < len(l.starts) {
		end = l.starts[i+1]
	}
	return l.places[l.starts[i]:end]
}

// seek returns the first index, from i on, of a document that is doc or after it.
func (l *postings) seek(i int, doc uint32) int {
	step := 1 // the next one is often near
	for i+step < len(l.docs) && l.docs[i+step] < doc {
		i += step
		step *= 2
	}
	end := min(len(l.docs), i+step+1)
	for i < end {
		middle := int(uint(i+end) >> 1)
		if l.docs[middle] < doc {
			i = middle + 1
		} else {
			end = middle
		}
	}
	return i
}

// phrase returns the documents in which the lists' terms follow one another, with the
// number of times they do.
func (x *Index) phrase(lists []*postings) *postings {
	out := &postings{}
	rarest := 0
	for i, l := range lists {
		if l == nil {
			return out
		}
		if len(l.docs) < len(lists[rarest].docs) {
			rarest = i
		}
	}
	at := make([]int, len(lists))
next:
	for _, doc := range lists[rarest].docs {
		if x.lengths[doc] < 0 {
			continue
		}
		for i, l := range lists {
			if at[i] = l.seek(at[i], doc); at[i] == len(l.docs) {
				return out
			}
			if l.docs[at[i]] != doc {
				continue next
			}
		}
		if n := follow(lists, at); n > 0 {
			out.append(doc, float32(n), x.bounded.saturation(float32(n), x.lengths[doc]), nil)
			out.live++
		}
	}
	return out
}

// follow counts the places where the terms follow one another; at has the index of the
// document in each list.
func follow(lists []*postings, at []int) int {
	n := 0
	next := make([]int, len(lists))
starts:
	for _, first := range lists[0].placesOf(at[0]) {
		for i := 1; i < len(lists); i++ {
			places, want := lists[i].placesOf(at[i]), first+uint32(i)
			for next[i] < len(places) && places[next[i]] < want {
				next[i]++
			}
			if next[i] == len(places) {
				return n
			}
			if places[next[i]] != want {
				continue starts
			}
		}
		n++
	}
	return n
}
