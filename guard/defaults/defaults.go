package defaults

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/flood"
	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/guard/sink"
)

// ErrOption is wrapped by every error about an invalid option.
var ErrOption = errors.New("defaults: invalid option")

// Options configure the default checks. The zero value works. A policy that is set
// applies to its check at every stage, unless the field's comment names a stage.
type Options struct {
	// Injection configures the injection detector. Default: the detector's own
	// defaults, but a Threshold and a DocumentThreshold of [InjectionThreshold].
	Injection injection.Options

	// InjectionPolicy is what happens to a text that reads like an attack.
	// Default: PolicyBlock in the input and in documents, PolicyRedact in tool
	// results, so that a web page can't end an agent's run.
	InjectionPolicy guard.Policy

	// SecretPolicy is what happens to credentials. Default: PolicyRedact, but
	// PolicyBlock in tool calls, where a placeholder would be used as a value.
	SecretPolicy guard.Policy

	// PersonalInput is what happens to personal data in the input. PolicyRedact
	// replaces them by their kind, so that the provider does not see them.
	// Default: PolicyFlag, since many requests need them.
	PersonalInput guard.Policy

	// PersonalOutput is what happens to personal data in the output. Default:
	// PolicyFlag, as in the input.
	PersonalOutput guard.Policy

	// PersonalKinds lists the kinds of personal data. A list that is empty and not
	// nil means none, which [New] refuses: to check for none, take the check
	// "personal data" out of the options that New returns. Default: nil, which
	// means those of guard/pii.
	PersonalKinds []string

	// Links lists where the answer's links and images may lead. Default: no
	// images, and links only while the model has read nothing untrusted.
	Links sink.LinkOptions

	// LinkPolicy is what happens to other links. Default: PolicyRedact, which
	// keeps the answer.
	LinkPolicy guard.Policy

	// Flood are the limits on what a text may cost. Default: those of
	// guard/flood.
	Flood flood.Options

	// FloodPolicy is what happens to a text that costs more. Default:
	// PolicyBlock.
	FloodPolicy guard.Policy

	// Tools are the tools that the model may call. A list that is empty and not
	// nil allows none. Default: nil, so that only the arguments of calls are
	// checked.
	Tools []guard.Tool

	// Canary is searched for in the output and in tool calls, and blocks.
	// Default: the zero Canary, so that there is no such check.
	Canary guard.Canary
}

// InjectionThreshold is the score of the injection detector from which on a text, or an
// element of a document, counts as an attack. The detector's own threshold is .5. But
// what is blocked here costs a user an answer, and what is missed meets the other
// layers. On public sources that no training has seen, .7 keeps four fifths of the
// hits of .5 with a quarter of its false alarms, and in documents half of the hits
// with a third (guard/injection/MODEL.md).
const InjectionThreshold = .7

// New returns the options of a guard with the default checks. An invalid option,
// such as an unknown kind, is an error that wraps [ErrOption].
func New(o *Options) (*guard.Options, error) {
	var opts Options
	if o != nil {
		opts = *o
	}
	if err := opts.validatePolicies(); err != nil {
		return nil, err
	}
	attacks, attacksInDocuments, err := opts.attacks()
	if err != nil {
		return nil, err
	}
	secrets, err := secret.New(nil)
	if err != nil {
		return nil, err
	}
	personal, err := pii.New(&pii.Options{Kinds: opts.PersonalKinds})
	if err != nil {
		return nil, fmt.Errorf("%w: Options.PersonalKinds: %w", ErrOption, err)
	}
	floods, err := flood.NewCheck(&opts.Flood)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.Flood: %w", ErrOption, err)
	}
	links, err := sink.NewLinkCheck(&opts.Links)
	if err != nil {
		return nil, fmt.Errorf("%w: Options.Links: %w", ErrOption, err)
	}
	floods.Policy, links.Policy = cmp.Or(opts.FloodPolicy, guard.PolicyBlock), cmp.Or(opts.LinkPolicy, guard.PolicyRedact)
	credentials := guard.DetectorCheck("secrets", secrets, cmp.Or(opts.SecretPolicy, guard.PolicyRedact))
	attacksInResults, credentialsInCalls := attacksInDocuments, credentials
	attacks.Policy = cmp.Or(opts.InjectionPolicy, guard.PolicyBlock)
	attacksInDocuments.Policy = attacks.Policy
	attacksInResults.Policy = cmp.Or(opts.InjectionPolicy, guard.PolicyRedact)
	credentialsInCalls.Policy = cmp.Or(opts.SecretPolicy, guard.PolicyBlock)
	personalInput := guard.DetectorCheck("personal data", personal, cmp.Or(opts.PersonalInput, guard.PolicyFlag))
	personalOutput := guard.DetectorCheck("personal data", personal, cmp.Or(opts.PersonalOutput, guard.PolicyFlag))

	out := &guard.Options{
		Input:         []guard.Check{floods, credentials, personalInput, attacks},
		Documents:     []guard.Check{floods, credentials, attacksInDocuments},
		ToolResults:   []guard.Check{floods, credentials, attacksInResults},
		ToolCalls:     []guard.Check{credentialsInCalls},
		Output:        []guard.Check{floods, credentials, personalOutput, links},
		CheckImageURL: func(address string) error { return sink.CheckURL(address, nil) },
		Tools:         slices.Clone(opts.Tools),
	}
	if opts.Canary != (guard.Canary{}) {
		out.Output = append(out.Output, opts.Canary.Check())
		out.ToolCalls = append(out.ToolCalls, opts.Canary.Check())
	}
	return out, nil
}

// attacks returns the checks for injection, without their policies: that of a prompt, and
// that of a text which the assistant reads for its user.
func (o *Options) attacks() (prompt, document guard.Check, err error) {
	options := o.Injection
	options.Threshold = cmp.Or(options.Threshold, InjectionThreshold)
	options.DocumentThreshold = cmp.Or(options.DocumentThreshold, InjectionThreshold)
	d, err := injection.New(&options)
	if err != nil {
		return guard.Check{}, guard.Check{}, fmt.Errorf("%w: Options.Injection: %w", ErrOption, err)
	}
	prompt = guard.Check{
		Name: "injection", Find: guard.FindWith(d.Find), Rank: 1,
		Replace: func(guard.Finding, string) string { return "[removed: it read like an instruction]" },
	}
	document = prompt
	document.Find = guard.FindWith(func(text string) []guard.Finding {
		if found := d.FindDocument(text); len(found) > 0 {
			return found
		}
		return d.Find(text) // an attack that is split over elements
	})
	return prompt, document, nil
}

func (o *Options) validatePolicies() error {
	for _, p := range []struct {
		option string
		policy guard.Policy
	}{
		{"InjectionPolicy", o.InjectionPolicy}, {"SecretPolicy", o.SecretPolicy}, {"PersonalInput", o.PersonalInput},
		{"PersonalOutput", o.PersonalOutput}, {"LinkPolicy", o.LinkPolicy}, {"FloodPolicy", o.FloodPolicy},
	} {
		if p.policy > guard.PolicyShadow {
			return fmt.Errorf("%w: Options.%s is %d: want one of guard's policies", ErrOption, p.option, p.policy)
		}
	}
	return nil
}
