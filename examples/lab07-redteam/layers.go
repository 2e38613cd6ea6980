package main

import (
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/content"
	"github.com/prodailabs/prodai/guard/defaults"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/redteam"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/guard/sink"
)

// A layer is one defense that can be switched on.
type layer struct {
	name, what string
	on         func(*guard.Options)
	call       []llms.CallOption
}

func newLayers() ([]layer, error) {
	detector, err := injection.New(&injection.Options{Threshold: defaults.InjectionThreshold})
	if err != nil {
		return nil, err
	}
	attack := guard.Check{Name: "injection", Find: guard.FindWith(detector.Find), Rank: 1}
	leak, err := content.NewLeak(system, nil)
	if err != nil {
		return nil, err
	}
	secrets, err := secret.New(nil)
	if err != nil {
		return nil, err
	}
	links, err := sink.NewLinkCheck(&sink.LinkOptions{Hosts: []string{"shop.test"}})
	if err != nil {
		return nil, err
	}
	return []layer{
		{name: "filter", what: "guard/injection on what the user writes, on documents and on results", on: func(o *guard.Options) {
			o.Input, o.Documents, o.ToolResults = append(o.Input, attack), append(o.Documents, attack), append(o.ToolResults, attack)
		}},
		{name: "taint", what: "guard.Tool: what was not asked for by the user is not called", on: func(o *guard.Options) {
			o.Tools = []guard.Tool{{Name: "read", ReadOnly: true}, {Name: "send_email", IntentPhrases: []string{"send", "mail", "forward", "write"}, UntrustedArguments: []string{"body"}}}
		}},
		{name: "output", what: "guard/content's Leak and guard/secret on the answer", on: func(o *guard.Options) {
			o.Output = append(o.Output, leak.Check(), guard.DetectorCheck("secrets", secrets, guard.PolicyBlock))
		}},
		{name: "links", what: "guard/sink: no address that is neither listed nor from trusted text", on: func(o *guard.Options) {
			o.Output = append(o.Output, links)
		}},
		{name: "length", what: "a limit of 400 tokens for an answer", on: func(*guard.Options) {}, call: []llms.CallOption{llms.WithMaxTokens(400)}},
	}, nil
}

// target builds the assistant with some layers. Documents reach it as passages, or as
// results of a tool.
func target(model llms.Model, on []layer, place redteam.Place) (redteam.Target, error) {
	o := &guard.Options{}
	var call []llms.CallOption
	for _, l := range on {
		l.on(o)
		call = append(call, l.call...)
	}
	guarded, err := guard.New(model, o)
	if err != nil {
		return nil, err
	}
	return redteam.NewModelTarget(guarded, &redteam.ModelOptions{System: system, Document: place, Call: call})
}
