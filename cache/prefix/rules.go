package prefix

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrRules is wrapped by the error of a table that can't be read.
var ErrRules = errors.New("prefix: not a table of rules")

//go:embed rules.json
var defaultRules []byte

// Rules returns the table of this package. Each rule has the month and the page that it
// was taken from; providers change them, so a bill of the provider decides.
func Rules() ([]Rule, error) { return LoadRules(bytes.NewReader(defaultRules)) }

// maxTable bounds a table of rules.
const maxTable = 1 << 20

// LoadRules reads a table of your own, a JSON list in the form of rules.json of this
// package. Its error wraps [ErrRules].
func LoadRules(r io.Reader) ([]Rule, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTable+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRules, err)
	}
	if len(data) > maxTable {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrRules, maxTable)
	}
	var rows []struct {
		Rule
		Life string `json:"ttl"`
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&rows); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRules, err)
	}
	seen := map[string]bool{}
	var out []Rule
	for _, row := range rows {
		rule := row.Rule
		if row.Life != "" {
			if rule.TTL, err = time.ParseDuration(row.Life); err != nil {
				return nil, fmt.Errorf("%w: %q: %w", ErrRules, rule.Name, err)
			}
		}
		if _, err := time.Parse("2006-01", rule.AsOf); err != nil || rule.Name == "" || seen[rule.Name] {
			return nil, fmt.Errorf("%w: %q: no date, no name, or twice", ErrRules, rule.Name)
		}
		if err := rule.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
		seen[rule.Name] = true
		out = append(out, rule)
	}
	return out, nil
}

// Named returns the rule of a name, such as "anthropic 5m", from the table of this
// package.
func Named(name string) (Rule, error) {
	rules, err := Rules()
	if err != nil {
		return Rule{}, err
	}
	for _, r := range rules {
		if r.Name == name {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("%w: no rule is called %q", ErrOption, name)
}
