package langchain

import (
	"testing"

	"github.com/prodailabs/prodai/chunk/internal/texttest"
	"github.com/prodailabs/prodai/internal/growth"
)

func TestGrowthHostileInput(t *testing.T) {
	growth.Skip(t)
	for name, c := range both(t, 50, 10) {
		texttest.Growth(t, name, func(text string) error {
			_, err := c.Chunk(t.Context(), text)
			return err
		})
	}
}
