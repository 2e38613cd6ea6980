package semantic

import "github.com/prodailabs/prodai/cache"

// Stats counts what a [Model] did since it was made.
type Stats struct {
	Hits        int64 // answered from the store
	Misses      int64 // asked the model
	Bypassed    int64 // may not be cached
	Shadowed    int64 // would have been answered, but Options.Shadow is set
	Refused     int64 // similar questions that the guard or Verify refused
	Stored      int64
	EmbedErrors int64
	TokensSaved int64 // input and output tokens of the hits
	StoreErrors int64 // entries that Options.Store didn't take
	Compared    int64 // observations of Options.Learn
	Unfit       int64 // those of them in which the stored answer was wrong
}

const (
	hits = iota
	misses
	bypassed
	shadowed
	refused
	stored
	embedErrors
	storeErrors
	compared
	unfit
	statCount
)

// Stats returns the counts.
func (m *Model) Stats() Stats {
	n := func(stat int) int64 { return m.stats[stat].Load() }
	out := Stats{Hits: n(hits), Misses: n(misses), Bypassed: n(bypassed), Shadowed: n(shadowed), Refused: n(refused), Stored: n(stored),
		EmbedErrors: n(embedErrors), StoreErrors: n(storeErrors), Compared: n(compared), Unfit: n(unfit)}
	for _, s := range m.saved.Rows() {
		out.TokensSaved += s.Tokens
	}
	return out
}

// Savings returns what hits saved, by tenant and by model.
func (m *Model) Savings() []cache.Saving { return m.saved.Rows() }
