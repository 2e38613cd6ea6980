package llama

import "container/heap"

// A merge joins two neighboring symbols of a text. symbols are a linked list, since a
// merge removes one; an entry of the queue is stale if one of its two has changed.
type symbol struct {
	text       string
	prev, next int // -1: none
}

type candidate struct {
	rank        float64 // the smaller, the earlier
	left, right int
	size        int // bytes of both, to recognize a stale entry
}

type queue []candidate

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].rank < q[j].rank || q[i].rank == q[j].rank && q[i].left < q[j].left
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push and Pop are for container/heap.
func (q *queue) Push(x any) { *q = append(*q, x.(candidate)) }

// Pop removes the last element.
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// mergeAll joins the neighbors of the lowest rank until none has one, in
// O(n log n). rank reports whether two texts may be joined.
func mergeAll(pieces []string, rank func(a, b string) (float64, bool)) []string {
	list := make([]symbol, len(pieces))
	for i, p := range pieces {
		list[i] = symbol{p, i - 1, i + 1}
	}
	if len(list) > 0 {
		list[len(list)-1].next = -1
	}
	var q queue
	try := func(left, right int) {
		if left < 0 || right < 0 {
			return
		}
		if r, ok := rank(list[left].text, list[right].text); ok {
			heap.Push(&q, candidate{r, left, right, len(list[left].text) + len(list[right].text)})
		}
	}
	for i := 1; i < len(list); i++ {
		try(i-1, i)
	}
	for q.Len() > 0 {
		c := heap.Pop(&q).(candidate)
		a, b := &list[c.left], &list[c.right]
		if a.text == "" || b.text == "" || a.next != c.right || len(a.text)+len(b.text) != c.size {
			continue
		}
		a.text += b.text
		a.next = b.next
		if b.next >= 0 {
			list[b.next].prev = c.left
		}
		b.text = ""
		try(a.prev, c.left)
		try(c.left, a.next)
	}
	out := pieces[:0]
	for _, s := range list {
		if s.text != "" {
			out = append(out, s.text)
		}
	}
	return out
}
