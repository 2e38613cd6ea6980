package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/event"
)

// A Verdict is the result of one check of one text.
type Verdict struct {
	Stage    Stage
	Check    string
	Policy   Policy // what was done; for a check that failed: PolicyBlock, or PolicyFlag if it fails open
	Location Location
	Findings []Finding     // spans in the original text
	Err      error         // the check failed
	Elapsed  time.Duration // how long the check took; 0 for one that ran during a stream
}

// A Location is the place of the text that a verdict is about. Indices that don't
// apply are -1.
type Location struct {
	Message int    // index of the caller's message
	Part    int    // index of its part
	Passage int    // index of the passage, in the order of registration
	Choice  int    // index of the answer's choice
	Tool    string // the tool that returned a result or is called
	Kind    string // "text", "reasoning", "arguments", "evidence", …
}

func nowhere(kind string) Location {
	return Location{Message: -1, Part: -1, Passage: -1, Choice: -1, Kind: kind}
}

// reason returns the reason of the verdict, in words that contain nothing of the text.
func (v *Verdict) reason() string {
	switch {
	case v.Err != nil && errors.Is(v.Err, context.DeadlineExceeded):
		return "the check took too long"
	case v.Err != nil:
		return "the check failed"
	case len(v.Findings) > 0 && v.Findings[0].Reason != "":
		return v.Findings[0].Reason
	case len(v.Findings) > 0:
		return v.Findings[0].Kind
	}
	return ""
}

// ErrTooLarge reports a text that is longer than Options.MaxBytes, or an answer that
// would need a longer hold than Options.MaxHold.
var ErrTooLarge = errors.New("guard: too large to check")

// A BlockedError reports that the guard ended the call, and by which verdict.
// [llms.IsContentFilterError] recognizes it.
type BlockedError struct {
	Verdict Verdict
}

// Error names the stage, the check and the reason, and nothing of the text.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("guard: %s blocked by check %q: %s", e.Verdict.Stage, e.Verdict.Check, e.Verdict.reason())
}

// Unwrap returns an [*llms.Error] of the code for filtered content, and why the
// check failed if that is the reason.
func (e *BlockedError) Unwrap() []error {
	filtered := llms.NewError(llms.ErrCodeContentFilter, "guard", e.Verdict.reason())
	if e.Verdict.Err != nil {
		return []error{filtered, e.Verdict.Err}
	}
	return []error{filtered}
}

// HTTPStatus is 403 for a finding, 413 for a text that is too large to check, and 503
// if a check failed, since that is not the caller's mistake.
func (e *BlockedError) HTTPStatus() int {
	switch {
	case errors.Is(e.Verdict.Err, ErrTooLarge):
		return http.StatusRequestEntityTooLarge
	case e.Verdict.Err != nil:
		return http.StatusServiceUnavailable
	}
	return http.StatusForbidden
}

// Code is "guard_blocked", "guard_too_large" or "guard_unavailable".
func (e *BlockedError) Code() string {
	switch e.HTTPStatus() {
	case http.StatusRequestEntityTooLarge:
		return "guard_too_large"
	case http.StatusServiceUnavailable:
		return "guard_unavailable"
	}
	return "guard_blocked"
}

// report logs a verdict and hands it to the caller's function. A shadow verdict
// is only logged.
func (p *Pipeline) report(ctx context.Context, v Verdict) {
	level := slog.LevelInfo
	if v.Policy == PolicyBlock {
		level = slog.LevelWarn
	}
	if p.o.Logger.Enabled(ctx, level) {
		scores := make([]float64, 0, len(v.Findings))
		var threats []string
		seen := map[string]bool{}
		class := ""
		for _, f := range v.Findings {
			scores = append(scores, f.Score)
			if class == "" {
				class = f.Kind
			}
			for _, t := range f.Threats {
				if !seen[t] {
					seen[t] = true
					threats = append(threats, t)
				}
			}
		}
		tenant := ""
		if p.o.Tenant != nil {
			tenant = p.o.Tenant(ctx)
		}
		p.o.Logger.Log(ctx, level, event.GuardVerdict, event.Stage, v.Stage.String(), event.Check, v.Check, event.Policy, v.Policy.String(),
			event.Class, class, event.Reason, v.reason(), event.Scores, scores, event.Threats, threats,
			event.Count, len(v.Findings), event.Elapsed, v.Elapsed, event.Tenant, tenant)
	}
	if p.o.OnVerdict != nil && v.Policy != PolicyShadow {
		p.o.OnVerdict(ctx, v)
	}
}
