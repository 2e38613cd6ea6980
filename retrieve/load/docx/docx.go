package docx

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/prodailabs/prodai/retrieve/load"
)

const (
	body   = "word/document.xml"
	styles = "word/styles.xml"
	core   = "docProps/core.xml"
)

// maxParts is how many files an archive may have: Word writes some ten and one a picture.
const maxParts = 10_000

// Load loads a .docx file. Each paragraph is a line; the cells of a table's row are separated
// by " | ". A paragraph with a heading's style begins a section. Deleted text of tracked
// changes, hidden text, fields' instructions, comments, foot notes, headers and footers
// are left out.
//
// The place of a text is its paragraph's number and its bytes in word/document.xml in
// the archive. An old .doc file is load.ErrFormat, a file with a password
// load.ErrEncrypted. It is a load.Loader.
func Load(ctx context.Context, name string, r io.Reader, o *load.Options) (*load.Document, error) {
	data, limits, err := load.Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
		if bytes.Contains(data, utf16("EncryptedPackage")) {
			return nil, fmt.Errorf("%w: %s", load.ErrEncrypted, name)
		}
		return nil, fmt.Errorf("%w: %s: an old Office file: save it as .docx", load.ErrFormat, name)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", load.ErrFormat, name, err)
	}
	if len(archive.File) > maxParts {
		return nil, fmt.Errorf("%s: %w", name, &load.LimitError{What: "parts", Limit: maxParts})
	}
	d := &document{ctx: ctx, b: load.NewBuilder(name, limits), limits: limits, left: limits.MaxUnpacked}
	if err := d.load(archive); err != nil {
		return nil, fmt.Errorf("load: %s: %w", name, err)
	}
	return d.b.Document()
}

func utf16(s string) []byte {
	var out []byte
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

type document struct {
	ctx    context.Context
	b      *load.Builder
	limits load.Options
	left   int // bytes that may still be unpacked

	levels map[string]int // of the heading styles, by id
	data   []byte         // the body

	number int // of the paragraph
	inside paragraph
	cell   []int  // for each open table's row, its cells so far
	due    string // what separates the next text of a row from the last
	deep   int
}

// A paragraph that is being read.
type paragraph struct {
	style, outline int // levels of a heading, 0 for none
	text           strings.Builder
	hidden         bool // the run is
	begun          bool
}

func (d *document) load(archive *zip.Reader) error {
	d.levels = map[string]int{}
	if data, err := d.unpack(archive, styles); err == nil {
		d.readStyles(data)
	} else if limit := (*load.LimitError)(nil); errors.As(err, &limit) {
		return err
	}
	if data, err := d.unpack(archive, core); err == nil {
		d.readCore(data)
	} else if limit := (*load.LimitError)(nil); errors.As(err, &limit) {
		return err
	}
	var err error
	if d.data, err = d.unpack(archive, body); err != nil {
		return err
	}
	return d.readBody()
}

// unpack returns a part of the archive. What its header says of its size is not believed.
func (d *document) unpack(archive *zip.Reader, name string) ([]byte, error) {
	for _, f := range archive.File {
		if f.Name != name {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", load.ErrFormat, name, err)
		}
		defer func() { _ = r.Close() }() // only read
		data, err := io.ReadAll(io.LimitReader(r, int64(d.left)+1))
		if len(data) > d.left {
			return nil, &load.LimitError{What: "unpacked data", Limit: d.limits.MaxUnpacked}
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", load.ErrFormat, name, err)
		}
		d.left -= len(data)
		return data, nil
	}
	return nil, fmt.Errorf("%w: it has no %s", load.ErrFormat, name)
}

// tokens calls visit with each token of a part and the bytes that it is at.
func (d *document) tokens(data []byte, visit func(t xml.Token, start, end int) error) error {
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("it is not UTF-8") }
	depth := 0
	for n := 0; ; n++ {
		if n%4096 == 0 && d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		start := int(dec.InputOffset())
		t, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			if depth != 0 {
				return fmt.Errorf("%w: an element is not closed", load.ErrFormat)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", load.ErrFormat, err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > d.limits.MaxDepth {
				return &load.LimitError{What: "depth", Limit: d.limits.MaxDepth}
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return fmt.Errorf("%w: an element ends that has not begun", load.ErrFormat)
			}
		}
		if err := visit(t, start, int(dec.InputOffset())); err != nil {
			return err
		}
	}
}

