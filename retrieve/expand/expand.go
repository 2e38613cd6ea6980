package expand

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/internal/sentence"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range and for a
	// required argument that is nil.
	ErrOption = errors.New("expand: invalid option")
	// ErrTree is wrapped by the error of [NewTree] for passages that don't form a tree.
	ErrTree = errors.New("expand: the passages don't form a tree")
)

// A Parent is a larger passage, and how many smaller ones it was cut into.
type Parent struct {
	schema.Document
	Children int
}

// A Lookup returns the parents with some ids. Those that it doesn't know are missing in the
// map. It must be safe for concurrent use.
type Lookup func(ctx context.Context, ids []string) (map[string]Parent, error)

// A Tree is parents in memory; its Lookup finds them. A database can take its place.
type Tree struct{ byID map[string]Parent }

// NewTree returns the tree of passages of all levels, by their metadata "id" and "parent",
// as ParentDocuments of package chunk sets them. It fails with [ErrTree] if an id is
// missing or appears twice, or a passage is its own ancestor. A passage whose parent isn't
// there is a root.
func NewTree(passages ...schema.Document) (*Tree, error) {
	t := &Tree{map[string]Parent{}}
	for _, p := range passages {
		id, _ := docmeta.String(p.Metadata, docmeta.ID)
		if _, twice := t.byID[id]; id == "" || twice {
			return nil, fmt.Errorf("%w: the id %q is empty or appears twice", ErrTree, id)
		}
		t.byID[id] = Parent{Document: p}
	}
	for _, p := range passages {
		id, _ := docmeta.String(p.Metadata, docmeta.Parent)
		if parent, ok := t.byID[id]; ok {
			parent.Children++
			t.byID[id] = parent
		}
	}
	level := map[string]int{} // how many steps of the way to the root are known to end
	for id := range t.byID {
		var way []string
		onWay := map[string]bool{}
		for at := id; level[at] == 0; {
			p, ok := t.byID[at]
			if !ok {
				break
			}
			if onWay[at] {
				return nil, fmt.Errorf("%w: %q is its own ancestor", ErrTree, at)
			}
			onWay[at] = true
			way = append(way, at)
			at, _ = docmeta.String(p.Metadata, docmeta.Parent)
		}
		for _, at := range way {
			level[at] = 1
		}
	}
	return t, nil
}

// Lookup returns the passages with the ids.
func (t *Tree) Lookup(_ context.Context, ids []string) (map[string]Parent, error) {
	out := make(map[string]Parent, len(ids))
	for _, id := range ids {
		if p, ok := t.byID[id]; ok {
			out[id] = p
		}
	}
	return out, nil
}

// Parents replaces small passages by the larger ones that they were cut from: a small
// passage is found more exactly, a large one is understood. (Parent document retrieval, small
// to big.)
type Parents struct{ lookup Lookup }

// NewParents returns a Parents. It fails with [ErrOption].
func NewParents(lookup Lookup) (*Parents, error) {
	if lookup == nil {
		return nil, fmt.Errorf("%w: the lookup of NewParents is nil", ErrOption)
	}
	return &Parents{lookup}, nil
}

// Expand returns for each passage its parent, each parent once, at the place and with the
// Score of its best child. A passage without a parent, with one that the lookup doesn't
// know, or with one of another tenant or other groups, stays as it is. It fails as the
// lookup does. It is a stage of a rag.Pipeline.
func (x *Parents) Expand(ctx context.Context, _ string, passages []schema.Document) ([]schema.Document, error) {
	parents, err := parentsOf(ctx, x.lookup, passages)
	if err != nil {
		return nil, err
	}
	var out []schema.Document
	seen := map[string]bool{}
	for i, p := range passages {
		if parent := parents[i]; parent != nil {
			id, _ := docmeta.String(p.Metadata, docmeta.Parent)
			if seen[id] {
				continue
			}
			seen[id] = true
			score := p.Score
			p = parent.Document
			p.Score = score
		}
		out = append(out, p)
	}
	return out, nil
}

