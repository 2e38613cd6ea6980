package chunk

import "strings"

// A cursor is a place in a line of markdown, in bytes and in columns: a tab
// reaches to the next multiple of four. Where a container takes a part of a tab,
// pos stays at the tab and col is inside of it.
type cursor struct {
	line          string
	pos, col      int
	next, nextCol int // what look found; for a deep list it would be looked for often
	looked        bool
}

// look returns where the next byte is that isn't a space or tab, and how many
// columns are before it.
func (c *cursor) look() (next, indent int) {
	if c.looked && c.pos <= c.next {
		return c.next, c.nextCol - c.col
	}
	col := c.col
	for next = c.pos; next < len(c.line); next++ {
		if c.line[next] == ' ' {
			col++
		} else if c.line[next] == '\t' {
			col += 4 - col%4
		} else {
			break
		}
	}
	c.next, c.nextCol, c.looked = next, col, true
	return next, col - c.col
}

// skip moves over columns of spaces and tabs.
func (c *cursor) skip(columns int) {
	for to := c.col + columns; c.col < to && c.pos < len(c.line); c.pos++ {
		if c.line[c.pos] == ' ' {
			c.col++
			continue
		}
		tab := c.col + 4 - c.col%4
		if c.col = min(tab, to); tab > to {
			return
		}
	}
}

// quote moves over the mark of a quote, ">", and the space after it.
func (c *cursor) quote() {
	_, indent := c.look()
	c.skip(indent)
	c.pos, c.col = c.pos+1, c.col+1
	if next, _ := c.look(); next > c.pos {
		c.skip(1)
	}
}

// item moves over the mark of a list item, of length n, and returns the item.
func (c *cursor) item(n int) container {
	_, indent := c.look()
	c.skip(indent)
	c.pos, c.col = c.pos+n, c.col+n
	next, gap := c.look()
	blank := next == len(c.line)
	if blank || gap > 4 { // what is indented more is code
		gap = 1
	}
	c.skip(gap)
	return container{item: true, width: indent + n + gap, empty: blank}
}

// listMark returns the length of the mark of a list item that text begins with, or
// 0. Not every item can come inside of a paragraph.
func listMark(text string, inParagraph bool) int {
	n := 1
	switch c := text[0]; {
	case c == '-' || c == '*' || c == '+':
	case c >= '0' && c <= '9':
		for n < len(text) && text[n] >= '0' && text[n] <= '9' {
			n++
		}
		if n > 9 || n == len(text) || text[n] != '.' && text[n] != ')' {
			return 0
		}
		if inParagraph && strings.TrimLeft(text[:n], "0") != "1" {
			return 0
		}
		n++
	default:
		return 0
	}
	if n < len(text) && text[n] != ' ' && text[n] != '\t' || inParagraph && strings.Trim(text[n:], " \t") == "" {
		return 0
	}
	return n
}

// A codeFence is the beginning of fenced code: its character and their number.
type codeFence struct {
	mark byte
	n    int
}

// openFence returns the fence that text begins with.
func openFence(text string) (f codeFence, ok bool) {
	if text[0] != '`' && text[0] != '~' {
		return f, false
	}
	f = codeFence{text[0], len(text) - len(strings.TrimLeft(text, text[:1]))}
	return f, f.n >= 3 && (f.mark == '~' || strings.IndexByte(text[f.n:], '`') < 0)
}

// closedBy reports whether a line closes the fence.
func (f *codeFence) closedBy(c *cursor) bool {
	next, indent := c.look()
	bare := strings.TrimRight(c.line[next:], " \t")
	return indent <= 3 && len(bare) >= f.n && strings.Trim(bare, string(f.mark)) == ""
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
	title := strings.Trim(rest, " \t")
	if cut := strings.TrimRight(title, "#"); cut == "" || strings.HasSuffix(cut, " ") || strings.HasSuffix(cut, "\t") {
		title = cut
	}
	return level, strings.TrimSpace(title)
}

// underline returns the level of the heading that a line of = or - makes of the
// lines above, or 0.
func underline(text string) uint8 {
	if text[0] != '=' && text[0] != '-' {
		return 0
	}
	if strings.TrimRight(strings.TrimLeft(text, text[:1]), " \t") != "" {
		return 0
	}
	if text[0] == '=' {
		return 1
	}
	return 2
}

// thematicBreak reports whether text is a line across the page, such as "* * *".
func thematicBreak(text string) bool {
	mark := text[0]
	if mark != '*' && mark != '-' && mark != '_' {
		return false
	}
	n := 0
	for i := range len(text) {
		switch text[i] {
		case mark:
			n++
		case ' ', '\t':
		default:
			return false
		}
	}
	return n >= 3
}
