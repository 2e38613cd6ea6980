package content

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
)

// Each method costs time in proportion to the text.
func TestGrowth(t *testing.T) {
	bans, err := NewBans([]string{"lamp", "amp", "mp ", "a lamp that"}, &BanOptions{Inside: true})
	require.NoError(t, err)
	refusals, err := NewRefusals(nil)
	require.NoError(t, err)
	classify, err := NewClassifier(nil)
	require.NoError(t, err)
	toxic, err := NewToxic(&ToxicOptions{Classify: classify})
	require.NoError(t, err)
	leak, err := NewLeak("one two three four five six seven eight", nil)
	require.NoError(t, err)
	for name, f := range map[string]func(string){
		"bans": func(s string) { bans.Find(s) }, "refusals": func(s string) { refusals.Is(s) }, "leak": func(s string) { leak.Is(s) }, "language": func(s string) { Language(s) },
		"toxic": func(s string) {
			if _, _, _, err := toxic.Score(context.Background(), s); err != nil {
				t.Error(err)
			}
		},
	} {
		for kind, part := range map[string]string{"sentences": "A lamp that is old, stupid and \"quoted\" can't shine. ", "one sentence": "a stupid lamp, a lamp that is one two three four five six seven, "} {
			t.Run(name+", "+kind, func(t *testing.T) {
				growth.Test(t, 500, 3, func(n int) func() {
					text := strings.Repeat(part, n)
					return func() { f(text) }
				})
			})
		}
	}
}
