package store

import (
	"github.com/prodailabs/prodai/retrieve"
)

// A Condition is a [retrieve.Filter] in the form that a database's subpackage compiles:
// no negated groups, no constants, no empty lists. Op is one of
//
//	OpIn                                   one of Values is the value, or is in the list
//	OpLess, OpAtMost, OpMore, OpAtLeast    Values has one number or string
//	OpExists                               the key is there, and not null
//	OpAnd, OpOr                            of one or more Parts
//
// and only the first six can be Negated.
type Condition struct {
	Op      retrieve.FilterOp
	Negated bool
	Key     string
	Values  []any // strings, float64 and bool
	Parts   []Condition
}

// Lower returns the condition of a filter. nil is met by all records; if ok is false, the
// filter is met by none. The filter must be one that [retrieve.Filter.Check] accepts.
func Lower(f retrieve.Filter) (where *Condition, ok bool) {
	c, all, none := lower(f, false)
	switch {
	case all:
		return nil, true
	case none:
		return nil, false
	}
	return &c, true
}

// lower returns the condition of a filter, or of its opposite, or that it is true of all
// or of none.
func lower(f retrieve.Filter, negated bool) (c Condition, all, none bool) {
	switch f.Op {
	case retrieve.OpAll:
		return c, !negated, negated
	case retrieve.OpNot:
		return lower(f.Filters[0], !negated)
	case retrieve.OpAnd, retrieve.OpOr:
		return lowerGroup(f, negated)
	case retrieve.OpIn:
		if len(f.Values) == 0 {
			return c, negated, !negated
		}
		c = Condition{Op: f.Op, Negated: negated, Key: f.Key, Values: f.Values}
	case retrieve.OpEqual:
		c = Condition{Op: retrieve.OpIn, Negated: negated, Key: f.Key, Values: f.Values}
	case retrieve.OpNotEqual:
		c = Condition{Op: retrieve.OpIn, Negated: !negated, Key: f.Key, Values: f.Values}
	default:
		c = Condition{Op: f.Op, Negated: negated, Key: f.Key, Values: f.Values}
	}
	return c, false, false
}

func lowerGroup(f retrieve.Filter, negated bool) (c Condition, all, none bool) {
	c.Op = f.Op
	if negated { // De Morgan
		c.Op = retrieve.OpAnd + retrieve.OpOr - f.Op
	}
	and := c.Op == retrieve.OpAnd
	for _, g := range f.Filters {
		part, all, none := lower(g, negated)
		switch {
		case none && and || all && !and:
			return Condition{}, all, none
		case all || none: // it changes nothing
		default:
			c.Parts = append(c.Parts, part)
		}
	}
	switch len(c.Parts) {
	case 0:
		return c, and, !and
	case 1:
		return c.Parts[0], false, false
	}
	return c, false, false
}

// String returns the condition as the text of a filter, for messages.
func (c *Condition) String() string {
	if c == nil {
		return "all"
	}
	f := c.filter()
	return f.String()
}

func (c *Condition) filter() retrieve.Filter {
	f := retrieve.Filter{Op: c.Op, Key: c.Key, Values: c.Values}
	for i := range c.Parts {
		f.Filters = append(f.Filters, c.Parts[i].filter())
	}
	if c.Negated {
		return retrieve.Not(f)
	}
	return f
}
