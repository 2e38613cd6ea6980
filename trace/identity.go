package trace

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
)

// Labels are what costs and traces are grouped by. [WithLabels] puts them on a
// context, and every span that a wrapper makes below carries them. "" is not
// recorded.
type Labels struct {
	Tenant  string // the customer: SpanTenant
	User    string // an id of the user, and not a name or address: SpanUser
	Feature string // the product's feature: SpanFeature
}

type labelsKey struct{}

// WithLabels returns ctx with l on it. A field that is "" keeps the value that ctx
// has.
func WithLabels(ctx context.Context, l Labels) context.Context {
	old := LabelsFrom(ctx)
	for _, f := range []struct{ to, from *string }{{&l.Tenant, &old.Tenant}, {&l.User, &old.User}, {&l.Feature, &old.Feature}} {
		if *f.to == "" {
			*f.to = *f.from
		}
	}
	return context.WithValue(ctx, labelsKey{}, l)
}

// LabelsFrom returns the Labels on ctx.
func LabelsFrom(ctx context.Context) Labels {
	l, _ := ctx.Value(labelsKey{}).(Labels)
	return l
}

// A Prompt is a version of a prompt: what a regression is blamed on, and what costs
// are grouped by.
type Prompt struct {
	Name    string // such as "support-answer"
	Version string // such as "7" or "2026-11-23"
	Hash    string // of the template: finds the change that forgot to raise Version
}

// NewPrompt returns the Prompt of a template. Make it once, where the template is
// defined, and put it on the context of each call with [WithPrompt]. Hash is the
// first 16 hexadecimal digits of the template's SHA-256.
func NewPrompt(name, version, template string) Prompt {
	sum := sha256.Sum256([]byte(template))
	return Prompt{Name: name, Version: version, Hash: hex.EncodeToString(sum[:8])}
}

type promptKey struct{}

// WithPrompt returns ctx with p on it. The spans below carry [SpanPrompt],
// [SpanPromptVersion] and [SpanPromptHash].
func WithPrompt(ctx context.Context, p Prompt) context.Context {
	return context.WithValue(ctx, promptKey{}, p)
}

// PromptFrom returns the Prompt on ctx.
func PromptFrom(ctx context.Context) Prompt {
	p, _ := ctx.Value(promptKey{}).(Prompt)
	return p
}

// identity appends who a span is about.
func (o *Options) identity(ctx context.Context, a []attribute.KeyValue) []attribute.KeyValue {
	l := LabelsFrom(ctx)
	if o.Tenant != nil {
		if tenant := o.Tenant(ctx); tenant != "" {
			l.Tenant = tenant
		}
	}
	a = appendText(a, SpanTenant, l.Tenant)
	a = appendText(a, SpanUser, l.User)
	a = appendText(a, SpanFeature, l.Feature)
	p := PromptFrom(ctx)
	a = appendText(a, SpanPrompt, p.Name)
	a = appendText(a, SpanPromptVersion, p.Version)
	a = appendText(a, SpanPromptHash, p.Hash)
	if o.Conversation != nil {
		a = appendText(a, SpanConversation, o.Conversation(ctx))
	}
	return a
}

// The members of W3C baggage in which one of your services gives Labels and a
// prompt's version to the next. [Baggage] reads and writes no others.
const (
	BaggageTenant        = "prodai.tenant"
	BaggageUser          = "prodai.user"
	BaggageFeature       = "prodai.feature"
	BaggagePrompt        = "prodai.prompt"
	BaggagePromptVersion = "prodai.prompt.version"
)

var baggageKeys = []string{BaggageTenant, BaggageUser, BaggageFeature, BaggagePrompt, BaggagePromptVersion}

// BaggageOptions configure a [Baggage]. The zero value works.
type BaggageOptions struct {
	// Allow lists the members that are read, of the Baggage constants. Default:
	// all of them. Leave out BaggageTenant where requests come from outside: a
	// client could then be billed to another tenant.
	Allow []string

	// MaxValues is how many different values of a member are accepted, so that a
	// client cannot fill the memory of what groups by them. Later new values are
	// replaced by BaggageOther. Default: 1000.
	MaxValues int
}

