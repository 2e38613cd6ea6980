package dataset

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/eval"
)

// ReadCSV reads a dataset from CSV with a header. The columns, in any order:
// input (required), id, kind, reference (may be given several times; empty
// cells are no references), context (likewise), relevant (id=grade pairs
// separated by spaces) and tag:NAME. Tool calls don't fit into cells; use
// JSON Lines.
//
// A row whose cells are all blank is skipped. Line breaks in cells stay as they
// are. Any other column given twice, and a text that is not UTF-8, is an
// [ErrFormat].
func ReadCSV(name string, r io.Reader) (*Dataset, error) {
	if r == nil {
		return nil, errNilReader
	}
	cr := csv.NewReader(&breaksKept{r: bufio.NewReader(r)})
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: the header: %w", ErrFormat, err)
	}
	if err := checkHeader(unmark(head)); err != nil {
		return nil, err
	}
	var cases []eval.Case
	for {
		row, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return New(name, cases)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		if blank(unmark(row)) {
			continue
		}
		c, err := csvCase(head, row)
		if err != nil {
			line, _ := cr.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		cases = append(cases, c)
	}
}

func checkHeader(head []string) error {
	seen := map[string]bool{}
	for _, column := range head {
		if err := checkUTF8(column); err != nil {
			return fmt.Errorf("the header: %w", err)
		}
		switch column {
		case "reference", "context":
			continue
		case "input", "id", "kind", "relevant":
		default:
			if !strings.HasPrefix(column, "tag:") {
				return fmt.Errorf("%w: column %q; want input, id, kind, reference, context, relevant or tag:NAME", ErrFormat, column)
			}
		}
		if seen[column] {
			return fmt.Errorf("%w: the header has the column %s twice; only reference and context may be repeated", ErrFormat, column)
		}
		seen[column] = true
	}
	if !seen["input"] {
		return fmt.Errorf("%w: the header %q has no column input", ErrFormat, head)
	}
	return nil
}

