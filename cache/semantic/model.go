package semantic

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/llmcopy"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by the errors of functions whose arguments cannot work.
var ErrOption = errors.New("semantic: invalid option")

// Options configure a [Model]. The zero value works.
type Options struct {
	// Guard compares the words of an asked question and a similar stored one, and
	// returns why the stored answer must not be used, or "". Default: [Agree].
	Guard func(asked, stored string) string

	// Verify is asked last about a stored question that the threshold and the Guard
	// accept: another model for example. False or an error means that the answer isn't
	// used. Default: no question is asked.
	Verify func(ctx context.Context, asked, stored string) (bool, error)

	// Shadow, if set, turns hits off: the wrapped model is always asked, and Shadow
	// receives the stored answer of the hit beside the new one. Default:
	// hits are given to callers.
	Shadow func(context.Context, Comparison)

	// Learn lets each stored answer learn the cosine from which it is used; the threshold
	// of New is then the least. New answers start with what those of all tenants have
	// learned, which one tenant can move with questions made for that: tenants that don't
	// trust one another need a Model each. Default: the threshold of New holds for all
	// answers.
	Learn *Learn

	// Store keeps the entries after the program ends, in files (cache/disk) or in Redis
	// (cache/redis): see [Model.Load]. It may be that of a cache.Model too, whose Erase
	// doesn't reach the memory of this Model: call [Model.Delete] beside it. A name of
	// the embedder and one of the model are then required. TTL counts on while no program runs.
	// Default: entries are in memory only.
	Store Store

	// Embedder is the name and the version of the embedder. Vectors of others are never
	// compared with its own. Default: the embedder's [Named] name, as those of
	// retrieve/embed have one, and else none.
	Embedder string

	// Index finds similar questions. It must be empty, and used by this Model alone.
	// Default: a [Scan].
	Index Index

	// Model is the name of the wrapped model, for calls that do not name one.
	// Default: none; with a Store, such calls are not cached (Stats.Bypassed).
	Model string

	// Namespace is the version of what the answers depend on beside the call, such as
	// a prompt template or an index. Default: none.
	Namespace string

	// Tenant returns the tenant that a call belongs to; answers never cross tenants. A
	// call for which it returns "" is not cached. Default: all calls belong to one
	// tenant.
	Tenant func(context.Context) string

	// Attributes returns what an answer is later found by when it has to be erased,
	// such as the user of the call: see [Model.Delete]. Default: none.
	Attributes func(context.Context) map[string]string

	// Metadata lists the keys of CallOptions.Metadata that change the answer, beside
	// those that cache.KeyOf knows. Default: none.
	Metadata []string

	// Policy decides what may be cached. Default: the careful zero Policy.
	Policy cache.Policy

	// TTL is how long an answer is used; negative means forever. Default: an hour.
	TTL time.Duration

	// MaxEntries is how many answers are kept; the one that was not used for the
	// longest time leaves first. Default: 10,000.
	MaxEntries int

	// MaxQuestion is the length in bytes up to which questions are compared. One vector
	// doesn't show a small difference in a long text. Default: 500.
	MaxQuestion int

	// Cost returns the price of a call, in trillionths of a dollar, and whether it is
	// known; Of of a trace/cost.Table has this form. [Model.Savings] adds it up over the
	// hits. Default: the money saved isn't counted.
	Cost func(model string, r *llms.ContentResponse) (picoUSD int64, ok bool)

	// Logger receives cache.hit, cache.miss and cache.store. Default: they are
	// discarded.
	Logger *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// candidates is how many stored questions are looked at: the guard may refuse the
// nearest one, and the next may be right.
const candidates = 4

// A Stored is what the function of [Model.Delete] receives about an entry.
type Stored struct {
	Tenant, Namespace, Model string
	Question                 string
	At                       time.Time
	Attributes               map[string]string // as Options.Attributes gave them; must not be changed
}

// A Comparison is a hit that did not take place: because Options.Shadow is set, or
// because Options.Learn compares.
type Comparison struct {
	Asked, Stored string
	Score         float64
	Answer        *llms.ContentResponse // the stored one
	Fresh         *llms.ContentResponse // the model's
}

// Model answers a question with the stored answer of a similar one. It is safe for
// concurrent use.
type Model struct {
	next      llms.Model
	embedder  embeddings.Embedder
	threshold float64
	o         Options

	mu      sync.Mutex
	entries map[uint64]*list.Element
	byText  map[textKey]uint64
	used    *list.List // recently used first
	lastID  uint64
	asking  map[*call]bool // calls of the model in progress; true: not to be stored
	learner *learner       // nil: all entries have the threshold of New

	saving sync.RWMutex // Delete locks it; each Put to the Store and Load lock it for reading
	stats  [statCount]atomic.Int64
	saved  cache.Ledger
}

// Named is an embedder that knows the name of its model.
type Named interface {
	// Name identifies the model: vectors of models with different names cannot be
	// compared.
	Name() string
}

// New returns a Model around next. Questions whose cosine is at least the threshold,
// above 0 and at most 1, are similar; [Evaluation.Calibrate] finds one. nil options
// mean the defaults. Its error wraps [ErrOption].
func New(next llms.Model, embedder embeddings.Embedder, threshold float64, o *Options) (*Model, error) {
	if next == nil || embedder == nil {
		return nil, fmt.Errorf("%w: the model to wrap or the embedder is nil", ErrOption)
	}
	if !(threshold > 0 && threshold <= 1) {
		return nil, fmt.Errorf("%w: a threshold of %v: want above 0 and at most 1", ErrOption, threshold)
	}
	m := &Model{next: next, embedder: embedder, threshold: threshold, entries: map[uint64]*list.Element{}, byText: map[textKey]uint64{}, used: list.New(), asking: map[*call]bool{}}
	if o != nil {
		m.o = *o
		m.o.Metadata = slices.Clone(o.Metadata)
	}
	if m.o.MaxEntries < 0 || m.o.MaxQuestion < 0 {
		return nil, fmt.Errorf("%w: %d entries, questions of %d bytes: want 0 or more", ErrOption, m.o.MaxEntries, m.o.MaxQuestion)
	}
	if named, ok := embedder.(Named); ok && m.o.Embedder == "" {
		m.o.Embedder = named.Name()
	}
	if m.o.Store != nil && m.o.Embedder == "" {
		return nil, fmt.Errorf("%w: a Store needs Options.Embedder, the name of the embedder, which has none itself", ErrOption)
	}
	if m.o.Learn != nil {
		if m.o.Learn.Same == nil {
			return nil, fmt.Errorf("%w: Learn needs Same", ErrOption)
		}
		l, err := newLearner(*m.o.Learn)
		if err != nil {
			return nil, err
		}
		m.learner = l
	}
	if m.o.Guard == nil {
		m.o.Guard = Agree
	}
	if m.o.Index == nil {
		m.o.Index = NewScan()
	}
	if m.o.TTL == 0 {
		m.o.TTL = time.Hour
	}
	if m.o.MaxEntries == 0 {
		m.o.MaxEntries = 10_000
	}
	if m.o.MaxQuestion == 0 {
		m.o.MaxQuestion = 500
	}
	if m.o.Now == nil {
		m.o.Now = time.Now
	}
	m.o.Logger = event.Logger(m.o.Logger)
	return m, nil
}

// Unwrap returns the wrapped model.
func (m *Model) Unwrap() llms.Model { return m.next }

// SupportsReasoning reports whether the wrapped model does.
func (m *Model) SupportsReasoning() bool { return wrap.SupportsReasoning(m.next) }

// Call answers a single prompt, as [Model.GenerateContent] does.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent compares the last message, which must be one text of the user, with
// the stored questions. It compares only with questions that were asked with equal
// messages before them, equal options, the same model, tenant and namespace. If the
// nearest passes the threshold, the guard and Verify, its answer is returned, with
// "FromCache" = "semantic" in the GenerationInfo of each choice, and streamed as one
// chunk. Otherwise the wrapped model is asked. An error of the embedder never fails a
// call.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("semantic: %w", err)
	}
	began := m.o.Now()
	o := callopt.Resolve(options)
	c := &call{ctx: ctx, o: &o}
	reason := m.identify(c, messages, options)
	bypass := reason != ""
	var found *entry
	if !bypass {
		found, reason = m.lookup(c)
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap.ContextError(ctx, err)
	}
	if found != nil && m.o.Shadow == nil && found.Question != c.Question && m.due() {
		found, reason = nil, "check"
	}
	if found != nil && m.o.Shadow == nil {
		m.hit(c, found, began)
		r := marked(found.response)
		return r, replay(ctx, &o, r)
	}
	switch {
	case bypass:
		m.stats[bypassed].Add(1)
	case found != nil:
		m.stats[shadowed].Add(1)
		reason = "shadow"
	default:
		m.stats[misses].Add(1)
	}
	m.o.Logger.InfoContext(ctx, event.CacheMiss, event.Model, c.Model, event.Reason, reason)
	defer m.ask(c)()
	asked := m.o.Now()
	r, err := m.next.GenerateContent(ctx, messages, options...)
	if err != nil || r == nil || bypass {
		return r, wrap.ContextError(ctx, err)
	}
	c.took = m.o.Now().Sub(asked)
	if found != nil {
		m.o.Shadow(ctx, c.compare(found, r))
	}
	m.learn(c, r)
	if c.vector != nil {
		m.store(c, r)
	}
	return r, nil
}

