package load

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
)

// A Place is where in a file a text is from. What the format doesn't have is 0.
type Place struct {
	// Start and End are the bytes [Start, End) of the file, or of its part Part: of
	// Markdown, HTML, CSV and plain text those of the file itself, of DOCX those of
	// word/document.xml in the archive. Both 0: the format has none (PDF), or the file
	// was converted from another encoding.
	Start, End int
	Part       string

	Line      int // of the first byte, from 1: Markdown, HTML, CSV, plain text
	Page      int // from 1: PDF
	Row       int // from 1, the heading row not counted: CSV
	Paragraph int // from 1: DOCX

	// Box is the rectangle on the page in points (1/72 inch) from its lower left corner:
	// left, bottom, right, top. PDF only.
	Box [4]float64
}

// The metadata keys that [Document.Documents] and [Document.Locate] set beside those of
// package chunk.
const (
	KeyFileStart = "file_start" // number: first byte in the file (or in its part)
	KeyFileEnd   = "file_end"   // number: byte after the last
	KeyPart      = "part"       // string: the part of an archive that the bytes are of
	KeyLine      = "line"       // number
	KeyPage      = "page"       // number
	KeyRow       = "row"        // number
	KeyParagraph = "paragraph"  // number
	KeyTitle     = "title"      // string: the document's title
)

// A Section is a part of a document as its author made it: the text under a heading, a
// page, a row of a table.
type Section struct {
	Start, End int    // bytes of Document.Text
	Heading    string // the headings above, outermost first, joined by " > "
}

// A Document is what was read of a file.
type Document struct {
	Source   string // the name that it was loaded under
	Title    string // "" if it has none
	Text     string // what is to be read; all offsets but those of a Place are its bytes
	Meta     map[string]any
	Sections []Section // in order; between two there is only white space

	runs  []run
	lines []int // where each line of the file begins
}

// A run is a part of the text with its place. The bytes of an exact run are those of the
// file, one by one.
type run struct {
	start, end int
	place      Place
	exact      bool
}

// Place returns where the bytes [start, end) of the text are from, and whether that is
// known. Start and End of the place are exact where the text is that of the file; where the
// file has another form, such as "&amp;" for "&", they include the whole form.
func (d *Document) Place(start, end int) (Place, bool) {
	first, _ := slices.BinarySearchFunc(d.runs, start, func(r run, at int) int { return cmp.Compare(r.end, at+1) })
	var p Place
	found := false
	for _, r := range d.runs[min(first, len(d.runs)):] {
		if r.start >= end || start >= end {
			break
		}
		at := r.place
		if r.exact {
			at.Start += max(start, r.start) - r.start
			at.End -= r.end - min(end, r.end)
		}
		if !found {
			p, found = at, true
			continue
		}
		p.Start, p.End = min(p.Start, at.Start), max(p.End, at.End)
		if p.Page == at.Page && p.Page > 0 {
			p.Box = [4]float64{min(p.Box[0], at.Box[0]), min(p.Box[1], at.Box[1]), max(p.Box[2], at.Box[2]), max(p.Box[3], at.Box[3])}
		}
	}
	if found && d.lines != nil && p.End > 0 {
		line, exact := slices.BinarySearch(d.lines, p.Start)
		if p.Line = line; exact {
			p.Line++
		}
	}
	return p, found
}

// Documents returns the sections as documents with the metadata keys "source", "start",
// "end", "heading", those of the place, and Meta. Sections may be of any size, so a program
// often cuts Text with a chunker instead, and calls [Document.Locate].
func (d *Document) Documents() []schema.Document {
	var out []schema.Document
	for _, s := range d.Sections {
		text := d.Text[s.Start:s.End]
		if strings.TrimSpace(text) == "" {
			continue
		}
		meta := maps.Clone(d.Meta)
		if meta == nil {
			meta = map[string]any{}
		}
		meta[docmeta.Source], meta[docmeta.Start], meta[docmeta.End] = d.Source, s.Start, s.End
		if s.Heading != "" {
			meta[docmeta.Heading] = s.Heading
		}
		if d.Title != "" {
			meta[KeyTitle] = d.Title
		}
		d.mark(meta, s.Start, s.End)
		out = append(out, schema.Document{PageContent: text, Metadata: meta})
	}
	return out
}

// Locate adds the place in the file to the metadata of passages that a chunker cut of Text,
// by their "start" and "end". It changes the metadata of the passages given. A passage
// without offsets, or with others than those of Text, is left alone.
func (d *Document) Locate(passages []schema.Document) {
	for _, p := range passages {
		if start, end, ok := docmeta.Span(p.Metadata); ok && end <= len(d.Text) {
			d.mark(p.Metadata, start, end)
		}
	}
}

