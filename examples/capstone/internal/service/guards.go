package service

import (
	"context"
	"log/slog"
	"regexp"
	"slices"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
)

// guardOf puts the checks around a model: secrets never reach a provider and
// never come back, personal data is flagged in questions and redacted from
// answers, injected instructions are flagged (the passages are marked as
// material anyway, and the course itself quotes attacks), and the model may call
// no tool, so that there is nothing an attack could make it do.
func guardOf(next llms.Model, tenant func(context.Context) string, log *slog.Logger) (*guard.Model, error) {
	secrets, err := secret.New(nil)
	if err != nil {
		return nil, err
	}
	personal, err := pii.New(nil)
	if err != nil {
		return nil, err
	}
	injected, err := injection.New(nil)
	if err != nil {
		return nil, err
	}
	attack := guard.Check{Name: "injection", Policy: guard.PolicyFlag, Cost: 1, Find: func(_ context.Context, text string) ([]guard.Finding, error) {
		var out []guard.Finding
		for _, f := range injected.Find(text) {
			out = append(out, guard.Finding(f))
		}
		return out, nil
	}}
	return guard.New(next, &guard.Options{
		Input:     []guard.Check{check("secret", secrets, guard.PolicyRedact), check("pii", personal, guard.PolicyFlag), attack},
		Documents: []guard.Check{check("secret", secrets, guard.PolicyRedact), attack},
		Output:    []guard.Check{check("secret", secrets, guard.PolicyRedact), check("pii", personal, guard.PolicyRedact)},
		Tools:     []guard.Tool{},
		Tenant:    tenant,
		Logger:    log,
	})
}

// check makes a guard's check of a detector, which tells in a stream as early as
// can be what is decided.
func check(name string, d *detect.Detector, policy guard.Policy) guard.Check {
	return guard.Check{
		Name: name, Policy: policy,
		Find: func(_ context.Context, text string) ([]guard.Finding, error) {
			var out []guard.Finding
			for f := range d.All(text) {
				out = append(out, guard.Finding(f))
			}
			return out, nil
		},
		Scan: func(context.Context) guard.Scanner {
			s := &scanner{}
			s.stream = d.Stream(detect.Label).OnFinding(func(f detect.Finding) { s.found = append(s.found, guard.Finding(f)) })
			return s
		},
	}
}

// A scanner is a detector at work on a stream.
type scanner struct {
	stream  *detect.Stream
	written int
	found   []guard.Finding
}

// Write takes a piece and returns what was found up to where it is decided.
func (s *scanner) Write(piece string) ([]guard.Finding, int, error) {
	s.written += len(piece)
	s.stream.Write(piece)
	return s.take(), s.written - s.stream.Held(), nil
}

// Close ends the text.
func (s *scanner) Close() ([]guard.Finding, error) {
	s.stream.Close()
	return s.take(), nil
}

func (s *scanner) take() []guard.Finding {
	found := s.found
	s.found = nil
	return found
}

// untrusted registers the passages with the request and returns them marked.
func untrusted(ctx context.Context, passages []schema.Document) []schema.Document {
	texts := make([]string, len(passages))
	for i, p := range passages {
		texts[i] = p.PageContent
	}
	out := slices.Clone(passages)
	for i, text := range guard.Untrusted(ctx, texts...) {
		out[i].PageContent = text
	}
	return out
}

var marks = regexp.MustCompile(`(?m)^<<(/?)untrusted:[0-9a-f]+>>$`)

// sameMarks makes equal prompts of those that differ only in the marks' nonces,
// which are new for each request; a cache would never hit otherwise.
func sameMarks(text string) string { return marks.ReplaceAllString(text, "<<${1}untrusted>>") }

// unmarked takes the marks off a passage again, for the model that quotes it.
func unmarked(passage string) string { return marks.ReplaceAllString(passage, "") }
