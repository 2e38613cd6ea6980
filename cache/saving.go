package cache

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// A Saving is what the hits of one tenant and model saved.
type Saving struct {
	Tenant, Model string
	Hits          int64         // also answers shared with an equal call in progress
	Tokens        int64         // input and output
	PicoUSD       int64         // as far as Options.Cost knows it
	Time          time.Duration // how much longer the model took
}

// OtherTenants is the tenant of the savings of those that come after the first 10,000
// pairs of tenant and model.
const OtherTenants = "(other tenants)"

const maxSavings = 10_000

// A Ledger adds up savings by tenant and model. Its zero value is empty. It is safe for
// concurrent use.
type Ledger struct {
	mu   sync.Mutex
	rows map[[2]string]*Saving
}

// Add adds to the row of the saving's tenant and model.
func (l *Ledger) Add(s Saving) {
	l.mu.Lock()
	defer l.mu.Unlock()
	row := l.rows[[2]string{s.Tenant, s.Model}]
	if row == nil && len(l.rows) >= maxSavings {
		s.Tenant, s.Model = OtherTenants, ""
		row = l.rows[[2]string{s.Tenant, s.Model}]
	}
	if row == nil {
		if l.rows == nil {
			l.rows = map[[2]string]*Saving{}
		}
		row = &Saving{Tenant: s.Tenant, Model: s.Model}
		l.rows[[2]string{s.Tenant, s.Model}] = row
	}
	row.Hits += s.Hits
	row.Tokens += s.Tokens
	row.PicoUSD += s.PicoUSD
	row.Time += s.Time
}

// Rows returns the savings, by tenant and then by model.
func (l *Ledger) Rows() []Saving {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Saving, 0, len(l.rows))
	for _, row := range l.rows {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b Saving) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Model, b.Model))
	})
	return out
}
