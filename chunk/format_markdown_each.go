package chunk

import (
	"context"
	"slices"
	"strings"
)

// Blocks cuts a markdown text into its blocks: each paragraph, list item, table and
// code block is a passage of its own. It is for texts of which whole paragraphs are
// quoted, such as notes and manuals, and for questions that one paragraph answers.
// Where [Markdown] fills a passage with as many blocks as fit, Blocks fills it with
// more than one in two cases only:
//
//   - Headings are in the passage of the block after them.
//   - A paragraph that ends in a colon announces what follows, so it is in one
//     passage with the list, table or code block after it, if they fit.
//
// Headings, table headers and what is too large are treated as by Markdown. Options.Overlap
// applies only where a block is too large for one passage.
type Blocks struct{ m measure }

// NewBlocks returns a Blocks. It fails with [ErrOption].
func NewBlocks(o *Options) (*Blocks, error) {
	m, err := o.measure()
	if err != nil {
		return nil, err
	}
	return &Blocks{m}, nil
}

// Chunk cuts the text.
func (b *Blocks) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := newPacker(text, b.m, prose)
	all := parseBlocks(text, true)
	var path []Heading
	for at := 0; at < len(all); {
		n := at
		for n < len(all) && all[n].kind == headingBlock {
			path = descend(path, all[n].heading(text))
			n++
		}
		before := len(p.out)
		last := min(n, len(all)-1) // headings at the end of the text are a passage
		if n < len(all) {
			last = p.announced(all, at, n)
		}
		if start, end := trim(text, all[at].start, all[last].end); start < end && !p.exceeds(start, end) {
			p.add(Chunk{Start: start, End: end})
		} else {
			p.large(all[at].start, all[last])
		}
		headings := titles(path)
		for i := range p.out[before:] {
			p.out[before+i].Headings = headings
		}
		at = last + 1
	}
	return finish(text, slices.Clip(p.out), p.code), nil
}

// announced returns the last of the blocks that are in one passage with the block
// at n, whose headings begin at from: the list, table or code that it announces.
func (p *packer) announced(all []block, from, n int) int {
	if all[n].kind != paragraphBlock || !strings.HasSuffix(strings.TrimRight(p.text[all[n].start:all[n].end], " \t\r\n*_"), ":") {
		return n
	}
	last := n
	for i := n + 1; i < len(all); i++ {
		switch goesOn := i > n+1 && (all[i].kind == itemBlock && all[n+1].kind == itemBlock || all[i].inner); {
		case i > n+1 && !goesOn, all[i].kind == headingBlock:
			return last
		}
		if start, end := trim(p.text, all[from].start, all[i].end); p.exceeds(start, end) {
			return last
		}
		last = i
	}
	return last
}
