package pdf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/prodailabs/prodai/retrieve/load"
)

// Load loads a PDF file. Each page is a section. Words and lines are found by the distances
// between glyphs, so a table's cells are separated by a space only. A page that is a
// picture has no text: it needs OCR first. Text that is invisible, such as white text or that
// of an OCR layer, is read too. Characters for which the file has no Unicode are U+FFFD.
//
// The place of a text is its page and the rectangle of its words in points; the format has
// no lines and no useful byte offsets. A file with a password is load.ErrEncrypted, also if
// the password is empty. It is a load.Loader.
func Load(ctx context.Context, name string, r io.Reader, o *load.Options) (*load.Document, error) {
	data, limits, err := load.Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	b := load.NewBuilder(name, limits)
	if err := read(ctx, data, limits, b, work{maxObjects, maxOperators}); err != nil {
		return nil, fmt.Errorf("load: %s: %w", name, err)
	}
	return b.Document()
}

// work is how much a file may ask for. Tests allow less, to be fast.
type work struct{ objects, operators int }

func read(ctx context.Context, data []byte, limits load.Options, b *load.Builder, allowed work) error {
	f, err := open(ctx, data, limits, allowed.objects)
	if err != nil {
		return err
	}
	info := f.dict(f.info)
	if title, ok := f.get(info["Title"]).(string); ok {
		b.Title(text(title[:min(len(title), 2000)]))
	}
	if author, ok := f.get(info["Author"]).(string); ok && author != "" {
		b.Meta("author", text(author[:min(len(author), 2000)]))
	}
	ops := allowed.operators
	fonts := map[any]*font{}
	return f.pages(func(number int, page dict) error {
		content, err := f.content(page["Contents"])
		if err != nil {
			return err
		}
		w := &writer{b: b, page: number}
		x := &interpreter{f: f, show: w.show, full: b.Err, fonts: fonts, ops: &ops, resources: f.dict(page["Resources"]), state: state{ctm: identity, scale: 1}, text: identity, line: identity}
		b.Cut()
		err = x.run(content)
		w.end()
		b.Space("\n\n")
		b.Cut()
		return cmp.Or(err, b.Err())
	})
}

// content returns a page's content: a stream, or several, which are one text.
func (f *file) content(v any) ([]byte, error) {
	streams := f.array(v)
	if s, ok := f.get(v).(*stream); ok {
		streams = array{s}
	}
	var out []byte
	for _, v := range streams {
		s, ok := f.get(v).(*stream)
		if !ok {
			continue
		}
		data, err := f.decode(s)
		if errors.Is(err, errFilter) || errors.Is(err, errObject) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := f.take(len(data)); err != nil {
			return nil, err
		}
		out = append(append(out, data...), '\n')
	}
	return out, nil
}

// A writer makes words and lines of glyphs.
type writer struct {
	b    *load.Builder
	page int

	word  strings.Builder
	box   [4]float64 // of the word
	last  shown
	begun bool // something of this page was shown
}

// show adds a glyph. A gap of a sixth of the size is a space, a base line that moves by more
// than half of the size is another line, and by more than 1.8 times a paragraph.
func (w *writer) show(g shown) {
	if w.b.Err() != nil || !finite(g) {
		return
	}
	g.text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' {
			return -1
		}
		return r
	}, g.text)
	if w.begun {
		size := max(w.last.size, g.size, 0.1)
		along, across := w.distance(g)
		switch {
		case math.Abs(across) > 1.8*size:
			w.flush("\n\n")
		case math.Abs(across) > 0.5*size || along < -0.5*size:
			w.flush("\n")
		case along > size/6:
			w.flush(" ")
		}
	}
	w.begun = true
	w.last = g
	if strings.TrimSpace(g.text) == "" {
		if g.text != "" {
			w.flush(" ")
		}
		return
	}
	box := [4]float64{min(g.x0, g.x1), min(g.y0, g.y1), max(g.x0, g.x1), max(g.y0, g.y1) + g.size}
	if w.word.Len() == 0 {
		w.box = box
	}
	w.box = [4]float64{min(w.box[0], box[0]), min(w.box[1], box[1]), max(w.box[2], box[2]), max(w.box[3], box[3])}
	w.word.WriteString(g.text)
	if w.word.Len() > 1<<16 {
		w.flush("")
	}
}

func finite(g shown) bool {
	for _, v := range [...]float64{g.x0, g.y0, g.x1, g.y1, g.size} {
		if math.IsNaN(v) || math.Abs(v) > 1e9 {
			return false
		}
	}
	return true
}

// distance returns how far a glyph is from the end of the last one, along its base line and
// across it.
func (w *writer) distance(g shown) (along, across float64) {
	dx, dy := g.x0-w.last.x1, g.y0-w.last.y1
	ux, uy := w.last.x1-w.last.x0, w.last.y1-w.last.y0
	n := math.Hypot(ux, uy)
	if n == 0 {
		ux, uy, n = 1, 0, 1
	}
	return (dx*ux + dy*uy) / n, (dy*ux - dx*uy) / n
}

// flush writes the word, and what is after it.
func (w *writer) flush(after string) {
	if w.word.Len() > 0 {
		w.b.Write(w.word.String(), load.Place{Page: w.page, Box: w.box})
		w.word.Reset()
	}
	if after == " " && (w.b.HasSuffix("\n") || w.b.HasSuffix(" ")) {
		return
	}
	if after != "" && !w.b.HasSuffix("\n\n") {
		w.b.Space(after)
	}
}

func (w *writer) end() { w.flush("") }
