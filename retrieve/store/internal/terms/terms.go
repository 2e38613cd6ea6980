// Package terms prepares metadata for databases whose own filters differ from
// [retrieve.Filter]: in what a missing key or a list means, in the types of numbers, or in
// the characters of a key. Each value becomes a term, a hash of its key and itself, and a
// filter asks whether a record has a term. A term has only the digits 0-9 and a-f, so that
// no text of a filter can become a part of a query. For < and >, the smallest and the
// largest number of each key are kept.
package terms

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// Terms are what filters ask about a record's metadata.
type Terms struct {
	Tokens  []string
	Numbers map[string]float64 // by [Low] and [High] of a key
	Texts   map[string]string  // by [LowText] and [HighText] of a key; hex, which keeps the order
}

// Of returns the terms of metadata as JSON gives it back.
func Of(meta map[string]any) Terms {
	t := Terms{Numbers: map[string]float64{}, Texts: map[string]string{}}
	seen := map[string]bool{}
	add := func(token string) {
		if !seen[token] {
			seen[token] = true
			t.Tokens = append(t.Tokens, token)
		}
	}
	for key, value := range meta {
		if value == nil {
			continue
		}
		add(Exists(key))
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, v := range list {
			switch v := v.(type) {
			case float64:
				add(Value(key, v))
				add(HasNumber(key))
				t.number(key, v)
			case string:
				add(Value(key, v))
				add(HasText(key))
				t.text(key, hex.EncodeToString([]byte(v)))
			case bool:
				add(Value(key, v))
			}
		}
	}
	return t
}

func (t *Terms) number(key string, v float64) {
	if old, ok := t.Numbers[Low(key)]; !ok || v < old {
		t.Numbers[Low(key)] = v
	}
	if old, ok := t.Numbers[High(key)]; !ok || v > old {
		t.Numbers[High(key)] = v
	}
}

func (t *Terms) text(key, v string) {
	if old, ok := t.Texts[LowText(key)]; !ok || v < old {
		t.Texts[LowText(key)] = v
	}
	if old, ok := t.Texts[HighText(key)]; !ok || v > old {
		t.Texts[HighText(key)] = v
	}
}

// hash returns 128 bits of a hash of values, each with its type and length. The bytes of a
// string count as they are: JSON would make all invalid ones equal, and so two tenants.
func hash(values ...any) string {
	h := sha256.New()
	for _, v := range values { // a hash never fails
		switch v := v.(type) {
		case string:
			fmt.Fprintf(h, "s%d:%s", len(v), v)
		case float64:
			fmt.Fprintf(h, "n%016x", math.Float64bits(v))
		default:
			fmt.Fprintf(h, "%T:%v;", v, v)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Value returns the term of a key and a string, number or bool.
func Value(key string, v any) string {
	if f, ok := v.(float64); ok && f == 0 {
		v = 0.0 // -0 equals 0
	}
	return hash(key, v)
}

// Exists returns the term of a key that is there.
func Exists(key string) string { return hash(key) }

// HasNumber and HasText return the terms of a key with a number or a string.
func HasNumber(key string) string { return hash(key, "number", 0) }

// HasText returns the term of a key with a string.
func HasText(key string) string { return hash(key, "text", 0) }

// Low returns the field of the smallest number of a key. It is a name in all databases.
func Low(key string) string { return "lo_" + hash(key) }

// High returns the field of the largest number of a key.
func High(key string) string { return "hi_" + hash(key) }

// LowText returns the field of the smallest string of a key.
func LowText(key string) string { return "tlo_" + hash(key) }

// HighText returns the field of the largest string of a key.
func HighText(key string) string { return "thi_" + hash(key) }

// A Builder writes the parts of a database's filter.
type Builder[T any] struct {
	// Has is true of records with one of the tokens, or with none of them if not is set.
	Has func(tokens []string, not bool) T
	// Number and Text compare a field: op is OpLess, OpAtMost, OpMore or OpAtLeast. A
	// record without the field must be false. Text may be nil: strings have no order.
	Number func(field string, op retrieve.FilterOp, v float64) T
	Text   func(field string, op retrieve.FilterOp, v string) T
	// Stale: a record may have fields of the one that it replaced, so that a comparison
	// counts only together with the term of its key.
	Stale bool
	// Group joins two or more parts by OpAnd or OpOr.
	Group func(op retrieve.FilterOp, parts []T) T
}

// Compile writes a condition. It fails with [store.ErrUnsupported].
func Compile[T any](c *store.Condition, b Builder[T]) (T, error) {
	switch c.Op {
	case retrieve.OpAnd, retrieve.OpOr:
		parts := make([]T, len(c.Parts))
		for i := range c.Parts {
			var err error
			if parts[i], err = Compile(&c.Parts[i], b); err != nil {
				return parts[i], err
			}
		}
		return b.Group(c.Op, parts), nil
	case retrieve.OpExists:
		return b.Has([]string{Exists(c.Key)}, c.Negated), nil
	case retrieve.OpIn:
		tokens := make([]string, len(c.Values))
		for i, v := range c.Values {
			tokens[i] = Value(c.Key, v)
		}
		return b.Has(tokens, c.Negated), nil
	}
	return compileOrder(c, b)
}

// opposite is true of a value where the operation is false.
var opposite = map[retrieve.FilterOp]retrieve.FilterOp{retrieve.OpLess: retrieve.OpAtLeast, retrieve.OpAtMost: retrieve.OpMore,
	retrieve.OpMore: retrieve.OpAtMost, retrieve.OpAtLeast: retrieve.OpLess}

func compileOrder[T any](c *store.Condition, b Builder[T]) (T, error) {
	op := c.Op
	low := op == retrieve.OpLess || op == retrieve.OpAtMost // one of a list is below if the smallest is
	if c.Negated {
		op = opposite[op]
	}
	var part T
	var has string
	switch v := c.Values[0].(type) {
	case float64:
		field := High(c.Key)
		if low {
			field = Low(c.Key)
		}
		part, has = b.Number(field, op, v), HasNumber(c.Key)
	case string:
		if b.Text == nil {
			return part, fmt.Errorf("%w: it has no order of strings: %s", store.ErrUnsupported, c)
		}
		field := HighText(c.Key)
		if low {
			field = LowText(c.Key)
		}
		part, has = b.Text(field, op, hex.EncodeToString([]byte(v))), HasText(c.Key)
	}
	if c.Negated {
		return b.Group(retrieve.OpOr, []T{b.Has([]string{has}, true), part}), nil
	}
	if b.Stale {
		return b.Group(retrieve.OpAnd, []T{b.Has([]string{has}, false), part}), nil
	}
	return part, nil
}
