package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/prodailabs/prodai/eval"
)

// Errors that callers branch on. They come wrapped with what was wrong and where.
var (
	ErrFormat = errors.New("interop: malformed file")
	ErrOption = errors.New("interop: this can't be written") // a row that the other package wouldn't read as it is
)

// A Row is a case with what a system answered to it, the content of both packages'
// files. Retrieved are the passages that the system found, Case.Context those that it
// should have found.
type Row struct {
	Case      eval.Case
	Answer    string
	Retrieved []string
	Calls     []eval.Call // that the system made
}

// caseOf sets the fields that both formats have.
func caseOf(input string, reference *string, context []string) eval.Case {
	c := eval.Case{Input: input, Context: context}
	if reference != nil {
		c.References = []string{*reference}
	}
	return c
}

// lines calls f with each line that isn't empty.
func lines(r io.Reader, f func(n int, line []byte) error) error {
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		last := errors.Is(err, io.EOF)
		if err != nil && !last {
			return fmt.Errorf("interop: read: %w", err)
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if !utf8.Valid(text) {
				return fmt.Errorf("%w: line %d is not valid UTF-8", ErrFormat, n)
			}
			if ferr := f(n, text); ferr != nil {
				return ferr
			}
		}
		if last {
			return nil
		}
	}
}

// reference returns the one reference that the other packages know.
func reference(i int, c *eval.Case) (*string, error) {
	switch len(c.References) {
	case 0:
		return nil, nil
	case 1:
		return &c.References[0], nil
	}
	return nil, fmt.Errorf("%w: row %d has %d references, and the format has one", ErrOption, i, len(c.References))
}

// encode writes JSON as Python does with ensure_ascii=False: without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

func arguments(where string, c eval.Call) (map[string]any, error) {
	args := map[string]any{}
	if c.Arguments == "" {
		return args, nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(c.Arguments)))
	d.UseNumber()
	if err := d.Decode(&args); err != nil || args == nil {
		return nil, fmt.Errorf("%w: %s: the arguments of %s are not a JSON object", ErrOption, where, c.Name)
	}
	return args, nil
}

func callOf(name string, args json.RawMessage) (eval.Call, error) {
	var object map[string]json.RawMessage
	if name == "" || len(args) > 0 && json.Unmarshal(args, &object) != nil {
		return eval.Call{}, fmt.Errorf("%w: a tool call has no name, or arguments that are not an object", ErrFormat)
	}
	c := eval.Call{Name: name}
	if object != nil {
		var b bytes.Buffer
		if err := json.Compact(&b, args); err != nil {
			return c, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		c.Arguments = b.String()
	}
	return c, nil
}