// A call is one GenerateContent in progress.
type call struct {
	Stored
	ctx    context.Context
	o      *callopt.Options
	scope  cache.Key
	vector []float32
	near   *entry // the nearest that the guard accepts
	score  float64
	took   time.Duration
}

func (c *call) compare(e *entry, fresh *llms.ContentResponse) Comparison {
	return Comparison{c.Question, e.Question, c.score, llmcopy.Response(e.response), llmcopy.Response(fresh)}
}

// identify sets the call's question and scope, or returns why it can't be cached.
func (m *Model) identify(c *call, messages []llms.MessageContent, options []llms.CallOption) string {
	if reason := m.o.Policy.MayAsk(options...); reason != "" {
		return reason
	}
	c.Model, c.Namespace = c.o.Model, m.o.Namespace
	if c.Model == "" {
		c.Model = m.o.Model
	}
	if m.o.Tenant != nil {
		if c.Tenant = m.o.Tenant(c.ctx); c.Tenant == "" {
			return "no tenant"
		}
	}
	if m.o.Store != nil && c.Model == "" {
		return "no model name"
	}
	if len(messages) == 0 {
		return "no question"
	}
	before, last := messages[:len(messages)-1], messages[len(messages)-1]
	if last.Role != llms.ChatMessageTypeHuman || len(last.Parts) != 1 {
		return "not one text of the user"
	}
	part := last.Parts[0]
	for {
		marked, ok := part.(llms.CachedContent)
		if !ok {
			break
		}
		part = marked.ContentPart
	}
	text, ok := part.(llms.TextContent)
	if !ok || text.Text == "" {
		return "not one text of the user"
	}
	if len(text.Text) > m.o.MaxQuestion {
		return "too long"
	}
	c.Question = text.Text
	scope, err := cache.KeyOf(cache.Scope{Model: m.o.Model, Tenant: c.Tenant, Namespace: m.o.Namespace, Metadata: m.o.Metadata}, before, options...)
	if err != nil {
		return "can't be compared"
	}
	c.scope = scope
	return ""
}