// parentsOf returns the parent of each passage, nil where there is none.
func parentsOf(ctx context.Context, lookup Lookup, passages []schema.Document) ([]*Parent, error) {
	var ids []string
	for _, p := range passages {
		if id, _ := docmeta.String(p.Metadata, docmeta.Parent); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	out := make([]*Parent, len(passages))
	if len(ids) == 0 {
		return out, nil
	}
	found, err := lookup(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("expand: look up %d parents: %w", len(ids), err)
	}
	for i, p := range passages {
		id, _ := docmeta.String(p.Metadata, docmeta.Parent)
		if parent, ok := found[id]; ok && id != "" && sameOwner(p, parent.Document) {
			out[i] = &parent
		}
	}
	return out, nil
}

// sameOwner reports whether a caller who may read a passage may read another: the lookup
// doesn't ask who the caller is.
func sameOwner(a, b schema.Document) bool {
	for _, key := range []string{docmeta.Tenant, docmeta.Groups} {
		if fmt.Sprintf("%v", a.Metadata[key]) != fmt.Sprintf("%v", b.Metadata[key]) {
			return false
		}
	}
	return true
}

// MergeOptions configure a [Merge].
type MergeOptions struct {
	// Share is the share of a parent's children, above 0 to 1, that must be found for the
	// parent to replace them. Default: 0.5.
	Share float64
}

// Merge replaces small passages by their parent where enough of its children were found, and
// goes on with the parents: sections become chapters. (Auto-merging retrieval.) Where one
// child was found, it stays small.
type Merge struct {
	lookup Lookup
	o      MergeOptions
}

// NewMerge returns a Merge; nil options mean the defaults. It fails with [ErrOption].
func NewMerge(lookup Lookup, o *MergeOptions) (*Merge, error) {
	if lookup == nil {
		return nil, fmt.Errorf("%w: the lookup of NewMerge is nil", ErrOption)
	}
	m := &Merge{lookup: lookup}
	if o != nil {
		m.o = *o
	}
	m.o.Share = cmp.Or(m.o.Share, 0.5)
	if !(m.o.Share > 0 && m.o.Share <= 1) {
		return nil, fmt.Errorf("%w: MergeOptions.Share is %v: want 0 (the default, 0.5) to 1", ErrOption, m.o.Share)
	}
	return m, nil
}

// levels is how many levels Merge goes up at most, should the lookup's parents form a ring.
const levels = 20

// Expand returns the passages with parents in place of their children. A parent has the
// place of its best child, and the mean Score of those found. It fails as the lookup does.
// It is a stage of a rag.Pipeline.
func (m *Merge) Expand(ctx context.Context, _ string, passages []schema.Document) ([]schema.Document, error) {
	out := slices.Clone(passages)
	for range levels {
		parents, err := parentsOf(ctx, m.lookup, out)
		if err != nil {
			return nil, err
		}
		found, sum := map[string]int{}, map[string]float64{}
		counted := map[string]bool{}
		for i, p := range out {
			id, _ := docmeta.String(p.Metadata, docmeta.Parent)
			own := cmp.Or(idOf(p), fmt.Sprint("number ", i))
			if parents[i] != nil && !counted[own] {
				counted[own] = true
				found[id]++
				sum[id] += float64(p.Score)
			}
		}
		var next []schema.Document
		placed := map[string]bool{}
		for i, p := range out {
			id, _ := docmeta.String(p.Metadata, docmeta.Parent)
			parent := parents[i]
			if parent == nil || found[id] < 2 && parent.Children > 1 || float64(found[id]) < m.o.Share*float64(parent.Children) {
				next = append(next, p)
				continue
			}
			if !placed[id] {
				placed[id] = true
				d := parent.Document
				d.Score = float32(sum[id] / float64(found[id]))
				next = append(next, d)
			}
		}
		if len(placed) == 0 {
			return out, nil
		}
		// A parent may have been found itself, beside its children.
		seen := map[string]bool{}
		out = slices.DeleteFunc(next, func(p schema.Document) bool {
			id := idOf(p)
			twice := id != "" && seen[id]
			seen[id] = true
			return twice
		})
	}
	return out, nil
}

func idOf(p schema.Document) string {
	id, _ := docmeta.String(p.Metadata, docmeta.ID)
	return id
}

// WindowOptions configure a [Window].
type WindowOptions struct {
	// Sentences is how many sentences are added before a passage and after it. Default: 2.
	Sentences int
}

// Window adds to each passage the sentences around it in its source. (Sentence window
// retrieval.) Passages that then overlap or touch become one.
type Window struct {
	text func(ctx context.Context, source string) (string, error)
	o    WindowOptions
}

// NewWindow returns a Window; nil options mean the defaults. text returns the whole text of
// a source, which the offsets "start" and "end" of passages refer to; "" means that it
// isn't known. It fails with [ErrOption].
func NewWindow(text func(ctx context.Context, source string) (string, error), o *WindowOptions) (*Window, error) {
	if text == nil {
		return nil, fmt.Errorf("%w: the text of NewWindow is nil", ErrOption)
	}
	w := &Window{text: text}
	if o != nil {
		w.o = *o
	}
	if w.o.Sentences = cmp.Or(w.o.Sentences, 2); w.o.Sentences < 0 {
		return nil, fmt.Errorf("%w: WindowOptions.Sentences is %d: want 0 (the default, 2) or more", ErrOption, w.o.Sentences)
	}
	return w, nil
}

// A place is a passage's window in its source.
type place struct {
	source     string
	start, end int
	document   schema.Document
}

// Expand returns the passages with their windows, at the place and with the Score of the best
// passage in each. "start" and "end" are those of the window. A passage whose place isn't
// known, or whose source has another text there now, stays as it is. It fails as the
// function of NewWindow does. It is a stage of a rag.Pipeline.
func (w *Window) Expand(ctx context.Context, _ string, passages []schema.Document) ([]schema.Document, error) {
	type known struct {
		text      string
		sentences []sentence.Span
	}
	texts := map[string]known{}
	var out []place
	for _, p := range passages {
		source, _ := docmeta.String(p.Metadata, docmeta.Source)
		start, end, ok := docmeta.Span(p.Metadata)
		if source == "" || !ok {
			out = append(out, place{document: p})
			continue
		}
		t, seen := texts[source]
		if !seen {
			text, err := w.text(ctx, source)
			if err != nil {
				return nil, fmt.Errorf("expand: the text of %q: %w", source, err)
			}
			t = known{text, sentence.Split(text)}
			texts[source] = t
		}
		context := len(p.PageContent) - (end - start) // what is before the passage's own text
		if end > len(t.text) || context < 0 || t.text[start:end] != p.PageContent[context:] {
			out = append(out, place{document: p})
			continue
		}
		from, to := around(t.sentences, start, end, w.o.Sentences)
		out = merge(out, place{source, from, to, p})
	}
	documents := make([]schema.Document, len(out))
	for i, o := range out {
		documents[i] = o.document
		if o.source != "" {
			documents[i].PageContent = texts[o.source].text[o.start:o.end]
			documents[i].Metadata = maps.Clone(o.document.Metadata)
			documents[i].Metadata[docmeta.Start], documents[i].Metadata[docmeta.End] = o.start, o.end
		}
	}
	return documents, nil
}

// around returns the bytes of n sentences before [start, end) to n after.
func around(sentences []sentence.Span, start, end, n int) (from, to int) {
	first, _ := slices.BinarySearchFunc(sentences, start, func(s sentence.Span, at int) int { return cmp.Compare(s.End, at+1) })
	last, _ := slices.BinarySearchFunc(sentences, end, func(s sentence.Span, at int) int { return cmp.Compare(s.Start, at) })
	from, to = start, end
	if i := max(0, first-min(n, first)); i < len(sentences) {
		from = min(start, sentences[i].Start)
	}
	if i := min(len(sentences)-1, last-1+min(n, len(sentences))); i >= 0 {
		to = max(end, sentences[i].End)
	}
	return from, to
}

// merge adds a window to others, and joins those of its source, tenant and groups that it
// touches: into the first of them, which is the best.
func merge(all []place, p place) []place {
	first := -1
	for i := 0; i < len(all); i++ {
		q := all[i]
		if q.source != p.source || p.end < q.start || q.end < p.start || !sameOwner(p.document, q.document) {
			continue
		}
		p.start, p.end = min(p.start, q.start), max(p.end, q.end)
		if first < 0 {
			first = i
			p.document = q.document
			continue
		}
		all = slices.Delete(all, i, i+1)
		i--
	}
	if first < 0 {
		return append(all, p)
	}
	all[first] = p
	return all
}
