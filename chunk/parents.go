package chunk

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/sentence"
)

// A ParentChunk is a passage to be read, and the smaller passages in it that are
// searched. All offsets are those in the source.
type ParentChunk struct {
	Parent   Chunk
	Children []Chunk
}

// Parents cuts a text with one chunker and each passage with another: a small
// passage is found more exactly, a large one is understood.
type Parents struct{ parent, child Chunker }

// NewParents returns a Parents; child should cut smaller than parent. It fails
// with [ErrOption].
func NewParents(parent, child Chunker) (*Parents, error) {
	if parent == nil || child == nil {
		return nil, fmt.Errorf("%w: a chunker of NewParents is nil", ErrOption)
	}
	return &Parents{parent, child}, nil
}

// Chunk cuts the text. It returns the errors of the two chunkers.
func (p *Parents) Chunk(ctx context.Context, text string) ([]ParentChunk, error) {
	parents, err := p.parent.Chunk(ctx, text)
	if err != nil {
		return nil, err
	}
	out := make([]ParentChunk, len(parents))
	for i, parent := range parents {
		children, err := p.child.Chunk(ctx, parent.Text)
		if err != nil {
			return nil, err
		}
		for k := range children {
			c := &children[k]
			c.Start, c.End, c.RuneStart, c.RuneEnd = c.Start+parent.Start, c.End+parent.Start, c.RuneStart+parent.RuneStart, c.RuneEnd+parent.RuneStart
			if len(c.Headings) == 0 {
				c.Headings = parent.Headings
			}
		}
		out[i] = ParentChunk{parent, children}
	}
	return out, nil
}

// SentenceWindows returns each sentence with a window around it: n sentences
// before and after. It fails with [ErrOption] for a negative n.
func SentenceWindows(text string, n int) ([]ParentChunk, error) {
	if n < 0 {
		return nil, fmt.Errorf("%w: the window of SentenceWindows is %d: want 0 or more", ErrOption, n)
	}
	found := sentence.Split(text)
	children, parents := make([]Chunk, len(found)), make([]Chunk, len(found))
	for i, s := range found {
		children[i] = Chunk{Start: s.Start, End: s.End}
		parents[i] = Chunk{Start: found[max(0, i-n)].Start, End: found[min(len(found)-1, i+min(n, len(found)))].End}
	}
	finish(text, children, runesOf(text))
	finish(text, parents, runesOf(text))
	out := make([]ParentChunk, len(found))
	for i := range out {
		out[i] = ParentChunk{parents[i], children[i : i+1 : i+1]}
	}
	return out, nil
}

// ParentDocuments returns the documents of nested passages: the children, to be
// embedded, with their parent's id in the metadata; and the parents, to be
// looked up by that id.
func ParentDocuments(source string, meta map[string]any, nested []ParentChunk) (children, parents []schema.Document) {
	var large, small []Chunk
	for _, f := range nested {
		large = append(large, f.Parent)
		small = append(small, f.Children...)
	}
	parents = Documents(source+"#parent", meta, large)
	children = Documents(source, meta, small)
	at := 0
	for i, f := range nested {
		parents[i].Metadata[KeySource] = source
		for range f.Children {
			children[at].Metadata[KeyParent] = parents[i].Metadata[KeyID]
			at++
		}
	}
	return children, parents
}
