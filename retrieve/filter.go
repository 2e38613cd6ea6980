package retrieve

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ErrFilter is wrapped by errors for a [Filter] or the text of one that is not valid.
var ErrFilter = errors.New("retrieve: invalid filter")

// A FilterOp is what a node of a [Filter] does.
type FilterOp uint8

// The operations. A value is a string, a number or a bool, and equals only values of
// its own kind. If the metadata has a list under the key, the condition is true if it
// is true of one of the list's values.
const (
	OpAll      FilterOp = iota // true of all passages: the zero Filter
	OpEqual                    // the key has the value
	OpNotEqual                 // not OpEqual: also true if there is no such key
	OpIn                       // the key has one of the values
	OpLess                     // the key has a number or string below the value
	OpAtMost                   // below or equal
	OpMore                     // above
	OpAtLeast                  // above or equal
	OpExists                   // the key is there, and not null
	OpAnd                      // all of Filters are true
	OpOr                       // one of Filters is true
	OpNot                      // the one in Filters is false
)

var opSigns = map[FilterOp]string{OpEqual: "=", OpNotEqual: "!=", OpLess: "<", OpAtMost: "<=", OpMore: ">", OpAtLeast: ">="}

// A Filter is a condition on metadata, as a tree. Make one with [Eq] and the functions
// beside it, or of a text with [ParseFilter]. The fields are public so that a store can
// translate the tree into its own conditions, with the values as parameters, never as
// text.
type Filter struct {
	Op      FilterOp
	Key     string
	Values  []any // strings, float64 and bool
	Filters []Filter
}

// Eq returns the filter "key = value". The value is a string, a bool, or a number of any
// type.
func Eq(key string, value any) Filter {
	return Filter{Op: OpEqual, Key: key, Values: []any{normal(value)}}
}

// Ne returns the filter "key != value", which is true also if there is no such key.
func Ne(key string, value any) Filter {
	return Filter{Op: OpNotEqual, Key: key, Values: []any{normal(value)}}
}

// In returns the filter "key in (value, …)". Without values it is false.
func In(key string, values ...any) Filter {
	f := Filter{Op: OpIn, Key: key, Values: make([]any, len(values))}
	for i, v := range values {
		f.Values[i] = normal(v)
	}
	return f
}

// Less returns the filter "key < value", for numbers and strings. Dates as
// "2026-01-31" are in order as strings.
func Less(key string, value any) Filter {
	return Filter{Op: OpLess, Key: key, Values: []any{normal(value)}}
}

// AtMost returns the filter "key <= value".
func AtMost(key string, value any) Filter {
	return Filter{Op: OpAtMost, Key: key, Values: []any{normal(value)}}
}

// More returns the filter "key > value".
func More(key string, value any) Filter {
	return Filter{Op: OpMore, Key: key, Values: []any{normal(value)}}
}

// AtLeast returns the filter "key >= value".
func AtLeast(key string, value any) Filter {
	return Filter{Op: OpAtLeast, Key: key, Values: []any{normal(value)}}
}

// Between returns the filter "key >= low and key <= high".
func Between(key string, low, high any) Filter { return And(AtLeast(key, low), AtMost(key, high)) }

// Exists returns the filter "exists key".
func Exists(key string) Filter { return Filter{Op: OpExists, Key: key} }

// And returns a filter that is true if all filters are; without filters it is true.
func And(filters ...Filter) Filter { return Filter{Op: OpAnd, Filters: slices.Clone(filters)} }

// Or returns a filter that is true if one of the filters is; without filters it is
// false.
func Or(filters ...Filter) Filter { return Filter{Op: OpOr, Filters: slices.Clone(filters)} }

// Not returns a filter that is true if f is false.
func Not(f Filter) Filter { return Filter{Op: OpNot, Filters: []Filter{f}} }

// normal returns a number of any type as a float64, and other values unchanged.
func normal(v any) any {
	switch n := v.(type) {
	case int:
		return float64(n)
	case int8:
		return float64(n)
	case int16:
		return float64(n)
	case int32:
		return float64(n)
	case int64:
		return float64(n)
	case uint:
		return float64(n)
	case uint8:
		return float64(n)
	case uint16:
		return float64(n)
	case uint32:
		return float64(n)
	case uint64:
		return float64(n)
	case float32: // the number that it is written as, so that it equals itself after JSON
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', -1, 32), 64)
		return f
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return f
		}
	}
	return v
}

// filterDepth is how deep a tree may be: deeper ones are mistakes or attacks.
const filterDepth = 100

// Check returns nil, or an error that wraps [ErrFilter] if the filter cannot work: a
// value of another type, a condition without a key, a tree that is too deep.
func (f *Filter) Check() error { return f.check(0) }