func (d *Document) mark(meta map[string]any, start, end int) {
	p, ok := d.Place(start, end)
	if !ok {
		return
	}
	if p.End > 0 {
		meta[KeyFileStart], meta[KeyFileEnd] = p.Start, p.End
	}
	if p.Part != "" {
		meta[KeyPart] = p.Part
	}
	for key, n := range map[string]int{KeyLine: p.Line, KeyPage: p.Page, KeyRow: p.Row, KeyParagraph: p.Paragraph} {
		if n > 0 {
			meta[key] = n
		}
	}
}

// A Builder makes a [Document]. It is for authors of loaders.
type Builder struct {
	d        Document
	b        strings.Builder
	max      int
	headings [6]string
	begun    int // of the current section
	err      error
}

// NewBuilder returns a Builder for a file. Its text may have limits.MaxText bytes.
func NewBuilder(source string, limits Options) *Builder {
	return &Builder{d: Document{Source: source, Meta: map[string]any{}}, max: limits.MaxText}
}

// Lines lets the document find the lines of places by the bytes of the file.
func (b *Builder) Lines(file []byte) {
	b.d.lines = []int{0}
	for i, c := range file {
		if c == '\n' {
			b.d.lines = append(b.d.lines, i+1)
		}
	}
}

// Write appends a text with its place; the zero Place is unknown. If the place has as many
// bytes as the text, they are taken to be the same bytes.
func (b *Builder) Write(text string, p Place) {
	if text == "" || !b.fits(len(text)) {
		return
	}
	start := b.b.Len()
	b.b.WriteString(text)
	if p == (Place{}) {
		return
	}
	r := run{start, start + len(text), p, p.End > p.Start && p.End-p.Start == len(text)}
	if n := len(b.d.runs); n > 0 && r.exact {
		last := &b.d.runs[n-1]
		before := last.place
		before.Start, before.End = p.Start, p.End
		if last.exact && last.end == start && last.place.End == p.Start && before == p {
			last.end, last.place.End = r.end, p.End
			return
		}
	}
	b.d.runs = append(b.d.runs, r)
}

// Space appends white space, or another separator that is not in the file, unless the text is
// empty or ends with it.
func (b *Builder) Space(space string) {
	text := b.b.String()
	if text == "" || strings.HasSuffix(text, space) {
		return
	}
	if space == "\n\n" && strings.HasSuffix(text, "\n") {
		space = "\n"
	}
	if b.fits(len(space)) {
		b.b.WriteString(space)
	}
}

// Len returns the length of the text so far.
func (b *Builder) Len() int { return b.b.Len() }

// HasSuffix reports whether the text so far ends in a suffix.
func (b *Builder) HasSuffix(suffix string) bool { return strings.HasSuffix(b.b.String(), suffix) }

func (b *Builder) fits(n int) bool {
	if b.err == nil && b.b.Len()+n > b.max {
		b.err = &LimitError{"text", b.max}
	}
	return b.err == nil
}

// Err returns the [LimitError] of a text that became too long, or nil.
func (b *Builder) Err() error { return b.err }

// Cut ends a section: what is written from now on belongs to the next one.
func (b *Builder) Cut() {
	text := b.b.String()[b.begun:]
	start := b.begun + len(text) - len(strings.TrimLeft(text, " \t\r\n"))
	end := b.begun + len(strings.TrimRight(text, " \t\r\n"))
	if start < end {
		var path []string
		for _, h := range b.headings {
			if h != "" {
				path = append(path, h)
			}
		}
		b.d.Sections = append(b.d.Sections, Section{start, end, strings.Join(path, " > ")})
	}
	b.begun = b.b.Len()
}

// Skip leaves what was written since the last section out of all sections.
func (b *Builder) Skip() { b.begun = b.b.Len() }

// Heading ends a section and begins one under a heading of a level, 1 to 6.
func (b *Builder) Heading(level int, title string) {
	b.Cut()
	level = min(max(level, 1), len(b.headings))
	b.headings[level-1] = strings.Join(strings.Fields(title), " ")
	clear(b.headings[level:])
	if b.d.Title == "" && level == 1 {
		b.d.Title = b.headings[0]
	}
}

// Rename sets the heading of a level without a new section, for a format in which a heading
// is known only after its text. Such a format calls Heading with "" first.
func (b *Builder) Rename(level int, title string) {
	level = min(max(level, 1), len(b.headings))
	b.headings[level-1] = strings.Join(strings.Fields(title), " ")
	if b.d.Title == "" && level == 1 {
		b.d.Title = b.headings[0]
	}
}

// Title sets the document's title, unless it is blank.
func (b *Builder) Title(title string) {
	if title = strings.Join(strings.Fields(title), " "); title != "" {
		b.d.Title = title
	}
}

// Meta sets a value of the metadata.
func (b *Builder) Meta(key string, value any) { b.d.Meta[key] = value }

// Document returns the document, or the error of [Builder.Err].
func (b *Builder) Document() (*Document, error) {
	b.Cut()
	if b.err != nil {
		return nil, fmt.Errorf("%s: %w", b.d.Source, b.err)
	}
	b.d.Text = b.b.String()
	d := b.d
	return &d, nil
}
