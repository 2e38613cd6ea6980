package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/retrieve/load"
)

// A file is the objects of a PDF file. They are found by reading the whole file, instead of by
// its cross-reference tables: so a damaged table does no harm, and a hostile one neither.
type file struct {
	ctx     context.Context
	data    []byte
	limits  load.Options
	objects map[int]found
	root    any // the catalog
	info    any
	left    int // objects
	budget  int // bytes that may still be unpacked
	forms   map[*stream][]byte
}

// A found is an object with its place: of two with one number, the later counts.
type found struct {
	at    int
	value any
}

func open(ctx context.Context, data []byte, limits load.Options, objects int) (*file, error) {
	f := &file{ctx: ctx, data: data, limits: limits, objects: map[int]found{}, forms: map[*stream][]byte{}, left: objects, budget: limits.MaxUnpacked}
	const headerWithin = 1024
	if !bytes.Contains(data[:min(len(data), headerWithin)], []byte("%PDF-")) {
		return nil, fmt.Errorf("%w: it has no %%PDF- header", load.ErrFormat)
	}
	if err := f.scan(); err != nil {
		return nil, err
	}
	if err := f.unpackObjects(); err != nil {
		return nil, err
	}
	if f.dict(f.root) == nil {
		f.findCatalog()
	}
	if f.dict(f.root) == nil {
		return nil, fmt.Errorf("%w: it has no catalog", load.ErrFormat)
	}
	return f, nil
}

// scan finds the objects "3 0 obj …" and the trailers.
func (f *file) scan() error {
	l := &lexer{data: f.data, depth: f.limits.MaxDepth, refs: true, left: &f.left}
	m := &finder{data: f.data}
	for i := range m.next {
		m.next[i] = bytes.Index(f.data, marks[i])
	}
	for n := 0; l.pos < len(f.data); n++ {
		if n%1024 == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		at, which := m.after(l.pos)
		if at < 0 {
			return nil
		}
		if l.pos = at + len(marks[which]); which == 1 {
			v, _, err := l.value(0)
			if err != nil {
				return err
			}
			if err := f.trailer(v); err != nil {
				return err
			}
			continue
		}
		start, number, ok := objectNumber(f.data, at)
		if !ok {
			continue
		}
		if err := f.object(l, start, number); err != nil {
			return err
		}
	}
	return nil
}

// object reads an object after "3 0 obj", with its stream.
func (f *file) object(l *lexer, start, number int) error {
	v, _, err := l.value(0)
	if err != nil {
		return err
	}
	if d, isDict := v.(dict); isDict {
		if raw, isStream := f.stream(l, d); isStream {
			v = &stream{d, raw}
			if d["Type"] == name("XRef") {
				if err := f.trailer(d); err != nil {
					return err
				}
			}
		}
	}
	f.objects[number] = found{start, v}
	return nil
}

// A finder finds the marks in order, each byte being read once for each mark.
type finder struct {
	data []byte
	next [2]int // where the next of each mark is
}

var marks = [2][]byte{[]byte("obj"), []byte("trailer")}

// after returns where the next mark is, and which; -1 if there is none.
func (m *finder) after(from int) (at, which int) {
	at = -1
	for i, mark := range marks {
		if m.next[i] >= 0 && m.next[i] < from {
			if n := bytes.Index(m.data[from:], mark); n < 0 {
				m.next[i] = -1
			} else {
				m.next[i] = from + n
			}
		}
		if m.next[i] >= 0 && (at < 0 || m.next[i] < at) {
			at, which = m.next[i], i
		}
	}
	return at, which
}

// objectNumber reads the "3 0 " before "obj".
func objectNumber(data []byte, at int) (start, number int, ok bool) {
	digits := func(end int) (int, int) {
		for end > 0 && isSpace(data[end-1]) {
			end--
		}
		start := end
		for start > 0 && end-start < 10 && data[start-1] >= '0' && data[start-1] <= '9' {
			start--
		}
		return start, end
	}
	g, gEnd := digits(at)
	if g == gEnd {
		return 0, 0, false
	}
	n, nEnd := digits(g)
	if n == nEnd || nEnd == g {
		return 0, 0, false
	}
	v, ok := parseInt(data[n:nEnd])
	return n, v, ok
}

func parseInt(text []byte) (int, bool) {
	f, ok := number(text)
	return int(f), ok && f >= 0 && f < 1e9
}

// stream returns the data of the stream after a dictionary. Its length is that of the
// dictionary if "endstream" follows there, or else up to the next "endstream".
func (f *file) stream(l *lexer, d dict) ([]byte, bool) {
	at := l.pos
	for at < len(f.data) && isSpace(f.data[at]) {
		at++
	}
	if !bytes.HasPrefix(f.data[at:], []byte("stream")) {
		return nil, false
	}
	at += len("stream")
	if at < len(f.data) && f.data[at] == '\r' {
		at++
	}
	if at < len(f.data) && f.data[at] == '\n' {
		at++
	}
	if n, ok := d["Length"].(float64); ok && n >= 0 && n <= float64(len(f.data)-at) {
		end := at + int(n)
		after := bytes.TrimLeft(f.data[end:min(len(f.data), end+20)], "\r\n \t")
		if bytes.HasPrefix(after, []byte("endstream")) {
			l.pos = end
			return f.data[at:end], true
		}
	}
	end := bytes.Index(f.data[at:], []byte("endstream"))
	if end < 0 {
		end = len(f.data) - at
	}
	l.pos = at + end
	return bytes.TrimSuffix(bytes.TrimSuffix(f.data[at:at+end], []byte("\n")), []byte("\r")), true
}

