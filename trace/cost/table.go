package cost

import (
	"bytes"
	"cmp"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// ErrOption is wrapped by the error of a nil reader.
var ErrOption = errors.New("cost: invalid option")

// ErrUnknownModel is wrapped by errors about a model that the table has no price
// for.
var ErrUnknownModel = errors.New("cost: the price table doesn't know the model")

// A Price is pico-USD per token, by part. nil means unknown, for which [Table.Bill]
// has a fallback; 0 means free.
type Price struct {
	In           *int64 `json:"in,omitempty"`
	Out          *int64 `json:"out,omitempty"`
	CacheRead    *int64 `json:"cache_read,omitempty"`
	CacheWrite   *int64 `json:"cache_write,omitempty"` // kept for five minutes
	CacheWrite1h *int64 `json:"cache_write_1h,omitempty"`
	Reasoning    *int64 `json:"reasoning,omitempty"`
	AudioIn      *int64 `json:"audio_in,omitempty"`
	AudioOut     *int64 `json:"audio_out,omitempty"`
	ImageIn      *int64 `json:"image_in,omitempty"`
	ImageOut     *int64 `json:"image_out,omitempty"`
}

// A Tier replaces prices for the whole request when its input is larger than
// Above tokens.
type Tier struct {
	Above int64 `json:"above"`
	Price
}

// A ModelPrices is the prices of one model: the standard ones, those for large
// requests, and those of the service tiers.
type ModelPrices struct {
	Provider string
	Standard Price
	Tiers    []Tier           // ascending by Above
	Services map[string]Price // "batches", "flex", "priority"
}

// UnmarshalJSON reads a model in the form of the table.
func (m *ModelPrices) UnmarshalJSON(data []byte) error {
	var raw struct {
		Provider string `json:"provider"`
		Price    struct {
			Price
			Tiers    []Tier `json:"tiers"`
			Batches  *Price `json:"batches"`
			Flex     *Price `json:"flex"`
			Priority *Price `json:"priority"`
		} `json:"price"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*m = ModelPrices{Provider: raw.Provider, Standard: raw.Price.Price, Tiers: raw.Price.Tiers, Services: map[string]Price{}}
	slices.SortFunc(m.Tiers, func(a, b Tier) int { return cmp.Compare(a.Above, b.Above) })
	for name, p := range map[string]*Price{"batches": raw.Price.Batches, "flex": raw.Price.Flex, "priority": raw.Price.Priority} {
		if p != nil {
			m.Services[name] = *p
		}
	}
	return m.check()
}

// check refuses negative prices: a mistake in a table must not lower a bill.
func (m *ModelPrices) check() error {
	all := append(slices.Collect(maps.Values(m.Services)), m.Standard)
	for _, t := range m.Tiers {
		all = append(all, t.Price)
	}
	for _, p := range all {
		for _, v := range []*int64{p.In, p.Out, p.CacheRead, p.CacheWrite, p.CacheWrite1h, p.Reasoning, p.AudioIn, p.AudioOut, p.ImageIn, p.ImageOut} {
			if v != nil && *v < 0 {
				return fmt.Errorf("cost: a price of %d pico-USD is negative", *v)
			}
		}
	}
	return nil
}

// A Table is prices by model name. It is safe for concurrent reading.
type Table struct {
	Taken  string // the day the prices were taken, YYYY-MM-DD
	models map[string]*ModelPrices
}

//go:embed prices.json
var defaultPrices []byte

// Default returns the embedded table: some widely used models' list prices,
// as of Table.Taken.
func Default() (*Table, error) { return Load(bytes.NewReader(defaultPrices)) }

//go:embed testdata/prices.json.gz
var allPrices []byte

var parseAll = sync.OnceValues(func() (*Table, error) {
	zr, err := gzip.NewReader(bytes.NewReader(allPrices))
	if err != nil {
		return nil, fmt.Errorf("cost: read the price table: %w", err)
	}
	all, err := Load(zr)
	if err != nil {
		return nil, err
	}
	common, err := Default() // knows some models by a shorter name
	if err != nil {
		return nil, err
	}
	return all.With(common), nil
})

// Full returns the embedded table of thousands of models of dozens of providers, as
// of Table.Taken. It is read once, in some tens of milliseconds. Ten of its models
// cost less at some hours of the day: their bill is the one of the other hours.
func Full() (*Table, error) { return parseAll() }

// With returns a table with the models of t and of other; other's prices win where
// both have a name. Taken is other's. Neither table is changed.
func (t *Table) With(other *Table) *Table {
	if other == nil {
		return t
	}
	models := maps.Clone(t.models)
	if models == nil {
		models = map[string]*ModelPrices{}
	}
	maps.Copy(models, other.models)
	return &Table{Taken: other.Taken, models: models}
}

// Implausible returns, sorted, what looks like a mistake in a table: reading from a
// cache that costs more than input, a batch that costs more than the standard tier,
// and prices above a thousandth of a dollar a token. Look at each after an update of
// prices; some are real.
func (t *Table) Implausible() []string {
	var out []string
	for name, m := range t.models {
		s := m.Standard
		if above(s.CacheRead, s.In) {
			out = append(out, name+": reading from the cache costs more than input")
		}
		if batch, ok := m.Services["batches"]; ok && (above(batch.In, s.In) || above(batch.Out, s.Out)) {
			out = append(out, name+": the batch tier costs more than the standard one")
		}
		if limit := int64(1e9); above(s.In, &limit) || above(s.Out, &limit) {
			out = append(out, name+": a token costs more than a thousandth of a dollar")
		}
	}
	slices.Sort(out)
	return out
}

func above(a, b *int64) bool { return a != nil && b != nil && *a > *b }

// Load reads a table: a JSON object with "taken" (a date) and "models", which
// maps a name to {"provider", "price"}; "price" has the fields of [Price] in
// pico-USD per token, "tiers", and the service tiers "batches", "flex" and
// "priority".
//
// It fails with [ErrOption] if r is nil.
func Load(r io.Reader) (*Table, error) {
	if r == nil {
		return nil, fmt.Errorf("%w: the reader is nil", ErrOption)
	}
	var raw struct {
		Taken  string                  `json:"taken"`
		Models map[string]*ModelPrices `json:"models"`
	}
	if err := json.NewDecoder(r).Decode(&raw); err != nil {
		return nil, fmt.Errorf("cost: read the price table: %w", err)
	}
	for name, m := range raw.Models {
		if m == nil {
			return nil, fmt.Errorf("cost: the price table has null for %q", name)
		}
	}
	return &Table{Taken: raw.Taken, models: raw.Models}, nil
}

// Models returns the names in the table, sorted.
func (t *Table) Models() []string { return slices.Sorted(maps.Keys(t.models)) }

// Find returns a model's prices and the name in the table: the name
// itself, without a date at its end ("gpt-4o-mini-2024-07-18" is
// "gpt-4o-mini"), or without a provider before a slash. It fails with
// [ErrUnknownModel]; there is no default model.
func (t *Table) Find(name string) (*ModelPrices, string, error) {
	for _, candidate := range []string{name, undated(name), afterSlash(name), undated(afterSlash(name))} {
		if m, ok := t.models[candidate]; ok {
			return m, candidate, nil
		}
	}
	return nil, "", fmt.Errorf("%w: %q (prices of %s)", ErrUnknownModel, name, t.Taken)
}

func afterSlash(name string) string {
	return name[strings.LastIndexByte(name, '/')+1:]
}

// undated cuts "-2024-07-18" or "-20240718" from the end of a name.
func undated(name string) string {
	for _, form := range []string{"-dddd-dd-dd", "-dddddddd"} {
		cut := len(name) - len(form)
		if cut > 0 && matches(name[cut:], form) {
			return name[:cut]
		}
	}
	return name
}

func matches(s, form string) bool {
	for i := range len(form) {
		digit := s[i] >= '0' && s[i] <= '9'
		if (form[i] == 'd') != digit || form[i] == '-' && s[i] != '-' {
			return false
		}
	}
	return true
}
