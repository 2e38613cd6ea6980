package event

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Table {
		require.False(t, seen[d.Name], "%s is listed twice", d.Name)
		seen[d.Name] = true
		require.NotEmpty(t, d.Attrs)
		require.NotEmpty(t, d.Meaning)
	}
}

func TestCheckerHoldsRecordsToTheTable(t *testing.T) {
	var reports []string
	log := slog.New(&Checker{Report: func(f string, a ...any) { reports = append(reports, fmt.Sprintf(f, a...)) }})
	log.Info(CacheHit, Key, "ab12", Model, "m")
	require.Empty(t, reports)
	log.Info(CacheHit, "prompt", "secret words")
	log.Info("cache.hitt")
	require.Equal(t, []string{
		`event cache.hit has the key "prompt", which the table doesn't list`,
		`"cache.hitt" is not an event of the table`,
	}, reports)
}

func TestNilLoggerDiscards(t *testing.T) {
	Logger(nil).Info(CacheMiss)
	l := slog.New(slog.DiscardHandler)
	require.Same(t, l, Logger(l))
}