func (f *Filter) check(depth int) error {
	if depth > filterDepth {
		return fmt.Errorf("%w: it is more than %d levels deep", ErrFilter, filterDepth)
	}
	values, filters := 1, 0
	switch f.Op {
	case OpAll, OpExists:
		values = 0
	case OpIn:
		values = len(f.Values)
	case OpAnd, OpOr:
		values, filters = 0, len(f.Filters)
	case OpNot:
		values, filters = 0, 1
	case OpEqual, OpNotEqual, OpLess, OpAtMost, OpMore, OpAtLeast:
	default:
		return fmt.Errorf("%w: the operation is %d", ErrFilter, f.Op)
	}
	if len(f.Values) != values || len(f.Filters) != filters {
		return fmt.Errorf("%w: operation %d has %d values and %d filters, want %d and %d", ErrFilter, f.Op, len(f.Values), len(f.Filters), values, filters)
	}
	if leaf := f.Op != OpAll && f.Op < OpAnd; leaf == (f.Key == "") {
		return fmt.Errorf("%w: operation %d has the key %q", ErrFilter, f.Op, f.Key)
	}
	for _, v := range f.Values {
		if err := f.checkValue(v); err != nil {
			return err
		}
	}
	for i := range f.Filters {
		if err := f.Filters[i].check(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (f *Filter) checkValue(v any) error {
	switch n := v.(type) {
	case string:
		return nil
	case float64:
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return fmt.Errorf("%w: %s is compared with %v", ErrFilter, f.Key, n)
		}
		return nil
	case bool:
		if f.Op >= OpLess && f.Op <= OpAtLeast {
			return fmt.Errorf("%w: %s %s %v: true and false have no order", ErrFilter, f.Key, opSigns[f.Op], n)
		}
		return nil
	}
	return fmt.Errorf("%w: %s is compared with a %T: want a string, a number or a bool", ErrFilter, f.Key, v)
}

// Match reports whether the filter is true of metadata. A filter that [Filter.Check]
// refuses is false.
func (f *Filter) Match(meta map[string]any) bool {
	return f.Check() == nil && f.match(func(key string) any { return meta[key] })
}

func (f *Filter) match(get func(key string) any) bool {
	switch f.Op {
	case OpAll:
		return true
	case OpAnd:
		return !slices.ContainsFunc(f.Filters, func(g Filter) bool { return !g.match(get) })
	case OpOr:
		return slices.ContainsFunc(f.Filters, func(g Filter) bool { return g.match(get) })
	case OpNot:
		return !f.Filters[0].match(get)
	case OpExists:
		return get(f.Key) != nil
	case OpNotEqual:
		return !f.any(get(f.Key), OpEqual)
	}
	return f.any(get(f.Key), f.Op)
}

// any reports whether the condition is true of a value or of one in a list.
func (f *Filter) any(value any, op FilterOp) bool {
	switch list := value.(type) {
	case []any:
		return slices.ContainsFunc(list, func(v any) bool { return f.one(normal(v), op) })
	case []string:
		return slices.ContainsFunc(list, func(v string) bool { return f.one(v, op) })
	}
	return f.one(normal(value), op)
}

func (f *Filter) one(value any, op FilterOp) bool {
	if op == OpEqual || op == OpIn {
		return slices.ContainsFunc(f.Values, func(want any) bool { return equal(value, want) })
	}
	order := 0
	switch want := f.Values[0].(type) {
	case float64:
		got, ok := value.(float64)
		if !ok || math.IsNaN(got) {
			return false
		}
		order = cmp.Compare(got, want)
	case string:
		got, ok := value.(string)
		if !ok {
			return false
		}
		order = strings.Compare(got, want)
	}
	switch op {
	case OpLess:
		return order < 0
	case OpAtMost:
		return order <= 0
	case OpMore:
		return order > 0
	}
	return order >= 0
}

// equal compares without a panic for values that can't be compared.
func equal(value, want any) bool {
	switch w := want.(type) {
	case string:
		v, ok := value.(string)
		return ok && v == w
	case float64:
		v, ok := value.(float64)
		return ok && v == w
	case bool:
		v, ok := value.(bool)
		return ok && v == w
	}
	return false
}

// String returns the text of the filter, which [ParseFilter] reads.
func (f *Filter) String() string {
	if err := f.Check(); err != nil {
		return "(" + err.Error() + ")"
	}
	var b strings.Builder
	f.write(&b)
	return b.String()
}

func (f *Filter) write(b *strings.Builder) {
	switch f.Op {
	case OpAll:
		b.WriteString("all")
	case OpExists:
		b.WriteString("exists " + keyText(f.Key))
	case OpNot:
		b.WriteString("not (")
		f.Filters[0].write(b)
		b.WriteString(")")
	case OpAnd, OpOr:
		word := map[FilterOp]string{OpAnd: "and", OpOr: "or"}[f.Op]
		if len(f.Filters) < 2 { // the word alone would not say which
			b.WriteString(word)
		}
		b.WriteString("(")
		for i := range f.Filters {
			if i > 0 {
				b.WriteString(" " + word + " ")
			}
			f.Filters[i].write(b)
		}
		b.WriteString(")")
	case OpIn:
		b.WriteString(keyText(f.Key) + " in (")
		for i, v := range f.Values {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(valueText(v))
		}
		b.WriteString(")")
	default:
		b.WriteString(keyText(f.Key) + " " + opSigns[f.Op] + " " + valueText(f.Values[0]))
	}
}

func keyText(key string) string {
	if isWord(key) && !filterWords[key] {
		return key
	}
	return "`" + strings.ReplaceAll(key, "`", "``") + "`"
}

func valueText(v any) string {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}
