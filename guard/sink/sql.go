package sink

import (
	"fmt"
	"slices"
	"strings"
)

// A SQLError reports why a statement may not run.
type SQLError struct {
	Offset int // in bytes
	Reason string
}

func (e *SQLError) Error() string {
	return fmt.Sprintf("sink: the statement at byte %d: %s", e.Offset, e.Reason)
}

// SQLOptions say what a model's query may do.
type SQLOptions struct {
	// Tables may be read, in any case, with their schema if that is how they
	// are written. Names that the query itself defines (WITH) may be too.
	// Default: none, and an empty list means the same.
	Tables []string

	// Functions may be called. A list that is empty and not nil admits none.
	// Default: nil, which admits the usual ones that only compute.
	Functions []string
}

// harmless functions only compute.
var harmless = strings.Fields("count sum avg min max abs round floor ceil ceiling coalesce nullif lower upper length trim ltrim rtrim substr substring " +
	"replace concat cast extract date_trunc date strftime year month day now row_number rank dense_rank lag lead over filter distinct " +
	"greatest least any all exists in values and or not on using as from where having then when else case by select between like is join with")

// writing words may not appear in a query that reads, unless quoted.
var writing = strings.Fields("insert update delete merge replace drop alter create truncate grant revoke call exec execute do copy load attach detach pragma " +
	"vacuum analyze analyse reindex set reset begin commit rollback savepoint lock unlock into outfile dumpfile handler prepare deallocate declare listen notify " +
	"import export use explain describe desc show kill shutdown returning")

// CheckSQL reports why a statement isn't one query that only reads the tables it
// may. It parses the statement and does not search it: "drop" in a string is a word,
// and in the statement it is a command. Comments are refused, and so is everything
// that databases read differently. Some harmless SQL that is rare is refused too:
// SUBSTRING with FOR, WITH inside a subquery.
//
// Run what passes as a database user that can't write either, with a time limit, since
// this check is one layer.
func CheckSQL(query string, o *SQLOptions) error {
	if o == nil {
		o = &SQLOptions{}
	}
	tokens := lexSQL(query)
	for _, t := range tokens {
		switch t.kind {
		case sqlBad:
			return &SQLError{t.start, "databases read it in different ways, or a quote isn't closed"}
		case sqlComment:
			return &SQLError{t.start, "a comment"}
		}
	}
	if n := len(tokens); n > 0 && tokens[n-1].text == ";" {
		tokens = tokens[:n-1]
	}
	if len(tokens) == 0 || tokens[0].text != "select" && tokens[0].text != "with" || tokens[0].kind != sqlWord {
		return &SQLError{0, "it doesn't begin with SELECT or WITH"}
	}
	q := &queryReader{tokens: tokens, tables: lowered(o.Tables), functions: lowered(o.Functions)}
	if o.Functions == nil {
		q.functions = harmless
	} else {
		q.functions = slices.Concat(q.functions, strings.Fields("over filter any all exists in values and or not on using as from where having then when else case by select between like is join with distinct"))
	}
	return q.check()
}

func lowered(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
	}
	return out
}

type queryReader struct {
	tokens            []sqlToken
	tables, functions []string
	defined           []string // by WITH
}

func (q *queryReader) at(i int) sqlToken {
	if i < 0 || i >= len(q.tokens) {
		return sqlToken{kind: sqlPunct}
	}
	return q.tokens[i]
}

func (q *queryReader) is(i int, text string) bool {
	t := q.at(i)
	return t.text == text && (t.kind == sqlWord || t.kind == sqlPunct)
}

func (q *queryReader) name(i int) bool {
	return q.at(i).kind == sqlWord || q.at(i).kind == sqlQuoted
}

