package modeltest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tmc/langchaingo/llms"
)

// A recorder writes down what Run would have reported.
type recorder struct {
	mu       sync.Mutex
	messages []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, fmt.Sprintf(format, args...))
}

// Failures runs the suite as Run does and returns each broken rule with its
// messages.
func Failures(t *testing.T, wrap func(testing.TB, llms.Model) llms.Model, o *Options, skip ...string) map[string][]string {
	t.Helper()
	failed := map[string][]string{}
	for _, r := range rules {
		if r.applies(o) && !slices.Contains(skip, r.name) {
			rec := &recorder{}
			r.run(t, rec, wrap, o)
			if rec.messages != nil {
				failed[r.name] = rec.messages
			}
		}
	}
	return failed
}

// RuleNames returns the names of all rules.
func RuleNames() []string {
	var names []string
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// CheckOptions is the check of options that Run begins with.
func CheckOptions(o *Options) error { return o.check() }