// lookup returns the entry that may answer the call, or the reason for none.
func (m *Model) lookup(c *call) (*entry, string) {
	vector, err := m.embedder.EmbedQuery(c.ctx, c.Question)
	if err != nil {
		m.stats[embedErrors].Add(1)
		return nil, "embedder failed"
	}
	v, ok := unit(vector)
	if !ok {
		return nil, "no vector"
	}
	c.vector = v
	reason, below := "nothing similar", false
	for _, match := range m.o.Index.Nearest(c.scope, v, candidates) {
		// 1e-6: the rounding of float32 must not refuse the same text at threshold 1.
		if !(match.Score >= m.threshold-1e-6) {
			break
		}
		e := m.live(match.ID)
		if e == nil || e.scope != c.scope { // an Index of another's must not cross scopes
			continue
		}
		if e.Question == c.Question {
			c.near, c.score = nil, match.Score
			return e, ""
		}
		if below { // the nearest decides; only an equal text is looked for
			continue
		}
		if why := m.o.Guard(c.Question, e.Question); why != "" {
			m.stats[refused].Add(1)
			reason = "guard: " + why
			continue
		}
		c.near, c.score = e, match.Score
		if match.Score < m.needed(e) {
			below, reason = true, "below the entry's threshold"
			continue
		}
		if why := m.verify(c, e); why != "" {
			m.stats[refused].Add(1)
			reason = why
			continue
		}
		return e, ""
	}
	return nil, reason
}

// verify returns why Options.Verify refuses the entry, or "".
func (m *Model) verify(c *call, e *entry) string {
	if m.o.Verify == nil {
		return ""
	}
	same, err := m.o.Verify(c.ctx, c.Question, e.Question)
	if err != nil {
		return "verifier failed"
	}
	m.observe(c, e, same)
	if !same {
		return "not verified"
	}
	return ""
}

// marked copies a stored response for a caller.
func marked(r *llms.ContentResponse) *llms.ContentResponse {
	out := llmcopy.Response(r)
	for _, c := range out.Choices {
		if c.GenerationInfo == nil {
			c.GenerationInfo = map[string]any{}
		}
		c.GenerationInfo[usage.FromCache] = "semantic"
	}
	return out
}

// replay streams a stored answer in one piece.
func replay(ctx context.Context, o *callopt.Options, r *llms.ContentResponse) error {
	for i, c := range r.Choices {
		if f := o.StreamingReasoningFunc; f != nil && c.ReasoningContent != "" {
			if err := f(delta.With(ctx, delta.Delta{Kind: delta.Reasoning, Choice: i}), []byte(c.ReasoningContent), nil); err != nil {
				return err
			}
		}
		if c.Content == "" {
			continue
		}
		text := delta.With(ctx, delta.Delta{Kind: delta.Text, Choice: i})
		if f := o.StreamingFunc; f != nil {
			if err := f(text, []byte(c.Content)); err != nil {
				return err
			}
		}
		if f := o.StreamingReasoningFunc; f != nil {
			if err := f(text, nil, []byte(c.Content)); err != nil {
				return err
			}
		}
	}
	return nil
}
