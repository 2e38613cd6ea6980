package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prodailabs/prodai/eval"
)

// maxLine bounds a line of a JSONL file, so that a file without line breaks
// doesn't fill the memory.
const maxLine = 64 << 20

var (
	errNilReader = fmt.Errorf("%w: the reader is nil", ErrOption)
	errNilWriter = fmt.Errorf("%w: the writer is nil", ErrOption)
)

// Stream reads JSON Lines one case at a time: a dataset of any size in
// constant memory. Empty lines are skipped. It stops at the first error, which
// wraps [ErrFormat] or [ErrCase] and names the line. Ids are not checked for
// duplicates; [ReadJSONL] does that.
func Stream(r io.Reader) iter.Seq2[*eval.Case, error] {
	return func(yield func(*eval.Case, error) bool) {
		if r == nil {
			yield(nil, errNilReader)
			return
		}
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, maxLine)
		for line := 1; sc.Scan(); line++ {
			text := bytes.TrimSpace(sc.Bytes())
			if line == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			if len(text) == 0 {
				continue
			}
			c, err := parseCase(text)
			if err != nil {
				yield(nil, fmt.Errorf("line %d: %w", line, err))
				return
			}
			if !yield(c, nil) {
				return
			}
		}
		if err := sc.Err(); err != nil {
			yield(nil, fmt.Errorf("%w: %w", ErrFormat, err))
		}
	}
}

func parseCase(text []byte) (*eval.Case, error) {
	var c eval.Case
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // a misspelled "refrences" would silently become a case without any
	if err := d.Decode(&c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one value on the line", ErrFormat)
	}
	return &c, complete(&c)
}

// ReadJSONL reads a dataset from JSON Lines, a [eval.Case] a line.
func ReadJSONL(name string, r io.Reader) (*Dataset, error) {
	var cases []eval.Case
	for c, err := range Stream(r) {
		if err != nil {
			return nil, err
		}
		cases = append(cases, *c)
	}
	return New(name, cases)
}

// WriteJSONL writes the dataset as JSON Lines.
func (d *Dataset) WriteJSONL(w io.Writer) error {
	if w == nil {
		return errNilWriter
	}
	bw := bufio.NewWriter(w)
	enc := json.NewEncoder(bw)
	enc.SetEscapeHTML(false)
	for i := range d.Cases {
		if err := enc.Encode(&d.Cases[i]); err != nil {
			return fmt.Errorf("dataset: case %s: %w", d.Cases[i].ID, err)
		}
	}
	return bw.Flush()
}

// ReadCSV reads a dataset from CSV with a header. The columns, in any order:
// input (required), id, kind, reference (may be given several times; empty
// cells are no references), context (likewise), relevant (id=grade pairs
// separated by spaces) and tag:NAME. Tool calls don't fit into cells; use
// JSON Lines.
func ReadCSV(name string, r io.Reader) (*Dataset, error) {
	if r == nil {
		return nil, errNilReader
	}
	cr := csv.NewReader(r)
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: the header: %w", ErrFormat, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if !slices.Contains(head, "input") {
		return nil, fmt.Errorf("%w: the header %q has no column input", ErrFormat, head)
	}
	for _, column := range head {
		switch column {
		case "input", "id", "kind", "reference", "context", "relevant":
		default:
			if !strings.HasPrefix(column, "tag:") {
				return nil, fmt.Errorf("%w: column %q; want input, id, kind, reference, context, relevant or tag:NAME", ErrFormat, column)
			}
		}
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
		c, err := csvCase(head, row)
		if err != nil {
			line, _ := cr.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		cases = append(cases, c)
	}
}

func csvCase(head, row []string) (eval.Case, error) {
	var c eval.Case
	for i, cell := range row {
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
			c.Relevant = map[string]int{}
			for _, pair := range strings.Fields(cell) {
				at := strings.LastIndexByte(pair, '=')
				grade, err := strconv.Atoi(pair[at+1:])
				if at < 1 || err != nil {
					return c, fmt.Errorf("%w: judgment %q; want id=grade", ErrFormat, pair)
				}
				c.Relevant[pair[:at]] = grade
			}
		default:
			if c.Tags == nil {
				c.Tags = map[string]string{}
			}
			c.Tags[strings.TrimPrefix(column, "tag:")] = cell
		}
	}
	return c, nil
}

// WriteCSV writes the dataset as [ReadCSV] reads it. Cells that a spreadsheet
// would run as a formula (=, +, - or @ first) are written as they are: quote
// them before opening a file of users' inputs in one. A case that CSV can't
// contain (tool calls, an empty reference, a document id with white space) is an
// [ErrFormat].
func (d *Dataset) WriteCSV(w io.Writer) error {
	if w == nil {
		return errNilWriter
	}
	references, contexts := 0, 0
	relevant := false
	tags := map[string]bool{}
	for i := range d.Cases {
		c := &d.Cases[i]
		if err := fitsCSV(c); err != nil {
			return err
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
	for i := range d.Cases {
		c := &d.Cases[i]
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
		return fmt.Errorf("%w: case %s has tool calls, which CSV can't hold", ErrFormat, c.ID)
	}
	if slices.Contains(c.References, "") || slices.Contains(c.Context, "") {
		return fmt.Errorf("%w: case %s has an empty reference or passage, which CSV can't tell from none", ErrFormat, c.ID)
	}
	for id := range c.Relevant {
		if id == "" || strings.ContainsFunc(id, func(r rune) bool { return strings.ContainsRune(" \t\r\n\v\f\u0085\u00a0", r) }) {
			return fmt.Errorf("%w: case %s: document id %q holds white space", ErrFormat, c.ID, id)
		}
	}
	return nil
}

func padded(cells []string, n int) []string {
	return append(slices.Clone(cells), make([]string, n-len(cells))...)
}
