package chunk

import "strings"

type blockKind uint8

const (
	paragraphBlock blockKind = iota // a block of no other kind
	headingBlock                    // of the document: not in a list item or quote
	fenceBlock                      // fenced code, or front matter
	htmlBlock                       // HTML that may contain blank lines: a comment, <pre>
	tableBlock
	itemBlock
)

// A block is a stretch of lines, with the blank lines after it.
type block struct {
	start, end int
	kind       blockKind
	inner      bool  // it begins in a list item or quote that began before it
	level      uint8 // of a heading
	from, to   int   // of a setext heading: the lines of its title
}

// heading returns the heading that a block is.
func (b *block) heading(text string) Heading {
	s := lineScanner{text: text[:b.end]}
	if b.from == b.to {
		line, _ := s.line(b.from)
		_, title := atx(line)
		return Heading{int(b.level), title}
	}
	var title []string
	for at := b.from; at < b.to; {
		var line string
		line, at = s.line(at)
		title = append(title, strings.TrimSpace(line))
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

// parseBlocks cuts a markdown text into blocks that cover it. Only where the whole
// text begins there can be front matter and a byte order mark.
//
// Headings are found as in the first phase of CommonMark's parsing strategy (spec
// 0.31.2, appendix), with GitHub's tables.
func parseBlocks(text string, begins bool) []block {
	s := blockScanner{
		lineScanner: lineScanner{text: text, noCR: strings.IndexByte(text, '\r') < 0},
		out:         make([]block, 0, 1+len(text)/200),
	}
	if begins {
		s.after = len(text) - len(strings.TrimPrefix(text, bom))
		if end := frontMatter(text, s.after); end > s.after {
			s.out = append(s.out, block{kind: fenceBlock})
			s.after = end
		}
	}
	for s.after < len(text) {
		s.at = s.after
		var line string
		line, s.after = s.line(s.at)
		s.scan(line)
	}
	if len(s.out) == 0 && len(text) > 0 {
		return []block{{end: len(text)}}
	}
	for i := range s.out {
		s.out[i].end = len(text)
		if i+1 < len(s.out) {
			s.out[i].end = s.out[i+1].start
		}
	}
	if len(s.out) > 0 {
		s.out[0].start = 0 // blank lines, a byte order mark
	}
	return s.out
}

// A blockScanner scans a text line by line. open and leaf are the blocks that the
// next line may go on with.
type blockScanner struct {
	lineScanner
	out       []block
	at, after int  // the line
	inner     bool // it goes on with a container
	quoted    bool // which is a quote, or in one

	open      []container // the outermost first
	leaf      leaf
	paragraph int       // where the paragraph begins
	code      codeFence // the open one
	html      htmlKind  // the open one
}

// A container is an open list item or quote.
type container struct {
	item  bool
	width int  // of an item: the columns before its content
	empty bool // an item that has no content so far
}

// A leaf is the block that lines of text go into.
type leaf uint8

const (
	noLeaf leaf = iota
	paragraphLeaf
	tableLeaf
	fenceLeaf
	htmlLeaf
	codeLeaf // indented code
)

// begin begins a block at the line, unless the line belongs to a quote that goes
// on: a quote is one block.
func (s *blockScanner) begin(kind blockKind, leaf leaf) {
	s.leaf = leaf
	if !s.quoted {
		s.out = append(s.out, block{start: s.at, from: s.at, to: s.at, kind: kind, inner: s.inner})
	}
}

// scan scans a line.
func (s *blockScanner) scan(line string) {
	if len(s.open) == 0 && s.scanPlain(line) {
		return
	}
	c := cursor{line: line}
	matched := s.match(&c)
	if matched < len(s.open) && s.leaf != paragraphLeaf {
		s.close(matched)
	}
	next, _ := c.look()
	blank := next == len(line)
	switch {
	case s.leaf == fenceLeaf:
		if s.code.closedBy(&c) {
			s.leaf = noLeaf
		}
	case s.leaf == htmlLeaf && !(blank && s.html.endsBlank()):
		if s.html.endsIn(line[next:]) {
			s.leaf = noLeaf
		}
	case blank:
		s.close(matched)
	default:
		s.start(&c, matched)
	}
}

// scanPlain scans a line outside of containers that needs no more than a look at
// its first byte.
func (s *blockScanner) scanPlain(line string) bool {
	if s.leaf > paragraphLeaf {
		return false
	}
	if line == "" {
		s.leaf = noLeaf
		return true
	}
	if mayBeginBlock[line[0]] || strings.IndexByte(line, '|') >= 0 {
		return false
	}
	if s.leaf == noLeaf {
		s.paragraph, s.inner, s.quoted = s.at, false, false
		s.begin(paragraphBlock, paragraphLeaf)
	}
	return true
}

// mayBeginBlock are the bytes with which a line can begin that isn't text.
var mayBeginBlock = func() (out [256]bool) {
	for _, c := range []byte(" \t#>-+*_=`~<0123456789") {
		out[c] = true
	}
	return out
}()

// close closes the containers but for the first n, and the leaf.
func (s *blockScanner) close(n int) { s.open, s.leaf = s.open[:n], noLeaf }

// match moves over the marks of the containers that go on in this line, and returns
// how many they are.
func (s *blockScanner) match(c *cursor) (n int) {
	s.quoted = false
loop:
	for ; n < len(s.open); n++ {
		o := &s.open[n]
		next, indent := c.look()
		blank := next == len(c.line)
		switch {
		case o.item && blank && !o.empty:
		case o.item && !blank && indent >= o.width:
			c.skip(o.width)
			o.empty = false
		case !o.item && !blank && indent <= 3 && c.line[next] == '>':
			c.quote()
			s.quoted = true
		default:
			break loop
		}
	}
	s.inner = n > 0
	return n
}

// start opens the blocks that begin in a line whose containers are matched up to n.
// A line of text that begins no block goes on with an open paragraph.
func (s *blockScanner) start(c *cursor, n int) {
	matched := n
	for s.startContainer(c, n) {
		n++
	}
	kind, leaf, begins := s.startLeaf(c, n)
	if !begins {
		return
	}
	s.open = s.open[:n]
	if n > matched { // what begins is what the outermost new container is
		switch {
		case !s.open[matched].item:
			kind = paragraphBlock
		case kind != tableBlock:
			kind = itemBlock
		}
	}
	s.begin(kind, leaf)
	if kind == headingBlock {
		level, _ := atx(c.line)
		s.out[len(s.out)-1].level = uint8(level)
	}
}

// deepest limits the open containers and so the work for a line. CommonMark has no
// limit; deeper marks are text here.
const deepest = 100

// startContainer opens the container that begins where c is, after the first n.
func (s *blockScanner) startContainer(c *cursor, n int) bool {
	next, indent := c.look()
	rest := c.line[next:]
	if rest == "" || indent > 3 || n == deepest {
		return false
	}
	if rest[0] == '>' {
		s.close(n)
		c.quote()
		s.open = append(s.open, container{})
		return true
	}
	inside := s.inText() && n == len(s.open)
	mark := listMark(rest, inside)
	if mark == 0 || inside && underline(rest) > 0 || thematicBreak(rest) {
		return false
	}
	s.close(n)
	s.open = append(s.open, c.item(mark))
	return true
}

// startLeaf returns the kind of leaf that begins in a line after its n containers,
// or none where a block such as a paragraph goes on.
func (s *blockScanner) startLeaf(c *cursor, n int) (kind blockKind, leaf leaf, begins bool) {
	next, indent := c.look()
	rest := c.line[next:]
	goesOn := s.inText() // perhaps without the marks of its containers
	if rest == "" {      // after a mark
		return paragraphBlock, noLeaf, true
	}
	if indent > 3 {
		return paragraphBlock, codeLeaf, !goesOn && s.leaf != codeLeaf
	}
	if level, _ := atx(rest); level > 0 {
		if n > 0 {
			return paragraphBlock, noLeaf, true
		}
		return headingBlock, noLeaf, true
	}
	if code, ok := openFence(rest); ok {
		s.code = code
		return fenceBlock, fenceLeaf, true
	}
	if html := htmlStart(rest, goesOn); html > 0 {
		return s.startHTML(html, rest)
	}
	if level := underline(rest); level > 0 && s.leaf == paragraphLeaf && n == len(s.open) && s.setext(level) {
		return 0, noLeaf, false
	}
	if thematicBreak(rest) {
		return paragraphBlock, noLeaf, true
	}
	return s.startText(c.line, n)
}

func (s *blockScanner) startHTML(html htmlKind, rest string) (blockKind, leaf, bool) {
	s.html = html
	switch {
	case html.endsBlank():
		return paragraphBlock, htmlLeaf, true
	case html.endsIn(rest):
		return htmlBlock, noLeaf, true
	}
	return htmlBlock, htmlLeaf, true
}

// startText is startLeaf for a line of text.
func (s *blockScanner) startText(line string, n int) (blockKind, leaf, bool) {
	pipe := strings.IndexByte(line, '|') >= 0
	lazy := n < len(s.open)
	if pipe && !lazy && !s.quoted && s.leaf != tableLeaf && s.isTable(s.after) {
		_, s.after = s.line(s.after)
		return tableBlock, tableLeaf, true
	}
	if s.leaf == tableLeaf && !pipe { // by the rules a row of one cell, but probably text
		return paragraphBlock, tableLeaf, true
	}
	if s.inText() {
		return 0, s.leaf, false
	}
	s.paragraph = s.at
	return paragraphBlock, paragraphLeaf, true
}

// inText reports whether a line of text goes on with the open leaf.
func (s *blockScanner) inText() bool { return s.leaf == paragraphLeaf || s.leaf == tableLeaf }

// setext makes a heading of the paragraph, which the line underlines. Definitions
// of links don't belong to a title; if there is nothing else, there is no heading.
func (s *blockScanner) setext(level uint8) bool {
	from := s.paragraph + definitions(s.text[s.paragraph:s.at])
	if from == s.at {
		return false
	}
	if s.leaf = noLeaf; len(s.open) == 0 {
		b := &s.out[len(s.out)-1]
		b.kind, b.level, b.from, b.to = headingBlock, level, from, s.at
	}
	return true
}

// isTable reports whether the line that begins at after is the rule under a pipe
// table's head.
func (s *blockScanner) isTable(after int) bool {
	if after >= len(s.text) {
		return false
	}
	rule, _ := s.line(after)
	return strings.Contains(rule, "-") && strings.Contains(rule, "|") && strings.Trim(rule, " \t|:-") == ""
}
