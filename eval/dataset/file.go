package dataset

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

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
//
// What a decoder of JSON would change silently is an error: bytes that are not
// UTF-8, half of a surrogate pair, a field that appears twice, null in the place
// of a text or number, and a case without an input.
func Stream(r io.Reader) iter.Seq2[*eval.Case, error] {
	return func(yield func(*eval.Case, error) bool) {
		if r == nil {
			yield(nil, errNilReader)
			return
		}
		sc := bufio.NewScanner(r)
		sc.Buffer(nil, maxLine)
		var names objectCheck
		for line := 1; sc.Scan(); line++ {
			text := bytes.TrimSpace(sc.Bytes())
			if line == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			if len(text) == 0 {
				continue
			}
			c, err := parseCase(text, &names)
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

func parseCase(text []byte, names *objectCheck) (*eval.Case, error) {
	if !utf8.Valid(text) {
		return nil, checkUTF8(string(text))
	}
	var c eval.Case
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err := names.check(text); err != nil {
		return nil, err
	}
	return &c, complete(&c)
}

// checkUTF8 refuses text in another encoding, which would turn into U+FFFD.
func checkUTF8(text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	at := 0
	for at < len(text) {
		if r, size := utf8.DecodeRuneInString(text[at:]); r != utf8.RuneError || size != 1 {
			at += size
			continue
		}
		break
	}
	hint := "Latin-1 or Windows-1252"
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		hint = "UTF-16"
	}
	return fmt.Errorf("%w: byte %d, %#x, is not UTF-8 (is the file in %s?): want UTF-8", ErrFormat, at, text[at], hint)
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

// WriteJSONL writes the dataset as JSON Lines. A text that is not UTF-8, which JSON
// can't contain, is an [ErrCase].
func (d *Dataset) WriteJSONL(w io.Writer) error {
	if w == nil {
		return errNilWriter
	}
	bw := bufio.NewWriter(w)
	enc := json.NewEncoder(bw)
	enc.SetEscapeHTML(false)
	for i := range d.Cases {
		if err := checkTexts(&d.Cases[i]); err != nil {
			return fmt.Errorf("case %s: %w", d.Cases[i].ID, err)
		}
		if err := enc.Encode(&d.Cases[i]); err != nil {
			return fmt.Errorf("dataset: case %s: %w", d.Cases[i].ID, err)
		}
	}
	return bw.Flush()
}
