package supply

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
)

// A hostile file costs time in proportion to its bytes.
func TestGrowth(t *testing.T) {
	s, err := New(nil)
	require.NoError(t, err)
	for name, part := range map[string]string{
		"imports": "cos\nsystem\n0", "memo": "\x80\x04\x8c\x01a\x940", "tuples": "(NNNNNNNNNNt0", "marks": "(1", "pickles": "N.", "lines": "Vabc\n0",
	} {
		t.Run(name, func(t *testing.T) {
			growth.Test(t, 20_000, 3, func(n int) func() {
				data := strings.Repeat(part, n) + "N."
				return func() {
					if _, err := s.Scan(context.Background(), "m.pkl", strings.NewReader(data), int64(len(data))); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}
