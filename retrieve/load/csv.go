package load

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// CSV loads a table of comma-separated values (RFC 4180) with a heading row; a table with
// semicolons or tabs instead is recognized by its first line. Each row is a section, with one
// line "heading: value" for each cell that isn't blank, so that a row is understood
// without the others:
//
//	name: Toaster
//	price: 20
//
// The place of each line is that of its row, to the byte. Rows may have more or fewer cells
// than the heading row; a cell without a heading is called "column N".
func CSV(ctx context.Context, name string, r io.Reader, o *Options) (*Document, error) {
	data, limits, err := Read(ctx, name, r, o)
	if err != nil {
		return nil, err
	}
	if err := UTF8(name, data); err != nil {
		return nil, err
	}
	b := NewBuilder(name, limits)
	b.Lines(data)
	skip := 0
	if bytes.HasPrefix(data, []byte(bom)) {
		skip = len(bom)
	}
	rows := csv.NewReader(bytes.NewReader(data[skip:]))
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	rows.Comma = separator(data[skip:])
	var headings []string
	for row := 0; ; row++ {
		start := skip + int(rows.InputOffset())
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrFormat, name, err)
		}
		if row == 0 {
			headings = append(headings, cells...)
			continue
		}
		if row%1024 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("load: %s: %w", name, ctx.Err())
		}
		start, end := trimmed(data, start, skip+int(rows.InputOffset()))
		writeRow(b, headings, cells, Place{Start: start, End: end, Row: row})
		if b.Err() != nil {
			break
		}
	}
	return b.Document()
}

// trimmed leaves out blank lines before a row and its end of line.
func trimmed(data []byte, start, end int) (from, to int) {
	for start < end && (data[start] == '\n' || data[start] == '\r') {
		start++
	}
	for end > start && (data[end-1] == '\n' || data[end-1] == '\r') {
		end--
	}
	return start, end
}

func writeRow(b *Builder, headings, cells []string, p Place) {
	b.Cut()
	b.Space("\n\n")
	written := false
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		heading := fmt.Sprintf("column %d", i+1)
		if i < len(headings) && strings.TrimSpace(headings[i]) != "" {
			heading = strings.TrimSpace(headings[i])
		}
		line := heading + ": " + cell
		if written {
			line = "\n" + line
		}
		written = true
		b.runExact(line, p)
	}
}

// runExact writes a text that is another form of its place, even if both have the same
// length.
func (b *Builder) runExact(text string, p Place) {
	n := len(b.d.runs)
	b.Write(text, p)
	if len(b.d.runs) > n {
		b.d.runs[n].exact = false
	}
}

// separator returns the one of comma, semicolon and tab that the first line has most of.
func separator(data []byte) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}