func attribute(e xml.StartElement, local string) string {
	for _, a := range e.Attr {
		if a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// off reports whether an on/off property is switched off.
func off(e xml.StartElement) bool {
	switch attribute(e, "val") {
	case "0", "false", "off":
		return true
	}
	return false
}

// readStyles finds the styles of headings: by their outline level, or by their name, which
// is English in every language of Word. A damaged part has no styles.
func (d *document) readStyles(data []byte) {
	id := ""
	_ = d.tokens(data, func(t xml.Token, _, _ int) error {
		e, ok := t.(xml.StartElement)
		if !ok {
			return nil
		}
		switch e.Name.Local {
		case "style":
			id = attribute(e, "styleId")
		case "name":
			if level, ok := strings.CutPrefix(strings.ToLower(attribute(e, "val")), "heading "); ok {
				if n, err := strconv.Atoi(level); err == nil && n >= 1 && n <= 9 {
					d.levels[id] = n
				}
			} else if strings.EqualFold(attribute(e, "val"), "title") {
				d.levels[id] = 1
			}
		case "outlineLvl":
			if n, err := strconv.Atoi(attribute(e, "val")); err == nil && n >= 0 && n < 9 && d.levels[id] == 0 {
				d.levels[id] = n + 1
			}
		}
		return nil
	})
}

func (d *document) readCore(data []byte) {
	var open string
	var title, author strings.Builder
	_ = d.tokens(data, func(t xml.Token, _, _ int) error {
		switch t := t.(type) {
		case xml.StartElement:
			open = t.Name.Local
		case xml.EndElement:
			open = ""
		case xml.CharData:
			if open == "title" && title.Len() < 1000 {
				title.Write(t[:min(len(t), 1000)])
			}
			if open == "creator" && author.Len() < 1000 {
				author.Write(t[:min(len(t), 1000)])
			}
		}
		return nil
	})
	d.b.Title(strings.ToValidUTF8(title.String(), ""))
	if a := strings.TrimSpace(strings.ToValidUTF8(author.String(), "")); a != "" {
		d.b.Meta("author", a)
	}
}

func (d *document) readBody() error {
	d.deep = 0 // in something that is left out
	reading := false
	err := d.tokens(d.data, func(t xml.Token, start, end int) error {
		switch t := t.(type) {
		case xml.StartElement:
			if d.deep > 0 || leftOut(t) {
				d.deep++
				return nil
			}
			reading = t.Name.Local == "t"
			d.open(t)
		case xml.EndElement:
			reading = false
			if d.deep > 0 {
				d.deep--
				return nil
			}
			d.close(t.Name.Local)
		case xml.CharData:
			if reading && d.deep == 0 && !d.inside.hidden {
				d.write(string(t), start, end)
			}
		}
		return d.b.Err()
	})
	return err
}

// leftOut reports whether an element's text is not part of the document: what a tracked
// change deleted or moved away, and the second form of something that old programs read.
func leftOut(e xml.StartElement) bool {
	switch e.Name.Local {
	case "del", "moveFrom", "Fallback", "instrText", "pPrChange", "rPrChange", "sectPrChange", "tblPrChange":
		return true
	}
	return false
}

func (d *document) open(e xml.StartElement) {
	switch e.Name.Local {
	case "p":
		d.number++
		d.inside = paragraph{}
	case "pStyle":
		d.inside.style = d.levels[attribute(e, "val")]
	case "outlineLvl":
		if n, err := strconv.Atoi(attribute(e, "val")); err == nil && n >= 0 && n < 9 {
			d.inside.outline = n + 1
		}
	case "r":
		d.inside.hidden = false
	case "vanish":
		d.inside.hidden = !off(e)
	case "tab":
		if d.inside.begun { // a tab stop of the properties comes before any text
			d.space(" ")
		}
	case "br", "cr":
		d.space("\n")
	case "tr":
		d.cell = append(d.cell, 0)
	case "tc":
		if n := len(d.cell); n > 0 {
			if d.cell[n-1] > 0 {
				if !strings.HasSuffix(d.due, "| ") {
					d.due = " "
				}
				d.due += "| "
			}
			d.cell[n-1]++
		}
	}
}

func (d *document) space(s string) {
	if d.inside.begun && !d.inside.hidden {
		d.b.Space(s)
		d.inside.text.WriteString(" ")
	}
}

func (d *document) write(text string, start, end int) {
	if !d.inside.begun {
		d.inside.begun = true
		if level := max(d.inside.style, d.inside.outline); level > 0 && len(d.cell) == 0 {
			d.b.Heading(min(level, 6), "")
		}
	}
	if d.inside.text.Len() < 1000 {
		d.inside.text.WriteString(text)
	}
	if d.due != "" {
		d.b.Space(d.due)
		d.due = ""
	}
	d.b.Write(strings.ToValidUTF8(text, "\ufffd"), load.Place{Start: start, End: end, Part: body, Paragraph: d.number})
}

func (d *document) close(name string) {
	switch name {
	case "p":
		if !d.inside.begun {
			return
		}
		if len(d.cell) > 0 {
			d.due = " "
		} else {
			if level := max(d.inside.style, d.inside.outline); level > 0 {
				d.b.Rename(min(level, 6), d.inside.text.String())
			}
			d.b.Space("\n\n")
		}
		d.inside = paragraph{}
	case "r":
		d.inside.hidden = false
	case "tr":
		if n := len(d.cell); n > 0 {
			d.cell = d.cell[:n-1]
		}
		d.due = ""
		d.b.Space("\n")
	case "tbl":
		d.b.Space("\n\n")
	}
}
