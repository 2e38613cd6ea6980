package html

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
	"golang.org/x/net/html/charset"

	"github.com/prodailabs/prodai/retrieve/load"
)

// Load loads an HTML page. White space is one space, as a browser shows it, except in <pre>;
// blocks are lines of their own, and the cells of a table's row are separated by " | ". Each
// heading begins a section; the title is that of <title>.
//
// What a reader doesn't see is left out: scripts, styles, comments, forms' options, and
// elements that are hidden by their attributes. A page can also hide text by a style sheet,
// which isn't read, so the text is untrusted all the same.
//
// A page in another encoding than UTF-8 is converted by its declaration, and has no places
// then. It is a load.Loader.
func Load(ctx context.Context, name string, r io.Reader, o *load.Options) (*load.Document, error) {
	data, limits, err := load.Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	p := &page{b: load.NewBuilder(name, limits), placed: true, ctx: ctx}
	if !utf8.Valid(data) {
		if data, err = convert(data, limits.MaxText); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", load.ErrEncoding, name, err)
		}
		p.placed = false
	} else {
		p.b.Lines(data)
	}
	if err := p.read(data); err != nil {
		return nil, fmt.Errorf("load: %s: %w", name, err)
	}
	return p.b.Document()
}

// convert returns a page in UTF-8.
func convert(data []byte, limit int) ([]byte, error) {
	r, err := charset.NewReader(bytes.NewReader(data), "")
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 8*int64(limit)))
}

type page struct {
	ctx    context.Context
	b      *load.Builder
	placed bool // the text is the file's own bytes

	skip    string // the element that is left out, "" for none
	skipped int    // how many of its name are open
	pre     int
	level   int // of the heading that is open, 0 for none
	heading strings.Builder
	title   bool
	titled  strings.Builder
	space   bool // white space is due before the next text
	spaceAt load.Place
	cell    bool // the next cell of a row is not the first
}

// invisible are elements whose text is not shown.
var invisible = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Noscript: true, atom.Svg: true, atom.Math: true,
	atom.Iframe: true, atom.Object: true, atom.Canvas: true, atom.Audio: true, atom.Video: true, atom.Select: true, atom.Datalist: true, atom.Textarea: true,
}

// blocks begin and end on lines of their own.
var blocks = map[atom.Atom]bool{
	atom.Address: true, atom.Article: true, atom.Aside: true, atom.Blockquote: true, atom.Body: true, atom.Caption: true, atom.Dd: true, atom.Details: true, atom.Div: true,
	atom.Dl: true, atom.Dt: true, atom.Fieldset: true, atom.Figcaption: true, atom.Figure: true, atom.Footer: true, atom.Form: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Header: true, atom.Hr: true, atom.Li: true, atom.Main: true,
	atom.Nav: true, atom.Ol: true, atom.P: true, atom.Pre: true, atom.Section: true, atom.Summary: true, atom.Table: true, atom.Tbody: true,
	atom.Tfoot: true, atom.Thead: true, atom.Tr: true, atom.Ul: true,
}

// void elements have no end.
var void = map[atom.Atom]bool{
	atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true, atom.Input: true, atom.Link: true, atom.Meta: true,
	atom.Param: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

// paragraphs end a paragraph above them.
func isParagraph(a atom.Atom) bool {
	return blocks[a] && a != atom.Tr && a != atom.Li && a != atom.Tbody && a != atom.Thead && a != atom.Tfoot && a != atom.Dd && a != atom.Dt
}

func (p *page) read(data []byte) error {
	z := html.NewTokenizer(bytes.NewReader(data))
	at := 0
	for n := 0; ; n++ {
		kind := z.Next()
		raw := z.Raw()
		start := at
		at += len(raw)
		if n%4096 == 0 && p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		switch kind {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: %w", load.ErrFormat, err)
			}
			return p.b.Err()
		case html.TextToken:
			p.text(string(raw), start)
		case html.StartTagToken, html.SelfClosingTagToken:
			p.open(z, kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := z.TagName()
			p.close(string(name))
		}
		if p.b.Err() != nil {
			return p.b.Err()
		}
	}
}

func (p *page) open(z *html.Tokenizer, closed bool) {
	name, more := z.TagName()
	tag := string(name)
	a := atom.Lookup(name)
	if p.skip != "" {
		if tag == p.skip && !void[a] && !closed {
			p.skipped++
		}
		return
	}
	hidden := invisible[a]
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		hidden = hidden || hides(string(key), string(value))
	}
	if hidden && !void[a] {
		if !closed || a == atom.Script || a == atom.Style { // the slash means nothing in HTML
			p.skip, p.skipped = tag, 1
		}
		return
	}
	switch a {
	case atom.Title:
		p.title = true
	case atom.Br:
		p.line("\n")
	case atom.Pre:
		p.pre++
	case atom.Td, atom.Th:
		if p.cell {
			p.space = false
			p.b.Space(" | ")
		}
		p.cell = true
	case atom.Tr:
		p.cell = false
	}
	p.border(a)
	if level := levelOf(a); level > 0 && p.level == 0 {
		p.b.Heading(level, "")
		p.level = level
		p.heading.Reset()
	}
}

