package semantic

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
}

const (
	hits = iota
	misses
	bypassed
	shadowed
	refused
	stored
	embedErrors
	tokensSaved
	statCount
)

// Stats returns the counts.
func (m *Model) Stats() Stats {
	n := func(stat int) int64 { return m.stats[stat].Load() }
	return Stats{n(hits), n(misses), n(bypassed), n(shadowed), n(refused), n(stored), n(embedErrors), n(tokensSaved)}
}
