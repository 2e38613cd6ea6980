package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/flood"
	"github.com/prodailabs/prodai/retry/limit"
)

type tenantKey struct{}

func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

// consumption shows the two halves of a defense against cost: guard/flood bounds what
// one text may cost, and retry/limit what one tenant may. The guard is outside, so a
// text that it refuses takes nothing from the budget.
func consumption(w io.Writer) error {
	now := time.Unix(1_790_000_000, 0)
	answer := &modeltest.Script{Turns: []modeltest.Turn{{Chunks: modeltest.Words("From 9 to 5."), Times: -1}}}
	budget, err := limit.New(answer, &limit.Options{
		Tenant:       tenantOf,
		Quota:        limit.Quota{Tokens: limit.Rate{N: 1000, Per: time.Minute}},
		AnswerTokens: 200,
		Store:        &limit.Memory{Now: func() time.Time { return now }},
	})
	if err != nil {
		return err
	}
	floods, err := flood.NewCheck(&flood.Options{MaxTokens: 800})
	if err != nil {
		return err
	}
	model, err := guard.New(budget, &guard.Options{
		Input:  []guard.Check{floods},
		Tenant: tenantOf,
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "\nUnbounded consumption (LLM10): 800 tokens a text, 1,000 tokens a minute and tenant.")
	for _, r := range []struct{ tenant, name, prompt string }{
		{"noisy", "one word, 500 times", strings.Repeat("poem ", 500)},
		{"noisy", "brackets, 1,500 deep", strings.Repeat("[", 1500)},
		{"noisy", "a long question", "When do you open? " + strings.Repeat("I ask since my train is late. ", 40)},
		{"noisy", "the same again", "When do you open? " + strings.Repeat("I ask since my train is late. ", 40)},
		{"quiet", "a short question", "When do you open?"},
	} {
		_, err := llms.GenerateFromSinglePrompt(context.WithValue(context.Background(), tenantKey{}, r.tenant), model, r.prompt)
		var blocked *guard.BlockedError
		var refused *limit.Error
		outcome := "passes"
		switch {
		case errors.As(err, &blocked):
			outcome = fmt.Sprintf("guard/flood: %s (%s)", blocked.Verdict.Findings[0].Reason, blocked.Verdict.Findings[0].Kind)
		case errors.As(err, &refused):
			outcome = fmt.Sprintf("retry/limit: %d, come back in %v", refused.HTTPStatus(), refused.Delay.Round(time.Second))
		case err != nil:
			return err
		}
		if _, err := fmt.Fprintf(w, "  %-6s %-22s %s\n", r.tenant, r.name, outcome); err != nil {
			return err
		}
	}
	return nil
}
