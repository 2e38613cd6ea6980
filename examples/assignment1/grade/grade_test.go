package grade

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cheat answers without asking.
type cheat struct{ ticket Ticket }

func (c cheat) Classify(ctx context.Context, _ string) (Ticket, error) { return c.ticket, ctx.Err() }

// TestHardCodingEarnsNothing runs each line of the rubric on a solution that
// guesses: none may pass.
func TestHardCodingEarnsNothing(t *testing.T) {
	for _, l := range rubric {
		failed := make(chan bool)
		go func() { // a check may end its goroutine
			probe := &testing.T{}
			defer func() { failed <- recover() != nil || probe.Failed() }()
			l.check(probe, &exam{fromEnv: func(Env, *http.Client) (Triage, error) {
				return cheat{Ticket{"billing", 3, "s", true}}, nil
			}})
		}()
		require.True(t, <-failed, l.name)
	}
}
