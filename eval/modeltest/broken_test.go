package modeltest_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// A brokenWrapper has a fault, and names the rules that find it.
type brokenWrapper struct {
	name  string
	o     modeltest.Options
	wrap  func(next llms.Model) llms.Model // or the two below
	gen   generateFunc
	call  func(ctx context.Context, m *mutant, prompt string, options []llms.CallOption) (string, error)
	skip  string // a rule in which the fault is a data race
	rules []string
}

var broken = slices.Concat(brokenShape, brokenAnswers, brokenRequests, brokenStreams, brokenErrors, brokenCaches)

// TestBrokenWrappers checks the suite: each fault is found by the rules about it
// and by no other rule.
func TestBrokenWrappers(t *testing.T) {
	found := map[string]bool{}
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			wrap := func(_ testing.TB, next llms.Model) llms.Model {
				if b.wrap != nil {
					return b.wrap(next)
				}
				return &mutant{base: base{next}, generate: b.gen, call: b.call}
			}
			failed := modeltest.Failures(t, wrap, &b.o, b.skip)
			want := slices.Sorted(slices.Values(b.rules))
			require.Equal(t, want, slices.Sorted(maps.Keys(failed)), "%v", failed)
			for rule, messages := range failed {
				found[rule] = true
				for _, m := range messages {
					require.Regexp(t, `^rule `+rule+`: .+\n\tcame:  .+\n(.+\n)*\tright: .+$`, m)
				}
			}
		})
	}
	for _, name := range modeltest.RuleNames() {
		require.True(t, found[name], "no broken wrapper shows that rule %s can fail", name)
	}
}
