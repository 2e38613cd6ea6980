package chunk

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

// Markdown cuts a markdown text by its structure: a passage never crosses a
// heading and carries the path of headings above it; code fences and list items
// stay whole as long as they fit; each part of a table carries the table's
// header as its context. What fits nowhere is cut as prose is. No byte of the
// text is lost, and none is changed.
//
// It knows ATX and setext headings, fences (an unclosed one reaches to the end),
// pipe tables and list items; the rest is paragraphs.
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
// on from where a block begins.
func (m *Markdown) Resume(ctx context.Context, text string, above []Heading) (chunks []Chunk, next func(limit int) (int, []Heading), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	p := newPacker(text, m.m, prose)
	path := slices.Clone(above)
	all := parseBlocks(text)
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
		section, block := 0, 0 // the last that starts by then
		for i, b := range all {
			if b.start > limit {
				break
			}
			block = i
			if b.kind == headingBlock && (i == 0 || all[i-1].kind != headingBlock) {
				section = i
			}
		}
		if section == 0 {
			section = block // one section is larger than all that was read
		}
		path := slices.Clone(above)
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
	j, lastLarge := -1, -1 // the first block from i on that is no heading, and the last too large one up to it
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

// afterHeadings returns the first block from i on that is no heading.
func afterHeadings(blocks []block, i int) int {
	for i < len(blocks) && blocks[i].kind == headingBlock {
		i++
	}
	return i
}

// large cuts a block that doesn't fit, with the headings before it, which stay
// with what they head: a table or a fence between lines, the rest as prose.
func (p *packer) large(start int, b block) {
	before := len(p.out)
	at := 2 // between sentences: a heading is one
	if b.kind == tableBlock || b.kind == fenceBlock {
		at = 1
	}
	p.fill(start, b.end, at)
	if b.kind == tableBlock {
		head := p.text[b.start:tableHead(p.text, b.start)]
		for i := before + 1; i < len(p.out); i++ {
			p.out[i].Context = head
		}
	}
}

type blockKind uint8

const (
	paragraphBlock blockKind = iota
	headingBlock
	fenceBlock
	tableBlock
	itemBlock
	blankBlock // no block but the very first is one
)

// A block is a stretch of lines, with the blank lines after it.
type block struct {
	start, end int
	kind       blockKind
	level      uint8 // of a heading
}

// heading returns the heading that a block is.
func (b block) heading(text string) Heading {
	s := lineScanner{text: text[:b.end]}
	line, at := s.line(b.start)
	if level, title := atx(line); level > 0 {
		return Heading{level, title}
	}
	var title []string // of a setext heading: the lines before its underline
	for underline(line) == 0 || len(title) == 0 {
		title = append(title, strings.TrimSpace(line))
		line, at = s.line(at)
	}
	return Heading{int(b.level), strings.Join(title, " ")}
}

// tableHead returns where the header of the table at a place ends.
func tableHead(text string, at int) int {
	s := lineScanner{text: text}
	_, at = s.line(at)
	_, at = s.line(at)
	return at
}

// parseBlocks cuts a markdown text into blocks that cover it.
func parseBlocks(text string) []block {
	s := blockScanner{lineScanner: lineScanner{text: text}, out: make([]block, 0, 1+len(text)/200)}
	for s.at < len(text) {
		s.next()
	}
	return s.out
}

type blockScanner struct {
	lineScanner
	at  int
	out []block
}

// next scans one block.
func (s *blockScanner) next() {
	start := s.at
	line, after := s.line(start)
	b := block{start: start, kind: kindOf(line)}
	s.at = after
	switch {
	case b.kind == blankBlock:
		if n := len(s.out); n > 0 { // else blank lines at the very beginning
			s.out[n-1].end = after
			return
		}
	case b.kind == fenceBlock:
		s.at = s.fenceEnd(after, line)
	case b.kind == headingBlock:
		level, _ := atx(line)
		b.level = uint8(level)
	case s.isTable(line, after):
		b.kind = tableBlock
		_, s.at = s.line(after)
		s.rows()
	default:
		s.paragraph(&b)
	}
	b.end = s.at
	s.out = append(s.out, b)
}

// paragraph goes on to the end of a paragraph or list item; an underline makes
// the paragraph a heading.
func (s *blockScanner) paragraph(b *block) {
	for s.at < len(s.text) {
		line, after := s.line(s.at)
		if level := underline(line); level > 0 && b.kind == paragraphBlock {
			b.kind, b.level = headingBlock, level
			s.at = after
			return
		}
		if kindOf(line) != paragraphBlock || s.isTable(line, after) {
			return
		}
		s.at = after
	}
}

// rows goes on to the end of a table.
func (s *blockScanner) rows() {
	for s.at < len(s.text) {
		line, after := s.line(s.at)
		if strings.IndexByte(line, '|') < 0 {
			return
		}
		s.at = after
	}
}

// kindOf returns what a line begins, looked at alone; never a table.
func kindOf(line string) blockKind {
	bare := line
	for bare != "" && (bare[0] == ' ' || bare[0] == '\t') {
		bare = bare[1:]
	}
	if bare == "" {
		return blankBlock
	}
	switch c := bare[0]; {
	case c == '#':
		if level, _ := atx(line); level > 0 {
			return headingBlock
		}
	case c == '`' || c == '~':
		if _, n := fence(line); n > 0 {
			return fenceBlock
		}
	case c == '-' || c == '*' || c == '+':
		if len(bare) > 1 && bare[1] == ' ' {
			return itemBlock
		}
	case c >= '0' && c <= '9':
		rest := strings.TrimLeft(bare, "0123456789")
		if len(bare)-len(rest) < 10 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
			return itemBlock
		}
	case c < ' ' || c >= utf8.RuneSelf:
		if strings.TrimSpace(bare) == "" {
			return blankBlock
		}
	}
	return paragraphBlock
}

