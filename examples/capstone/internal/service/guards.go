package service

import (
	"context"
	"log/slog"
	"slices"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/defaults"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/sink"
)

// guardOf puts the default checks around a model, with four changes. Personal data
// are redacted from answers. Addresses that may not be links stay readable.
// Injected instructions are flagged only: the passages are marked as material
// anyway, and the course itself quotes attacks. The model may call no tool, so that
// there is nothing an attack could make it do.
func (s *Service) guardOf(next llms.Model, log *slog.Logger) (*guard.Model, error) {
	o, err := defaults.New(&defaults.Options{
		Injection:       injection.Options{Threshold: 0.5}, // a flag disturbs less than a block
		InjectionPolicy: guard.PolicyFlag,
		PersonalOutput:  guard.PolicyRedact,
		Links:           sink.LinkOptions{Defang: true},
		Tools:           []guard.Tool{},
		Canary:          s.canary,
	})
	if err != nil {
		return nil, err
	}
	o.Tenant, o.Logger = s.tenant, log
	return guard.New(next, o)
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