// BaggageOther replaces a value that is one too many.
const BaggageOther = "other"

// A Baggage moves Labels between the services of one system. It is safe for
// concurrent use.
type Baggage struct {
	allow  map[string]bool
	values int
	mu     sync.Mutex
	seen   map[string]map[string]bool // by member
}

// NewBaggage returns a Baggage; nil options mean the defaults. Its error wraps
// [ErrOption].
func NewBaggage(o *BaggageOptions) (*Baggage, error) {
	if o == nil {
		o = &BaggageOptions{}
	}
	allow := o.Allow
	if allow == nil {
		allow = baggageKeys
	}
	b := &Baggage{allow: map[string]bool{}, values: o.MaxValues, seen: map[string]map[string]bool{}}
	for _, key := range baggageKeys {
		b.seen[key] = map[string]bool{}
	}
	for _, key := range allow {
		if b.seen[key] == nil {
			return nil, optionError("BaggageOptions.Allow has %q: want one of %s", key, strings.Join(baggageKeys, ", "))
		}
		b.allow[key] = true
	}
	if b.values < 0 {
		return nil, optionError("BaggageOptions.MaxValues is %d: want 0 (the default, 1000) or more", b.values)
	}
	if b.values == 0 {
		b.values = 1000
	}
	return b, nil
}

// Receive returns ctx with the Labels and the Prompt that the request's baggage
// carries. Members that are not allowed, longer than 64 bytes, or not printable are
// ignored. It does not replace what ctx already has.
func (b *Baggage) Receive(ctx context.Context) context.Context {
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 {
		return ctx
	}
	have := LabelsFrom(ctx)
	got := Labels{Tenant: b.value(bag, BaggageTenant), User: b.value(bag, BaggageUser), Feature: b.value(bag, BaggageFeature)}
	if got != (Labels{}) {
		ctx = WithLabels(WithLabels(ctx, got), have)
	}
	if p := (Prompt{Name: b.value(bag, BaggagePrompt), Version: b.value(bag, BaggagePromptVersion)}); p != (Prompt{}) && PromptFrom(ctx) == (Prompt{}) {
		ctx = WithPrompt(ctx, p)
	}
	return ctx
}

func (b *Baggage) value(bag baggage.Baggage, key string) string {
	if !b.allow[key] {
		return ""
	}
	v := bag.Member(key).Value()
	if v == "" || len(v) > 64 || !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if seen := b.seen[key]; !seen[v] {
		if len(seen) >= b.values {
			return BaggageOther
		}
		seen[v] = true
	}
	return v
}

// Send returns ctx with the Labels and the Prompt's version in its baggage, for a
// call to a service of your own. The wrappers of this package remove these members
// again before a model, an embedder or a tool is called, so that a propagator does
// not give them to another company.
func (b *Baggage) Send(ctx context.Context) context.Context {
	bag := baggage.FromContext(ctx)
	l, p := LabelsFrom(ctx), PromptFrom(ctx)
	for key, v := range map[string]string{BaggageTenant: l.Tenant, BaggageUser: l.User, BaggageFeature: l.Feature, BaggagePrompt: p.Name, BaggagePromptVersion: p.Version} {
		if v == "" || !b.allow[key] {
			continue
		}
		m, err := baggage.NewMemberRaw(key, v)
		if err != nil {
			continue // a value that baggage cannot carry
		}
		if with, err := bag.SetMember(m); err == nil { // else the baggage is full
			bag = with
		}
	}
	return baggage.ContextWithBaggage(ctx, bag)
}

// private returns ctx without the members that name a tenant or user.
func private(ctx context.Context) context.Context {
	bag := baggage.FromContext(ctx)
	if bag.Len() == 0 {
		return ctx
	}
	before := bag.Len()
	for _, key := range baggageKeys {
		bag = bag.DeleteMember(key)
	}
	if bag.Len() == before {
		return ctx
	}
	return baggage.ContextWithBaggage(ctx, bag)
}
