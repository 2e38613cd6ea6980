// Package defaults assembles the detectors of guard into the checks of a
// pipeline, with policies that harm no ordinary user:
//
//	o, err := defaults.New(&defaults.Options{Tools: tools})
//	…
//	o.Logger, o.OnVerdict = logger, show
//	model, err := guard.New(client, o)
//
//	stage         flood  secrets  injection  personal data  links
//	input         block  redact   block      flag
//	documents     block  redact   block
//	tool results  block  redact   redact
//	tool calls           block
//	output        block  redact              flag           redact
//
// Blocking a tool's result would end an agent's run for what a web page said, so
// the passage goes and the run stays; a [guard.Retriever] leaves a blocked
// document out. Secrets have no business at a provider or in an answer. Personal
// data often do: "mail it to ana@example.org" needs the address. Say in
// [Options] what is to happen with them. Pictures and files, which no check reads,
// are reported; a picture that the provider would fetch must have a public address.
//
// The result is an ordinary [guard.Options]: change what you will.
package defaults

import (
	"slices"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/flood"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/guard/sink"
)

// Options choose what the default checks leave open. The zero value works.
type Options struct {
	// Injection configures the injection detector; nil: its defaults, with a
	// threshold of [InjectionThreshold].
	Injection *injection.Options

	// Personal is what happens to personal data in the input and the output;
	// nil: [guard.PolicyFlag], which reports them. new([guard.PolicyRedact]) replaces them by
	// their kind, so that neither the provider nor the reader sees them, and
	// new([guard.PolicyBlock]) ends the call. It is a pointer because Block is the zero
	// Policy, which silence must not mean here.
	Personal *guard.Policy

	// PersonalKinds lists the kinds; nil: those of the package pii.
	PersonalKinds []string

	// Links say where the answer's links and images may lead.
	Links *sink.LinkOptions

	// Flood are the limits on what a text may cost.
	Flood *flood.Options

	// Tools are the tools that the model may call; nil: calls aren't judged.
	Tools []guard.Tool

	// Canary, if set, is looked for in the output and the tool calls.
	Canary *guard.Canary
}

// InjectionThreshold is the injection detector's score from which a text is blocked. The
// detector itself flags from .5 on; but what is blocked here costs a user an
// answer, and what is missed meets the other layers. On sources that the
// classifier has seen, .7 keeps nine tenths of the hits of .5 with a third of its
// few false alarms.
const InjectionThreshold = .7

// New returns the options of a guard with the default checks. It fails on a kind
// or a model that can't be loaded.
func New(o *Options) (*guard.Options, error) {
	if o == nil {
		o = &Options{}
	}
	io := o.Injection
	if io == nil {
		io = &injection.Options{Threshold: InjectionThreshold}
	}
	injections, err := injection.New(io)
	if err != nil {
		return nil, err
	}
	secrets, err := secret.New(nil)
	if err != nil {
		return nil, err
	}
	personal, err := pii.New(&pii.Options{Kinds: o.PersonalKinds})
	if err != nil {
		return nil, err
	}
	policy := guard.PolicyFlag
	if o.Personal != nil {
		policy = *o.Personal
	}
	floods := flood.NewCheck(o.Flood)
	inject := guard.Check{Name: "injection", Find: guard.FindWith(injections.Find), Cost: 1}
	removed := inject
	removed.Policy = guard.PolicyRedact
	removed.Replace = func(guard.Finding, string) string { return "[removed: it read like an instruction]" }
	hidden := Values("secrets", secrets, guard.PolicyRedact)
	stopped := Values("secrets", secrets, guard.PolicyBlock)
	private := Values("personal data", personal, policy)

	out := &guard.Options{
		Input:         []guard.Check{floods, hidden, private, inject},
		Documents:     []guard.Check{floods, hidden, inject},
		ToolResults:   []guard.Check{floods, hidden, removed},
		ToolCalls:     []guard.Check{stopped},
		Output:        []guard.Check{floods, hidden, private, sink.NewLinkCheck(o.Links)},
		CheckImageURL: func(address string) error { return sink.CheckURL(address, nil) },
		Tools:         slices.Clone(o.Tools),
	}
	if o.Canary != nil {
		out.Output = append(out.Output, o.Canary.Check())
		out.ToolCalls = append(out.ToolCalls, o.Canary.Check())
	}
	return out, nil
}

// Values returns a check for the values that a detector finds. It decides a
// stream exactly: what passes is what would pass of the whole text.
func Values(name string, d *detect.Detector, policy guard.Policy) guard.Check {
	return guard.Check{
		Name: name, Policy: policy,
		Find: guard.FindWith(d.Find),
		Scan: guard.ScanWith(func(found func(detect.Finding)) guard.Stream { return d.Stream(detect.Label).OnFinding(found) }),
	}
}
