package chunk

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/internal/texttest"
	"github.com/prodailabs/prodai/internal/growth"
)

// TestGrowthHostileInput compares the processor time for a text with that for one
// 64 times as long. Linear work takes 64 times as long, and a few times that where
// the long text's memory outgrows a cache; quadratic work takes 4096 times as
// long. The best of some tries counts.
func TestGrowthHostileInput(t *testing.T) {
	growth.Skip(t)
	const n, times, limit = 1 << 10, 64, 500
	small, large := texttest.Hostile(n), texttest.Hostile(times*n)
	best := func(c Chunker, text string, best time.Duration) time.Duration {
		start := growth.ProcessorTime()
		_, err := c.Chunk(t.Context(), text)
		require.NoError(t, err)
		return min(best, growth.ProcessorTime()-start)
	}
	all := chunkers(t, 50, 10)
	maps.Copy(all, others(t, 50, 10))
	for name, c := range all {
		if strings.HasPrefix(name, "semantic") && !strings.HasPrefix(name, "semantic optimal") {
			continue
		}
		for input := range small {
			a, b := time.Hour, time.Hour
			for try := 0; try == 0 || try < 8 && b > limit*a; try++ {
				a, b = best(c, small[input], a), best(c, large[input], b)
			}
			if b > limit*a {
				t.Errorf("%s on %s: %v for %d bytes, %v for %d", name, input, a, n, b, times*n)
			}
		}
	}
}
