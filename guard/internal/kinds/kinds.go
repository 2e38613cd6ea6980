// Package kinds chooses the rules of a detector by their kinds, for the packages
// whose Options have a list of kinds.
package kinds

import (
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/guard/detect"
)

// Of returns the kinds of the rules, each once.
func Of(rules []detect.Rule) []string {
	var kinds []string
	for _, r := range rules {
		if !slices.Contains(kinds, r.Kind) {
			kinds = append(kinds, r.Kind)
		}
	}
	return kinds
}

// Choose returns the rules that find the kinds. A kind that none of them finds is an
// error that wraps errOption.
func Choose(rules []detect.Rule, kinds []string, errOption error) ([]detect.Rule, error) {
	for _, k := range kinds {
		if !slices.ContainsFunc(rules, func(r detect.Rule) bool { return r.Kind == k }) {
			return nil, fmt.Errorf("%w: Options.Kinds contains %q: want kinds of this package", errOption, k)
		}
	}
	return slices.DeleteFunc(rules, func(r detect.Rule) bool { return !slices.Contains(kinds, r.Kind) }), nil
}

// New returns a detector with the rules. No rules are an error that wraps errOption.
func New(rules []detect.Rule, errOption error) (*detect.Detector, error) {
	if len(rules) == 0 {
		return nil, fmt.Errorf("%w: Options.Kinds is empty: want one kind or more, or nil for the default", errOption)
	}
	return detect.New(rules...)
}
