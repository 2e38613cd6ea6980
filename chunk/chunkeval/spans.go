package chunkeval

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/chunk"
)

// union returns the spans sorted, without empty ones, and with those joined that
// touch.
func union(spans []chunk.Span) []chunk.Span {
	spans = slices.DeleteFunc(slices.Clone(spans), func(s chunk.Span) bool { return s.End <= s.Start })
	slices.SortFunc(spans, func(a, b chunk.Span) int { return cmp.Compare(a.Start, b.Start) })
	var out []chunk.Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// common returns the length of the part that two unions share.
func common(a, b []chunk.Span) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		n += max(0, min(a[0].End, b[0].End)-max(a[0].Start, b[0].Start))
		if a[0].End < b[0].End {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return n
}

func length(spans []chunk.Span) int {
	n := 0
	for _, s := range spans {
		n += s.End - s.Start
	}
	return n
}

// score compares what was retrieved, in whatever order and with repeats, with
// the references.
func score(retrieved, references []chunk.Span) (recall, precision, iou float64) {
	want := union(references)
	hit := float64(common(union(retrieved), want))
	spent := float64(length(retrieved))
	if n := float64(length(want)); n > 0 {
		recall = hit / n
		iou = hit / (spent + n - hit)
	}
	if spent > 0 {
		precision = hit / spent
	}
	return recall, precision, iou
}

// omega is the precision of all chunks that touch a reference, even only by ending
// where it begins. Parts of the references that are in no chunk count as missed.
func omega(chunks, references []chunk.Span) float64 {
	want := union(references)
	var touching []chunk.Span
	for _, c := range chunks {
		if slices.ContainsFunc(want, func(r chunk.Span) bool { return c.Start <= r.End && r.Start <= c.End }) {
			touching = append(touching, c)
		}
	}
	if len(touching) == 0 {
		return 0
	}
	return float64(common(union(touching), want)) / float64(length(union(append(touching, want...))))
}

// codePoints returns how many code points are before each byte of a text, and
// before its end.
func codePoints(text string) []int {
	out := make([]int, 0, len(text)+1)
	n := 0
	for i := range text {
		for len(out) <= i {
			out = append(out, n)
		}
		n++
	}
	for len(out) <= len(text) {
		out = append(out, n)
	}
	return out
}

// inPoints turns a span of bytes into one of code points.
func inPoints(s chunk.Span, points []int) (chunk.Span, error) {
	if s.Start < 0 || s.End < s.Start || s.End >= len(points) {
		return s, fmt.Errorf("%w: bytes %d to %d of %d", ErrData, s.Start, s.End, max(0, len(points)-1))
	}
	return chunk.Span{Start: points[s.Start], End: points[s.End]}, nil
}
