package chunk

import (
	"cmp"
	"context"
	"slices"
	"sort"
)

// Markdown cuts a markdown text by its structure: a passage never crosses a heading
// and carries the path of headings above it; code fences and list items stay whole
// as long as they fit; each part of a table carries the table's header as its
// context, as far as [Options.MaxContext] allows. A block that is too large is cut
// as prose is. No byte of the text is lost, and none is changed.
//
// Headings are those of CommonMark 0.31.2 with GitHub's tables: a line in code, in
// HTML or under a definition of a link isn't one. Only the document's own headings
// are in the path, not those in a quote or list item. Front matter, which is YAML
// between lines of "---" or TOML between lines of "+++" at the very beginning, is a
// block without headings. A byte order mark before it all is ignored.
type Markdown struct{ m measure }

// NewMarkdown returns a Markdown. It fails with [ErrOption].
func NewMarkdown(o *Options) (*Markdown, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Markdown{m}, nil
}

// Chunk cuts the text.
func (m *Markdown) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	chunks, _, err := m.Resume(ctx, text, nil)
	return chunks, err
}

// Resume cuts a text that has headings above it, see [Resumer]. A text can be cut
// on from where a section begins; in a section that is larger than all that was
// read, where a block of the document begins, or else one in a list item or quote.
func (m *Markdown) Resume(ctx context.Context, text string, above []Heading) (chunks []Chunk, next func(limit int) (int, []Heading), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p := newPacker(text, m.m, prose)
	path := slices.Clone(above)
	all := parseBlocks(text, above == nil)
	pieces := make([]piece, len(all))
	for i, b := range all {
		pieces[i] = p.weigh(b.start, b.end)
	}
	for at := 0; at < len(all); {
		n := at
		for n < len(all) && all[n].kind == headingBlock { // headings belong to what follows them
			path = descend(path, all[n].heading(text))
			n++
		}
		for n < len(all) && all[n].kind != headingBlock {
			n++
		}
		p.section(all[at:n], pieces[at:n], titles(path))
		at = n
	}
	next = func(limit int) (int, []Heading) {
		if len(all) == 0 {
			return 0, above
		}
		section, outer, block := 0, 0, 0 // the last that starts by then
		for i, b := range all {
			if b.start > limit {
				break
			}
			block = i
			if !b.inner {
				outer = i
			}
			if b.kind == headingBlock && (i == 0 || all[i-1].kind != headingBlock) {
				section = i
			}
		}
		// One section may be larger than all that was read.
		section = cmp.Or(section, outer, block)
		path := append([]Heading{}, above...)
		for _, b := range all[:section] {
			if b.kind == headingBlock {
				path = descend(path, b.heading(text))
			}
		}
		return all[section].start, path
	}
	return finish(text, p.out, p.code), next, nil
}

func descend(path []Heading, h Heading) []Heading {
	for len(path) > 0 && path[len(path)-1].Level >= h.Level {
		path = path[:len(path)-1]
	}
	return append(path, h)
}

func titles(path []Heading) []string {
	out := make([]string, 0, len(path))
	for _, h := range path {
		if h.Title != "" {
			out = append(out, h.Title)
		}
	}
	return out
}

// section packs the blocks under one heading.
func (p *packer) section(blocks []block, pieces []piece, headings []string) {
	before := len(p.out)
	j, lastLarge := -1, -1 // the first block from i on that isn't a heading, and the last too large one up to it
	for i := 0; i < len(pieces); {
		if i > j {
			j = min(afterHeadings(blocks, i), len(blocks)-1)
			for k := i; k <= j; k++ {
				if pieces[k].size > p.size {
					lastLarge = k
				}
			}
		}
		if lastLarge >= i {
			p.large(blocks[i].start, blocks[j])
			i = j + 1
			continue
		}
		n := p.fit(pieces[i:])
		if n == 1 && p.grows(pieces[i]) {
			p.large(blocks[i].start, blocks[j])
			i = j + 1
			continue
		}
		p.emit(pieces[i : i+n])
		i += p.next(pieces[i:], n)
	}
	for i := range p.out[before:] {
		p.out[before+i].Headings = headings
	}
}

// afterHeadings returns the first block from i on that isn't a heading.
func afterHeadings(blocks []block, i int) int {
	for i < len(blocks) && blocks[i].kind == headingBlock {
		i++
	}
	return i
}

// large cuts a block that doesn't fit, together with the headings before it: a
// table or a fence between lines, HTML as a text, the rest as prose.
func (p *packer) large(start int, b block) {
	before := len(p.out)
	at := 2 // between sentences: a heading is one
	switch b.kind {
	case tableBlock, fenceBlock:
		at = 1
	case htmlBlock:
		at = 0
	}
	p.fill(start, b.end, at)
	if b.kind == tableBlock {
		end := tableHead(p.text, b.start)
		head := p.tableContext(p.text[b.start:end])
		for i := before + 1; i < len(p.out); i++ {
			if p.out[i].Start >= end { // else it is a part of the header
				p.out[i].Context = head
			}
		}
	}
}

// tableContext returns as much of a table's header as a context can have: all of
// it, or its names without the rule, or the first of them.
func (p *packer) tableContext(head string) string {
	if p.contextFits(head) {
		return head
	}
	s := lineScanner{text: head}
	names, after := s.line(0)
	if p.contextFits(head[:after]) {
		return head[:after]
	}
	var ends []int // of cells
	for i := range len(names) {
		if i > 0 && names[i] == '|' && names[i-1] != '\\' {
			ends = append(ends, i)
		}
	}
	n := sort.Search(len(ends), func(k int) bool { return !p.contextFits(names[:ends[k]+1] + "\n") })
	for n--; n >= 0; n-- { // counts of tokens needn't ascend
		if part := names[:ends[n]+1] + "\n"; p.contextFits(part) {
			return part
		}
	}
	return ""
}