func (f *file) trailer(v any) error {
	d, ok := v.(dict)
	if !ok {
		return nil
	}
	if d["Encrypt"] != nil {
		return load.ErrEncrypted
	}
	if d["Root"] != nil {
		f.root = d["Root"]
	}
	if d["Info"] != nil {
		f.info = d["Info"]
	}
	return nil
}

// unpackObjects reads the objects in object streams (7.5.7).
func (f *file) unpackObjects() error {
	var numbers []int
	for n, o := range f.objects {
		if s, ok := o.value.(*stream); ok && s.dict["Type"] == name("ObjStm") {
			numbers = append(numbers, n)
		}
	}
	slices.SortFunc(numbers, func(a, b int) int { return f.objects[a].at - f.objects[b].at })
	for _, n := range numbers {
		o := f.objects[n]
		s, ok := o.value.(*stream)
		if !ok { // an object of another stream has its number
			continue
		}
		data, err := f.decode(s)
		if limit := (*load.LimitError)(nil); errors.As(err, &limit) || f.ctx.Err() != nil {
			return err
		}
		if err := f.unpack(o.at, data, f.int(s.dict["N"]), f.int(s.dict["First"])); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) unpack(at int, data []byte, n, first int) error {
	if first <= 0 || first > len(data) {
		return nil
	}
	heads := &lexer{data: data[:first], depth: 1, left: &f.left}
	for range n {
		number, ok, err := heads.value(0)
		if err != nil || !ok {
			return err
		}
		offset, ok, err := heads.value(0)
		if err != nil || !ok {
			return err
		}
		num, isNum := number.(float64)
		off, isOff := offset.(float64)
		if !isNum || !isOff || num < 0 || num >= 1e9 || off < 0 || off >= float64(len(data)-first) {
			continue
		}
		if old, ok := f.objects[int(num)]; ok && old.at > at {
			continue
		}
		l := &lexer{data: data, pos: first + int(off), depth: f.limits.MaxDepth, refs: true, left: &f.left}
		v, _, err := l.value(0)
		if err != nil {
			return err
		}
		f.objects[int(num)] = found{at, v}
	}
	return nil
}

// findCatalog looks for the catalog of a file that has lost its trailer.
func (f *file) findCatalog() {
	latest := -1
	for n, o := range f.objects {
		if d, ok := o.value.(dict); ok && d["Type"] == name("Catalog") && o.at > latest {
			latest, f.root = o.at, ref(n)
		}
	}
}

// get returns the object that a reference leads to, or the object itself.
func (f *file) get(v any) any {
	const longest = 20 // chain of references
	for range longest {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		v = f.objects[int(r)].value
	}
	return nil
}

func (f *file) dict(v any) dict {
	switch v := f.get(v).(type) {
	case dict:
		return v
	case *stream:
		return v.dict
	}
	return nil
}

func (f *file) array(v any) array { a, _ := f.get(v).(array); return a }

func (f *file) name(v any) name { n, _ := f.get(v).(name); return n }

func (f *file) float(v any) float64 { x, _ := f.get(v).(float64); return x }

func (f *file) int(v any) int {
	x := f.float(v)
	if x != x || x > 1e9 || x < -1e9 {
		return 0
	}
	return int(x)
}

// maxPages is how many pages are read.
const maxPages = 100_000

// pages calls visit with each page's dictionary, with what it inherits, in order.
func (f *file) pages(visit func(number int, page dict) error) error {
	number := 0
	seen := map[ref]bool{}
	var walk func(v any, resources any, deep int) error
	walk = func(v any, resources any, deep int) error {
		if r, ok := v.(ref); ok {
			if seen[r] {
				return nil // a ring, or a page that appears twice
			}
			seen[r] = true
		}
		d := f.dict(v)
		if d == nil {
			return nil
		}
		if deep > f.limits.MaxDepth {
			return &load.LimitError{What: "depth", Limit: f.limits.MaxDepth}
		}
		if d["Resources"] != nil {
			resources = d["Resources"]
		}
		if kids := f.array(d["Kids"]); kids != nil {
			for _, kid := range kids {
				if err := walk(kid, resources, deep+1); err != nil {
					return err
				}
			}
			return nil
		}
		if number++; number > maxPages {
			return &load.LimitError{What: "pages", Limit: maxPages}
		}
		page := dict{}
		for k, v := range d {
			page[k] = v
		}
		page["Resources"] = resources
		return visit(number, page)
	}
	return walk(f.dict(f.root)["Pages"], nil, 0)
}
