package chunk

import (
	"context"
	"slices"
	"strings"
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

// NewMarkdown returns a Markdown. It fails with [ErrSize] or [ErrOverlap].
func NewMarkdown(o *Options) (*Markdown, error) {
	m, err := o.measure()
	return &Markdown{m}, err
}

// Chunk cuts the text.
func (m *Markdown) Chunk(ctx context.Context, text string) ([]Chunk, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	chunks, _ := m.resume(text, nil)
	return chunks, nil
}

// resume cuts a text that has headings above it. next returns the last place at
// or before a limit where another text may go on, and the headings above that.
func (m *Markdown) resume(text string, above []heading) (chunks []Chunk, next func(limit int) (int, []heading)) {
	var out []piece
	path := slices.Clone(above)
	measure := m.m.on(text)
	all := parseBlocks(text)
	for blocks := all; len(blocks) > 0; {
		n := 0
		for n < len(blocks) && blocks[n].kind == headingBlock { // headings belong to what follows them
			path = descend(path, blocks[n])
			n++
		}
		for n < len(blocks) && blocks[n].kind != headingBlock {
			n++
		}
		out = append(out, section(measure, text, blocks[:n], titles(path))...)
		blocks = blocks[n:]
	}
	return finish(text, out), func(limit int) (int, []heading) {
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
				path = descend(path, b)
			}
		}
		return all[section].start, path
	}
}

type heading struct {
	level int
	title string
}

func descend(path []heading, b block) []heading {
	for len(path) > 0 && path[len(path)-1].level >= b.level {
		path = path[:len(path)-1]
	}
	return append(path, heading{b.level, b.title})
}

func titles(path []heading) []string {
	out := make([]string, 0, len(path))
	for _, h := range path {
		if h.title != "" {
			out = append(out, h.title)
		}
	}
	return out
}

// section packs the blocks under one heading.
func section(m measure, text string, blocks []block, headings []string) []piece {
	p := packer{measure: m, text: text, levels: prose}
	pieces := make([]piece, len(blocks))
	for i, b := range blocks {
		pieces[i] = piece{start: b.start, end: b.end}
	}
	p.weigh(pieces)
	j, lastLarge := -1, -1 // the first block from i on that is no heading, and the last too large one up to it
	for i := 0; i < len(pieces); {
		if i > j {
			j = min(afterHeadings(blocks, i), len(blocks)-1)
			for k := i; k <= j; k++ {
				if p.tooLarge(pieces[k]) {
					lastLarge = k
				}
			}
		}
		if lastLarge >= i {
			b := blocks[j]
			b.start = blocks[i].start // a heading stays with what it heads
			large(&p, b)
			i = j + 1
			continue
		}
		n := p.fit(pieces[i:])
		p.emit(pieces[i].start, pieces[i+n-1].end)
		i = p.next(pieces, i, i+n)
	}
	for i := range p.out {
		p.out[i].headings = slices.Clone(headings)
	}
	return p.out
}

// afterHeadings returns the first block from i on that is no heading.
func afterHeadings(blocks []block, i int) int {
	for i < len(blocks) && blocks[i].kind == headingBlock {
		i++
	}
	return i
}

