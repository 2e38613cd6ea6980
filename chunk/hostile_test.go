package chunk

import (
	"maps"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/chunk/internal/texttest"
	"github.com/prodailabs/prodai/internal/growth"
)

func TestGrowthHostileInput(t *testing.T) {
	growth.Skip(t)
	all := chunkers(t, 50, 10)
	maps.Copy(all, others(t, 50, 10))
	for name, c := range all {
		if strings.HasPrefix(name, "semantic") && !strings.HasPrefix(name, "semantic optimal") {
			continue
		}
		texttest.Growth(t, name, func(text string) error {
			_, err := c.Chunk(t.Context(), text)
			return err
		})
	}
}