// fence returns the character of an opening code fence and its length.
func fence(line string) (mark byte, n int) {
	bare := strings.TrimLeft(line, " ")
	if len(line)-len(bare) > 3 || bare == "" || bare[0] != '`' && bare[0] != '~' {
		return 0, 0
	}
	n = len(bare) - len(strings.TrimLeft(bare, bare[:1]))
	if n < 3 || bare[0] == '`' && strings.Contains(bare[n:], "`") {
		return 0, 0
	}
	return bare[0], n
}

// fenceEnd returns the end of the fence that a line opens.
func (s *blockScanner) fenceEnd(at int, opening string) int {
	mark, n := fence(opening)
	for at < len(s.text) {
		var line string
		line, at = s.line(at)
		bare := strings.TrimSpace(line)
		if len(bare) >= n && strings.Trim(bare, string(mark)) == "" {
			break
		}
	}
	return at
}

// atx returns the level and title of a heading like "## Title ##"; level 0: it
// is none.
func atx(line string) (int, string) {
	bare := strings.TrimLeft(line, " ")
	if len(line)-len(bare) > 3 {
		return 0, ""
	}
	rest := strings.TrimLeft(bare, "#")
	level := len(bare) - len(rest)
	if level == 0 || level > 6 || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return 0, ""
	}
	title := strings.TrimSpace(rest)
	if cut := strings.TrimRight(title, "#"); cut == "" || strings.HasSuffix(cut, " ") {
		title = strings.TrimSpace(cut)
	}
	return level, title
}

// underline returns the level of the heading that a line of = or - makes of the
// line above, or 0.
func underline(line string) uint8 {
	bare := strings.TrimLeft(line, " ")
	if len(line)-len(bare) > 3 || bare == "" || bare[0] != '=' && bare[0] != '-' {
		return 0
	}
	if strings.TrimRight(strings.TrimLeft(bare, bare[:1]), " \t") != "" {
		return 0
	}
	if bare[0] == '=' {
		return 1
	}
	return 2
}

// isTable reports whether a line and the one after begin a pipe table.
func (s *blockScanner) isTable(line string, after int) bool {
	if strings.IndexByte(line, '|') < 0 || after >= len(s.text) {
		return false
	}
	rule, _ := s.line(after)
	return strings.Contains(rule, "-") && strings.Contains(rule, "|") && strings.Trim(rule, " \t|:-") == ""
}