func blank(row []string) bool {
	return !slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

func csvCase(head, row []string) (eval.Case, error) {
	var c eval.Case
	for i, cell := range row {
		if err := checkUTF8(cell); err != nil {
			return c, fmt.Errorf("column %s: %w", head[i], err)
		}
		switch column := head[i]; {
		case column == "input":
			c.Input = cell
		case cell == "":
		case column == "id":
			c.ID = cell
		case column == "kind":
			c.Kind = eval.Kind(cell)
		case column == "reference":
			c.References = append(c.References, cell)
		case column == "context":
			c.Context = append(c.Context, cell)
		case column == "relevant":
			var err error
			if c.Relevant, err = judgments(cell); err != nil {
				return c, err
			}
		default:
			if c.Tags == nil {
				c.Tags = map[string]string{}
			}
			c.Tags[strings.TrimPrefix(column, "tag:")] = cell
		}
	}
	return c, complete(&c)
}

func judgments(cell string) (map[string]int, error) {
	out := map[string]int{}
	for _, pair := range strings.Fields(cell) {
		at := strings.LastIndexByte(pair, '=')
		grade, err := strconv.Atoi(pair[at+1:])
		if at < 1 || err != nil {
			return nil, fmt.Errorf("%w: judgment %q; want id=grade", ErrFormat, pair)
		}
		if _, twice := out[pair[:at]]; twice {
			return nil, fmt.Errorf("%w: document %q is judged twice", ErrFormat, pair[:at])
		}
		out[pair[:at]] = grade
	}
	return out, nil
}

// mark replaces what encoding/csv would drop: mark and markReturn mean a carriage
// return, mark and markSelf mean mark itself.
const (
	mark       = '\x1a'
	markReturn = 'r'
	markSelf   = 's'
)

// breaksKept reads CSV without its byte order mark, and marks the carriage returns
// inside of quotes: encoding/csv would drop those before a line feed.
type breaksKept struct {
	r       *bufio.Reader
	begun   bool
	quoted  bool
	pending byte // the second byte of a mark, 0 for none
}

func (b *breaksKept) Read(p []byte) (n int, err error) {
	if !b.begun {
		b.begun = true
		if start, _ := b.r.Peek(len("\ufeff")); string(start) == "\ufeff" {
			_, _ = b.r.Discard(len(start)) // Peek has read it already
		}
	}
	for n < len(p) {
		if b.pending != 0 {
			p[n], b.pending = b.pending, 0
			n++
			continue
		}
		c, err := b.r.ReadByte()
		if err != nil {
			return n, err
		}
		switch {
		case c == '"':
			b.quoted = !b.quoted // a doubled quote switches it twice
		case c == '\r' && b.quoted:
			c, b.pending = mark, markReturn
		case c == mark:
			b.pending = markSelf
		}
		p[n] = c
		n++
	}
	return n, nil
}

var marks = strings.NewReplacer(string([]rune{mark, markReturn}), "\r", string([]rune{mark, markSelf}), string(mark))

// unmark undoes the marks of breaksKept in place.
func unmark(row []string) []string {
	for i, cell := range row {
		if strings.IndexByte(cell, mark) >= 0 {
			row[i] = marks.Replace(cell)
		}
	}
	return row
}

// WriteCSV writes the dataset as [ReadCSV] reads it. Cells that a spreadsheet would
// run as a formula (=, +, - or @ first) are written as they are. Quote them before
// you open a file with users' inputs in a spreadsheet. A case that CSV can't
// contain (tool calls, an empty reference or tag, a document id with white space)
// is an [ErrFormat], and one with a text that is not UTF-8 an [ErrCase].
func (d *Dataset) WriteCSV(w io.Writer) error {
	if w == nil {
		return errNilWriter
	}
	references, contexts := 0, 0
	relevant := false
	tags := map[string]bool{}
	cases := slices.Clone(d.Cases)
	for i := range cases {
		c := &cases[i]
		if err := cmp.Or(complete(c), fitsCSV(c)); err != nil {
			return fmt.Errorf("case %s: %w", c.ID, err)
		}
		references = max(references, len(c.References))
		contexts = max(contexts, len(c.Context))
		relevant = relevant || len(c.Relevant) > 0
		for tag := range c.Tags {
			tags[tag] = true
		}
	}
	names := slices.Sorted(maps.Keys(tags))
	head := append([]string{"id", "kind", "input"}, slices.Repeat([]string{"reference"}, references)...)
	head = append(head, slices.Repeat([]string{"context"}, contexts)...)
	if relevant {
		head = append(head, "relevant")
	}
	for _, tag := range names {
		head = append(head, "tag:"+tag)
	}
	cw := csv.NewWriter(w)
	rows := [][]string{head}
	for _, c := range cases {
		row := append([]string{c.ID, string(c.Kind), c.Input}, padded(c.References, references)...)
		row = append(row, padded(c.Context, contexts)...)
		if relevant {
			var pairs []string
			for _, id := range slices.Sorted(maps.Keys(c.Relevant)) {
				pairs = append(pairs, fmt.Sprintf("%s=%d", id, c.Relevant[id]))
			}
			row = append(row, strings.Join(pairs, " "))
		}
		for _, tag := range names {
			row = append(row, c.Tags[tag])
		}
		rows = append(rows, row)
	}
	if err := cw.WriteAll(rows); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

func fitsCSV(c *eval.Case) error {
	if len(c.Calls) > 0 {
		return fmt.Errorf("%w: the case has tool calls, which CSV can't contain", ErrFormat)
	}
	if slices.Contains(c.References, "") || slices.Contains(c.Context, "") {
		return fmt.Errorf("%w: the case has an empty reference or passage, which CSV can't distinguish from none", ErrFormat)
	}
	for tag, value := range c.Tags {
		if value == "" {
			return fmt.Errorf("%w: the tag %q is empty, which CSV can't distinguish from none", ErrFormat, tag)
		}
	}
	for id := range c.Relevant {
		if id == "" || strings.ContainsFunc(id, unicode.IsSpace) {
			return fmt.Errorf("%w: the document id %q contains white space", ErrFormat, id)
		}
	}
	return nil
}

func padded(cells []string, n int) []string {
	return append(slices.Clone(cells), make([]string, n-len(cells))...)
}