// large cuts a block that doesn't fit, with the headings before it: a table or
// a fence between lines, the rest as prose.
func large(p *packer, b block) {
	before := len(p.out)
	at := 2 // between sentences: a heading is one
	if b.kind == tableBlock || b.kind == fenceBlock {
		at = 1
	}
	p.fill(b.start, b.end, at)
	if b.kind == tableBlock {
		for i := before + 1; i < len(p.out); i++ {
			p.out[i].context = p.text[b.table:b.head]
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
)

// A block is a stretch of lines, with the blank lines after it.
type block struct {
	kind        blockKind
	start, end  int
	level       int    // of a heading
	title       string // of a heading
	table, head int    // of a table: where its header rows begin and end
}

// parseBlocks cuts a markdown text into blocks that cover it.
func parseBlocks(text string) []block {
	s := blockScanner{text: text}
	for s.at < len(text) {
		s.next()
	}
	return s.out
}

type blockScanner struct {
	text string
	at   int
	out  []block
}

// line returns the line at a place, without its end, and the place after it.
func (s *blockScanner) line(at int) (string, int) {
	rest := s.text[at:]
	i := strings.IndexAny(rest, "\r\n")
	if i < 0 {
		return rest, len(s.text)
	}
	if strings.HasPrefix(rest[i:], "\r\n") {
		return rest[:i], at + i + 2
	}
	return rest[:i], at + i + 1
}

// next scans one block.
func (s *blockScanner) next() {
	start := s.at
	line, after := s.line(start)
	b := block{start: start}
	mark, closing := fence(line)
	switch {
	case strings.TrimSpace(line) == "":
		s.at = after // blank lines at the very beginning; later ones end their block
		if len(s.out) > 0 {
			s.out[len(s.out)-1].end = after
			return
		}
		b.end = after
		s.out = append(s.out, b)
		return
	case mark != 0:
		b.kind = fenceBlock
		s.at = s.fenceEnd(after, mark, closing)
	case isATX(line):
		b.kind = headingBlock
		b.level, b.title = atx(line)
		s.at = after
	case s.isTable(line, after):
		b.kind = tableBlock
		b.table = start
		_, b.head = s.line(after)
		s.at = s.runEnd(b.head, func(l string) bool { return strings.Contains(l, "|") })
	default:
		if isItem(line) {
			b.kind = itemBlock
		}
		s.at = after
		s.paragraph(&b, line)
	}
	b.end = s.at
	s.out = append(s.out, b)
}

// paragraph goes on to the end of a paragraph or list item; an underline makes
// the paragraph a heading.
func (s *blockScanner) paragraph(b *block, first string) {
	title := []string{strings.TrimSpace(first)}
	for s.at < len(s.text) {
		line, after := s.line(s.at)
		mark, _ := fence(line)
		if strings.TrimSpace(line) == "" || mark != 0 || isATX(line) || isItem(line) {
			return
		}
		if level := underline(line); level > 0 && b.kind == paragraphBlock {
			b.kind, b.level, b.title = headingBlock, level, strings.Join(title, " ")
			s.at = after
			return
		}
		if s.isTable(line, after) {
			return
		}
		title = append(title, strings.TrimSpace(line))
		s.at = after
	}
}

func (s *blockScanner) runEnd(at int, more func(string) bool) int {
	for at < len(s.text) {
		line, after := s.line(at)
		if strings.TrimSpace(line) == "" || !more(line) {
			break
		}
		at = after
	}
	return at
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

// fenceEnd returns the end of a fence that was opened by n marks.
func (s *blockScanner) fenceEnd(at int, mark byte, n int) int {
	for at < len(s.text) {
		line, after := s.line(at)
		at = after
		bare := strings.TrimSpace(line)
		if len(bare) >= n && strings.Trim(bare, string(mark)) == "" {
			break
		}
	}
	return at
}

func isATX(line string) bool {
	level, _ := atx(line)
	return level > 0
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
func underline(line string) int {
	bare := strings.TrimSpace(line)
	switch {
	case bare == "" || strings.HasPrefix(line, "    "):
		return 0
	case strings.Trim(bare, "=") == "":
		return 1
	case strings.Trim(bare, "-") == "":
		return 2
	}
	return 0
}

// isItem reports whether a line begins a list item.
func isItem(line string) bool {
	bare := strings.TrimLeft(line, " \t")
	for _, mark := range []string{"- ", "* ", "+ "} {
		if strings.HasPrefix(bare, mark) {
			return true
		}
	}
	rest := strings.TrimLeft(bare, "0123456789")
	n := len(bare) - len(rest)
	return n > 0 && n < 10 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

// isTable reports whether a line and the one after begin a pipe table.
func (s *blockScanner) isTable(line string, after int) bool {
	if !strings.Contains(line, "|") || after >= len(s.text) {
		return false
	}
	rule, _ := s.line(after)
	return strings.Contains(rule, "-") && strings.Contains(rule, "|") && strings.Trim(rule, " \t|:-") == ""
}
