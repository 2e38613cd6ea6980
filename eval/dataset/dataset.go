package dataset

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/eval"
)

// Errors that callers branch on. Each is wrapped with the row that it is about.
var (
	ErrDuplicate = errors.New("dataset: two cases have the same id")
	ErrCase      = errors.New("dataset: invalid case")
	ErrFormat    = errors.New("dataset: malformed file")
	ErrOption    = errors.New("dataset: invalid option")
)

// A Dataset is a named list of cases with distinct ids.
type Dataset struct {
	Name  string
	Cases []eval.Case
}

// New returns a dataset of these cases. A case without an id gets [ID]'s, one
// without a kind becomes golden. It fails with [ErrDuplicate] or [ErrCase].
func New(name string, cases []eval.Case) (*Dataset, error) {
	d := &Dataset{Name: name, Cases: slices.Clone(cases)}
	seen := make(map[string]int, len(cases))
	for i := range d.Cases {
		c := &d.Cases[i]
		if err := complete(c); err != nil {
			return nil, fmt.Errorf("case %d: %w", i, err)
		}
		if j, ok := seen[c.ID]; ok {
			return nil, fmt.Errorf("%w: cases %d and %d, %q", ErrDuplicate, j, i, c.ID)
		}
		seen[c.ID] = i
	}
	return d, nil
}

// complete fills a case's defaults and checks it.
func complete(c *eval.Case) error {
	if c.Kind == "" {
		c.Kind = eval.KindGolden
	}
	if !c.Kind.Valid() {
		return fmt.Errorf("%w: kind %q; want golden, adversarial, regression or edge", ErrCase, c.Kind)
	}
	if err := checkTexts(c); err != nil {
		return err
	}
	for _, call := range c.Calls {
		if call.Name == "" || call.Arguments != "" && !json.Valid([]byte(call.Arguments)) {
			return fmt.Errorf("%w: tool call %q needs a name and JSON arguments", ErrCase, call.Name)
		}
	}
	if c.ID == "" {
		c.ID = ID(c)
	}
	return nil
}

// checkTexts refuses texts that are not valid UTF-8: a file can't contain them
// unchanged, and two different ones would have the same [Hash].
func checkTexts(c *eval.Case) error {
	check := func(what string, texts ...string) error {
		for _, s := range texts {
			if !utf8.ValidString(s) {
				return fmt.Errorf("%w: the %s %.20q is not valid UTF-8", ErrCase, what, s)
			}
		}
		return nil
	}
	err := cmp.Or(check("id", c.ID), check("input", c.Input), check("reference", c.References...), check("passage", c.Context...))
	for id := range c.Relevant {
		err = cmp.Or(err, check("document id", id))
	}
	for tag, value := range c.Tags {
		err = cmp.Or(err, check("tag", tag, value))
	}
	for _, call := range c.Calls {
		err = cmp.Or(err, check("tool call", call.Name, call.Arguments))
	}
	return err
}

// ID derives a case's id from its input: 16 hexadecimal digits of its SHA-256. The
// id stays the same if the expected answer is corrected, so a [Diff] shows a
// correction. The id changes if the question changes. A nil case counts as an empty
// one.
func ID(c *eval.Case) string {
	if c == nil {
		c = &eval.Case{}
	}
	h := sha256.Sum256([]byte(c.Input))
	return hex.EncodeToString(h[:8])
}

// Hash is the SHA-256 of a case's whole content, in hexadecimal. A nil case counts
// as an empty one.
func Hash(c *eval.Case) string {
	if c == nil {
		c = &eval.Case{}
	}
	// encoding/json writes struct fields in order and map keys sorted.
	data, err := json.Marshal(c)
	if err != nil { // strings, ints and maps of them always marshal
		data = fmt.Appendf(nil, "%#v", *c)
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// Version names the dataset's content: sha256: and 64 hexadecimal digits, over the
// hashes of the cases in any order. Two files with the same version have the same
// cases; a score without the version that it was measured on can't be compared.
func (d *Dataset) Version() string {
	hashes := make([]string, len(d.Cases))
	for i := range d.Cases {
		hashes[i] = Hash(&d.Cases[i])
	}
	slices.Sort(hashes)
	h := sha256.Sum256([]byte(strings.Join(hashes, "\n")))
	return "sha256:" + hex.EncodeToString(h[:])
}

// All yields the cases in order, in the form that a suite reads.
func (d *Dataset) All() iter.Seq2[*eval.Case, error] {
	return func(yield func(*eval.Case, error) bool) {
		for i := range d.Cases {
			if !yield(&d.Cases[i], nil) {
				return
			}
		}
	}
}

// OfKind returns the cases of one kind.
func (d *Dataset) OfKind(k eval.Kind) []eval.Case {
	var out []eval.Case
	for _, c := range d.Cases {
		if c.Kind == k {
			out = append(out, c)
		}
	}
	return out
}

// A Change is a case that two versions of a dataset have under the same id with
// different content.
type Change struct {
	Old, New    *eval.Case
	Input       bool // the question differs
	Expectation bool // what counts as a good answer differs
	Labels      bool // kind or tags differ
}

// A Difference is what changed between two versions of a dataset.
type Difference struct {
	Added, Removed []*eval.Case
	Changed        []Change
	Same           int
}

// Diff compares two versions by id. The results are ordered by id, whatever the
// order of the files. A nil dataset counts as an empty one.
func Diff(before, after *Dataset) Difference {
	if before == nil {
		before = &Dataset{}
	}
	if after == nil {
		after = &Dataset{}
	}
	was := make(map[string]*eval.Case, len(before.Cases))
	for i := range before.Cases {
		was[before.Cases[i].ID] = &before.Cases[i]
	}
	var d Difference
	for i := range after.Cases {
		c := &after.Cases[i]
		old, ok := was[c.ID]
		delete(was, c.ID)
		switch {
		case !ok:
			d.Added = append(d.Added, c)
		case Hash(old) == Hash(c):
			d.Same++
		default:
			d.Changed = append(d.Changed, Change{
				Old: old, New: c,
				Input:       old.Input != c.Input || !slices.Equal(old.Context, c.Context),
				Expectation: !slices.Equal(old.References, c.References) || !maps.Equal(old.Relevant, c.Relevant) || !slices.Equal(old.Calls, c.Calls),
				Labels:      old.Kind != c.Kind || !maps.Equal(old.Tags, c.Tags),
			})
		}
	}
	for _, c := range was {
		d.Removed = append(d.Removed, c)
	}
	byID := func(a, b *eval.Case) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(d.Added, byID)
	slices.SortFunc(d.Removed, byID)
	slices.SortFunc(d.Changed, func(a, b Change) int { return byID(a.New, b.New) })
	return d
}

// String returns the difference as a short list, a line a case.
func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d added, %d removed, %d changed, %d the same\n", len(d.Added), len(d.Removed), len(d.Changed), d.Same)
	for _, c := range d.Added {
		fmt.Fprintf(&b, "+ %s %s %.60q\n", c.ID, c.Kind, c.Input)
	}
	for _, c := range d.Removed {
		fmt.Fprintf(&b, "- %s %s %.60q\n", c.ID, c.Kind, c.Input)
	}
	for _, c := range d.Changed {
		var what []string
		for _, w := range []struct {
			differs bool
			name    string
		}{{c.Input, "input"}, {c.Expectation, "expectation"}, {c.Labels, "labels"}} {
			if w.differs {
				what = append(what, w.name)
			}
		}
		fmt.Fprintf(&b, "~ %s %s: %s\n", c.New.ID, c.New.Kind, strings.Join(what, ", "))
	}
	return b.String()
}
