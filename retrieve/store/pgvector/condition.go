package pgvector

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// A query collects the parameters of a statement. Keys and values are parameters, never a
// part of the text.
type query struct {
	args []any
}

func (q *query) bind(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

// isText reports whether a string can be in a text column.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

var signs = map[retrieve.FilterOp]string{retrieve.OpLess: "<", retrieve.OpAtMost: "<=", retrieve.OpMore: ">", retrieve.OpAtLeast: ">="}

// condition returns an expression that is true or false, and never NULL.
func (q *query) condition(c *store.Condition) string {
	if c.Op == retrieve.OpAnd || c.Op == retrieve.OpOr {
		word := map[retrieve.FilterOp]string{retrieve.OpAnd: " AND ", retrieve.OpOr: " OR "}[c.Op]
		parts := make([]string, len(c.Parts))
		for i := range c.Parts {
			parts[i] = q.condition(&c.Parts[i])
		}
		return "(" + strings.Join(parts, word) + ")"
	}
	leaf := "FALSE" // no metadata has a key that isn't text
	if isText(c.Key) {
		leaf = q.leaf(c)
	}
	if c.Negated {
		return "NOT " + leaf
	}
	return leaf
}

func (q *query) leaf(c *store.Condition) string {
	value := "(metadata -> " + q.bind(c.Key) + "::text)"
	switch c.Op {
	case retrieve.OpExists:
		return "coalesce(jsonb_typeof(" + value + ") <> 'null', FALSE)"
	case retrieve.OpIn:
		var values []string
		for _, v := range c.Values {
			if s, isString := v.(string); isString && !isText(s) {
				continue
			}
			text, err := json.Marshal(v)
			if err != nil {
				continue // strings, finite numbers and bools always are JSON
			}
			values = append(values, string(text))
		}
		// An array contains a value that is one of its elements, see "jsonb Containment
		// and Existence" in PostgreSQL's documentation. An array in it doesn't count.
		return "EXISTS (SELECT 1 FROM unnest(" + q.bind(values) + "::text[]) AS v WHERE " + value + " @> v::jsonb)"
	}
	elements := "jsonb_array_elements(CASE jsonb_typeof(" + value + ") WHEN 'array' THEN " + value + " ELSE jsonb_build_array(" + value + ") END) AS e"
	kind, compare := "string", ""
	switch v := c.Values[0].(type) {
	case float64:
		kind, compare = "number", "(e #>> '{}')::float8 "+signs[c.Op]+" "+q.bind(v)+"::float8"
	case string:
		if !isText(v) {
			return "FALSE"
		}
		compare = "(e #>> '{}') COLLATE \"C\" " + signs[c.Op] + " " + q.bind(v) + "::text"
	}
	return fmt.Sprintf("EXISTS (SELECT 1 FROM %s WHERE CASE WHEN jsonb_typeof(e) = '%s' THEN %s ELSE FALSE END)", elements, kind, compare)
}