func (q *queryReader) check() error {
	q.definitions()
	for i, t := range q.tokens {
		switch {
		case q.is(i, ";"):
			return &SQLError{t.start, "more than one statement"}
		case t.kind == sqlWord && slices.Contains(writing, t.text) && !q.is(i-1, ".") && !(t.text == "replace" && q.is(i+1, "(")) && !(t.text == "desc" && i > 0):
			return &SQLError{t.start, "it does more than read"}
		case t.kind == sqlWord && t.text == "for" && !q.is(i-1, "("):
			return &SQLError{t.start, "it locks"}
		}
	}
	depth := 0
	from := map[int]bool{} // the depths at which a list of tables is open
	for i := 0; i < len(q.tokens); i++ {
		t := q.tokens[i]
		switch {
		case q.is(i, "("):
			depth++
			if q.name(i-1) && !q.is(i-2, ".") && !slices.Contains(q.functions, q.at(i-1).text) && !slices.Contains(q.defined, q.at(i-1).text) {
				return &SQLError{q.at(i - 1).start, "the function isn't admitted"}
			}
			if q.name(i-1) && q.is(i-2, ".") {
				return &SQLError{q.at(i - 1).start, "a function of another schema"}
			}
			delete(from, depth)
		case q.is(i, ")"):
			delete(from, depth)
			depth--
		case q.is(i, "from") && q.extracts(i):
		case q.is(i, "from") || q.is(i, "join"):
			from[depth] = true
			if err := q.table(i + 1); err != nil {
				return err
			}
		case q.is(i, ",") && from[depth]:
			if err := q.table(i + 1); err != nil {
				return err
			}
		case t.kind == sqlWord && slices.Contains([]string{"where", "group", "order", "having", "limit", "offset", "union", "intersect", "except", "select", "window", "fetch"}, t.text):
			delete(from, depth)
		}
	}
	return nil
}

// definitions admits the names that WITH defines before the query. Their queries are
// checked as the rest is.
func (q *queryReader) definitions() {
	if !q.is(0, "with") {
		return
	}
	i := 1
	if q.is(i, "recursive") {
		i++
	}
	for q.name(i) {
		name := q.at(i).text
		if i++; q.is(i, "(") {
			i = q.behind(i)
		}
		if !q.is(i, "as") {
			return
		}
		for i++; q.is(i, "not") || q.is(i, "materialized"); i++ {
		}
		if !q.is(i, "(") {
			return
		}
		q.tables = append(q.tables, name)
		q.defined = append(q.defined, name)
		if i = q.behind(i); !q.is(i, ",") {
			return
		}
		i++
	}
}

// The place after the bracket that closes the one at open.
func (q *queryReader) behind(open int) int {
	depth := 0
	for i := open; i < len(q.tokens); i++ {
		if q.is(i, "(") {
			depth++
		} else if q.is(i, ")") {
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(q.tokens)
}

// extracts reports whether a FROM belongs to a function, as in
// extract(year FROM day).
func (q *queryReader) extracts(i int) bool {
	for j := i - 1; j >= max(0, i-4); j-- {
		if q.is(j, "(") {
			return slices.Contains([]string{"extract", "substring", "trim"}, q.at(j-1).text)
		}
		if q.is(j, "select") {
			return false
		}
	}
	return false
}

// table checks what is at the place of a table.
func (q *queryReader) table(i int) error {
	for q.is(i, "lateral") || q.is(i, "only") {
		i++
	}
	if q.is(i, "(") {
		return nil // what is inside is checked when its turn comes
	}
	if !q.name(i) {
		return &SQLError{q.at(i).start, "no table where one must be"}
	}
	name, start := q.at(i).text, q.at(i).start
	for q.is(i+1, ".") && q.name(i+2) {
		name += "." + q.at(i+2).text
		i += 2
	}
	if q.is(i+1, "(") {
		return &SQLError{start, "a function where a table must be"}
	}
	if !slices.Contains(q.tables, name) {
		return &SQLError{start, "the table isn't admitted"}
	}
	return nil
}

// CheckSQLValues reports whether a value changes the structure of a statement: an
// error unless the statement that [fmt.Sprintf] makes of template and values has
// the same tokens as with harmless values, except for the values themselves. It is
// the test of Z. Su and G. Wassermann, "The essence of command injection attacks
// in web applications", POPL 2006. Placeholders of the database are better. Use this
// function where they are not possible, and for code that doesn't use them.
func CheckSQLValues(template string, values ...string) error {
	plain, given := make([]any, len(values)), make([]any, len(values))
	for i, v := range values {
		given[i], plain[i] = v, "x"
		if v != "" && strings.Trim(v, "0123456789") == "" {
			plain[i] = "1"
		}
	}
	want, got := lexSQL(fmt.Sprintf(template, plain...)), lexSQL(fmt.Sprintf(template, given...))
	for i, t := range got {
		if t.kind == sqlBad || i >= len(want) || t.kind != want[i].kind || t.kind != sqlString && t.text != want[i].text && (t.kind == sqlPunct || want[i].text != "x" && want[i].text != "1") {
			return &SQLError{t.start, "a value changes what the statement means"}
		}
	}
	if len(got) < len(want) {
		return &SQLError{len(template), "a value changes what the statement means"}
	}
	return nil
}