// hides reports whether an attribute hides its element.
func hides(key, value string) bool {
	switch key {
	case "hidden":
		return true
	case "aria-hidden":
		return strings.EqualFold(strings.TrimSpace(value), "true")
	case "style":
		compact := strings.ToLower(strings.Join(strings.Fields(value), ""))
		return strings.Contains(compact, "display:none") || strings.Contains(compact, "visibility:hidden")
	}
	return false
}

func levelOf(a atom.Atom) int {
	switch a {
	case atom.H1:
		return 1
	case atom.H2:
		return 2
	case atom.H3:
		return 3
	case atom.H4:
		return 4
	case atom.H5:
		return 5
	case atom.H6:
		return 6
	}
	return 0
}

func (p *page) close(tag string) {
	if p.skip != "" {
		if tag == p.skip {
			if p.skipped--; p.skipped == 0 {
				p.skip = ""
			}
		}
		return
	}
	a := atom.Lookup([]byte(tag))
	switch {
	case a == atom.Title:
		if p.title {
			p.b.Title(p.titled.String())
		}
		p.title = false
	case a == atom.Pre && p.pre > 0:
		p.pre--
	case levelOf(a) > 0 && p.level > 0:
		p.b.Rename(p.level, p.heading.String())
		p.level = 0
	}
	p.border(a)
}

// border begins a line where a block begins or ends.
func (p *page) border(a atom.Atom) {
	if blocks[a] {
		if p.line("\n"); isParagraph(a) && !p.b.HasSuffix("\n\n") {
			p.line("\n\n")
		}
	}
}

// line ends a line, if there is one, and forgets the white space that is due.
func (p *page) line(end string) {
	p.space = false
	p.b.Space(end)
}

// text writes a text token. raw is as in the file, with its references.
func (p *page) text(raw string, at int) {
	if p.skip != "" {
		return
	}
	if p.title {
		p.titled.WriteString(html.UnescapeString(raw[:min(len(raw), 1000)]))
		return
	}
	for len(raw) > 0 {
		n := piece(raw)
		part := raw[:n]
		raw = raw[n:]
		place := load.Place{Start: at, End: at + n}
		at += n
		if !p.placed {
			place = load.Place{}
		}
		switch {
		case strings.IndexByte(" \t\n\r\f", part[0]) >= 0:
			if p.pre > 0 {
				p.put(part, place)
			} else if !p.space {
				p.space, p.spaceAt = true, place
			}
			if p.level > 0 {
				p.heading.WriteByte(' ')
			}
		case part[0] == '&':
			p.put(html.UnescapeString(part), place)
		default:
			p.put(part, place)
		}
	}
}

func (p *page) put(text string, place load.Place) {
	if p.space && p.b.Len() > 0 && !p.b.HasSuffix("\n") && !p.b.HasSuffix(" | ") {
		p.b.Write(" ", p.spaceAt)
	}
	p.space = false
	p.b.Write(strings.ToValidUTF8(text, "\ufffd"), place)
	if p.level > 0 && p.heading.Len() < 1000 {
		p.heading.WriteString(text)
	}
}

// piece returns the length of the next part of a raw text: white space, a reference, or the
// text up to one of these.
func piece(raw string) int {
	const white = " \t\n\r\f"
	if strings.IndexByte(white, raw[0]) >= 0 {
		return len(raw) - len(strings.TrimLeft(raw, white))
	}
	if raw[0] == '&' {
		const longest = 40 // of a reference
		for i := 1; i < min(len(raw), longest); i++ {
			c := raw[i]
			switch {
			case c == ';':
				return i + 1
			case c == '#' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			default:
				return i
			}
		}
		return min(len(raw), longest)
	}
	if i := strings.IndexAny(raw, white+"&"); i > 0 {
		return i
	}
	return len(raw)
}
