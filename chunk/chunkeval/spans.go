package chunkeval

import (
	"cmp"
	"slices"

	"github.com/prodailabs/prodai/chunk"
)

// union returns the spans sorted, without empty ones, touching ones joined.
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

// common returns the length of what two unions share.
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

// omega is the precision of all chunks that touch a reference.
func omega(chunks []chunk.Chunk, references []chunk.Span) float64 {
	want := union(references)
	var touching []chunk.Span
	for i := range chunks {
		s := []chunk.Span{{Start: chunks[i].Start, End: chunks[i].End}}
		if common(s, want) > 0 {
			touching = append(touching, s[0])
		}
	}
	all := union(touching)
	if len(all) == 0 {
		return 0
	}
	return float64(common(all, want)) / float64(length(all))
}
