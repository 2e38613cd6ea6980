package llama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/wrap"
)

// MetadataResponseFormat is the key of a response format in a call's metadata: OpenAI's
// response_format, of the type json_schema or json_object. It is the key that
// retry/openai and guard/structured use.
const MetadataResponseFormat = "openai:response_format"

// Options configures [New].
type Options struct {
	// Load configures the network. Default: see [LoadOptions].
	Load LoadOptions
	// MaxTokens bounds an answer, if the call does not. Default: 512.
	MaxTokens int
	// Sampler chooses tokens where the call states nothing else; its Rand is not used.
	// Default: the most likely token.
	Sampler SamplerOptions
	// Template is the chat template for a file without one. Default: such a file is
	// refused.
	Template string
	// CacheTokens is how many tokens' keys and values are kept in memory, for the prompts
	// in progress and those of earlier calls; a call that needs more fails with [ErrPages].
	// Default: twice the model's context, but no more than 1 GiB has room for (see
	// [Config.KVBytes]), and at least 4,096 or the context.
	CacheTokens int
	// Draft is a small model with the same vocabulary that guesses tokens ahead. Default:
	// none.
	Draft *weights.File
	// LookUp guesses tokens ahead from the prompt itself, where no Draft does. It pays for
	// answers that quote their prompt. Default: off.
	LookUp Lookup
	// DraftTokens is how many tokens are guessed at once. Default: 4 with a Draft or a
	// LookUp that has a MaxNGram.
	DraftTokens int
}

// keptCaches is how many finished sequences stay in the cache, for the next prompt that
// begins as they do.
const keptCaches = 16

// Model is an llms.Model that runs in this process. It is safe for concurrent use: the
// forward passes of calls alternate.
type Model struct {
	o       Options
	net     *Network
	tok     *Tokenizer
	chat    *Chat
	lex     func() (*Lexicon, error)
	draft   *Network
	pool    *Pool
	mu      sync.Mutex
	kept    []*Cache // the latest last
	schemas map[string]*Grammar
}

// New reads a model from a GGUF file, which may be closed afterwards.
func New(f *weights.File, o *Options) (*Model, error) {
	m := &Model{schemas: map[string]*Grammar{}}
	if o != nil {
		m.o = *o
	}
	if m.o.MaxTokens == 0 {
		m.o.MaxTokens = 512
	}
	if m.o.MaxTokens < 0 || m.o.DraftTokens < 0 || m.o.CacheTokens < 0 || m.o.LookUp.MaxNGram < 0 {
		return nil, fmt.Errorf("%w: MaxTokens %d, DraftTokens %d, CacheTokens %d, LookUp.MaxNGram %d: want at least 0",
			ErrOption, m.o.MaxTokens, m.o.DraftTokens, m.o.CacheTokens, m.o.LookUp.MaxNGram)
	}
	if _, err := NewSampler(&m.o.Sampler); err != nil {
		return nil, err
	}
	var err error
	if m.net, err = Load(f, &m.o.Load); err != nil {
		return nil, err
	}
	if m.tok, err = ReadTokenizer(f); err != nil {
		return nil, err
	}
	if m.tok.Size() > m.net.config.Vocabulary {
		return nil, fmt.Errorf("%w: %d tokens and %d rows of the embedding", ErrModel, m.tok.Size(), m.net.config.Vocabulary)
	}
	if m.chat, err = ReadChat(f, m.tok, m.o.Template); err != nil {
		return nil, err
	}
	if m.o.Draft != nil {
		if m.draft, err = Load(m.o.Draft, &m.o.Load); err != nil {
			return nil, fmt.Errorf("the draft: %w", err)
		}
		if m.draft.config.Vocabulary != m.net.config.Vocabulary {
			return nil, fmt.Errorf("%w: the draft has %d tokens, the model %d", ErrModel, m.draft.config.Vocabulary, m.net.config.Vocabulary)
		}
	}
	if m.o.CacheTokens == 0 {
		c := m.net.config
		m.o.CacheTokens = max(min(c.Context, 4096), min(2*c.Context, 1<<30/c.KVBytes()))
	}
	if m.pool, err = m.net.NewPool(m.o.CacheTokens); err != nil {
		return nil, err
	}
	m.lex = sync.OnceValues(func() (*Lexicon, error) { return NewLexicon(m.tok) })
	m.o.Draft = nil
	return m, nil
}

// Open is [New] with the GGUF file of that name, or with the folder of a Hugging Face
// checkpoint: see [weights.ReadCheckpoint].
func Open(path string, o *Options) (*Model, error) {
	f, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return New(f, o)
}

// Config returns the model's shape.
func (m *Model) Config() Config { return m.net.config }

// Network returns the weights.
func (m *Model) Network() *Network { return m.net }

// Tokenizer returns the vocabulary.
func (m *Model) Tokenizer() *Tokenizer { return m.tok }

// SupportsReasoning reports false: thoughts are not separated from the answer.
func (m *Model) SupportsReasoning() bool { return false }

// Call answers a single prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, m, prompt, options...)
}

// GenerateContent answers. It obeys MaxTokens, Temperature, TopK, TopP, the penalties,
// Seed, StopWords, N, JSONMode and [MetadataResponseFormat] of the call, and both
// streaming functions; chunks are whole characters. The name of another model is
// ignored; tools are refused, since this package does not read tool calls.
//
// The stop reason is "stop" or "length", the latter also for a text in the form of a
// schema that a limit made end sooner. GenerationInfo has PromptTokens,
// CompletionTokens, TotalTokens, PromptCachedTokens (what was still in the cache), and
// with drafts DraftedTokens and AcceptedTokens.
//
// A prompt that does not fit into the context is an error that wraps [ErrContext] and
// states both lengths: nothing is cut in silence.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("llama: %w", err)
	}
	o := callopt.Resolve(options)
	if len(o.Tools) > 0 || len(o.Functions) > 0 {
		return nil, fmt.Errorf("%w: it has tools, which this package does not support", ErrPrompt)
	}
	turns, err := turnsOf(messages)
	if err != nil {
		return nil, err
	}
	prompt, err := m.chat.Tokens(turns)
	if err != nil {
		return nil, err
	}
	if len(prompt) >= m.net.config.Context {
		return nil, fmt.Errorf("%w: the prompt has %d tokens, the model's context %d", ErrContext, len(prompt), m.net.config.Context)
	}
	grammar, err := m.grammar(&o)
	if err != nil {
		return nil, err
	}
	n := max(1, o.N, o.CandidateCount)
	if n > 64 {
		return nil, fmt.Errorf("%w: %d answers are asked for, at most 64 are given", ErrOption, n)
	}
	c := &call{m: m, o: &o, prompt: prompt, grammar: grammar}
	out := &llms.ContentResponse{}
	for i := range n {
		choice, err := c.answer(ctx, i)
		if err != nil {
			return nil, wrap.ContextError(ctx, err)
		}
		out.Choices = append(out.Choices, choice)
	}
	for _, choice := range out.Choices { // the usage is the whole call's
		choice.GenerationInfo["CompletionTokens"] = c.completion
		choice.GenerationInfo["TotalTokens"] = len(prompt) + c.completion
	}
	return out, nil
}

// grammar returns what the answer must follow, nil if it is free.
func (m *Model) grammar(o *callopt.Options) (*Grammar, error) {
	format, ok := o.Metadata[MetadataResponseFormat]
	if !ok {
		if o.JSONMode {
			return AnyJSON(), nil
		}
		return nil, nil
	}
	data, err := json.Marshal(format)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	var f struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema json.RawMessage `json:"schema"`
		} `json:"json_schema"`
	}
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchema, err)
	}
	switch f.Type {
	case "text":
		return nil, nil
	case "json_object":
		return AnyJSON(), nil
	case "json_schema":
	default:
		return nil, fmt.Errorf("%w: the response format %q", ErrSchema, f.Type)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if g, ok := m.schemas[string(f.JSONSchema.Schema)]; ok {
		return g, nil
	}
	g, err := NewGrammar(f.JSONSchema.Schema)
	if err == nil && len(m.schemas) < 100 {
		m.schemas[string(f.JSONSchema.Schema)] = g
	}
	return g, err
}

// A call is one GenerateContent.
type call struct {
	m          *Model
	o          *callopt.Options
	prompt     []int32
	grammar    *Grammar
	completion int
}

func (c *call) sampler(choice int) (*Sampler, error) {
	s := c.m.o.Sampler
	for f, to := range map[callopt.Field]*float64{
		callopt.Temperature: &s.Temperature, callopt.TopP: &s.TopP, callopt.RepetitionPenalty: &s.Repeat,
		callopt.FrequencyPenalty: &s.Frequency, callopt.PresencePenalty: &s.Presence,
	} {
		if c.o.Has(f) {
			*to = map[callopt.Field]float64{
				callopt.Temperature: c.o.Temperature, callopt.TopP: c.o.TopP, callopt.RepetitionPenalty: c.o.RepetitionPenalty,
				callopt.FrequencyPenalty: c.o.FrequencyPenalty, callopt.PresencePenalty: c.o.PresencePenalty,
			}[f]
		}
	}
	if c.o.Has(callopt.TopK) {
		s.TopK = max(0, c.o.TopK) // below 0 means off, too
	}
	s.Rand = nil
	if c.o.Has(callopt.Seed) {
		s.Rand = rand.New(rand.NewPCG(uint64(c.o.Seed), uint64(choice)))
	}
	return NewSampler(&s)
}

func (c *call) answer(ctx context.Context, index int) (*llms.ContentChoice, error) {
	s, err := c.sampler(index)
	if err != nil {
		return nil, err
	}
	g := &GenerateOptions{Sampler: s, MaxTokens: c.m.o.MaxTokens, End: c.m.tok.IsEnd, DraftTokens: c.m.o.DraftTokens, Stats: &Stats{}}
	if c.o.Has(callopt.MaxTokens) && c.o.MaxTokens > 0 {
		g.MaxTokens = c.o.MaxTokens
	}
	if c.grammar != nil {
		lex, err := c.m.lex()
		if err != nil {
			return nil, err
		}
		if g.Mask, err = NewMatcher(c.grammar, lex); err != nil {
			return nil, err
		}
	}
	switch {
	case c.m.draft != nil:
		if g.Drafter, err = NewDraftModel(c.m.draft); err != nil {
			return nil, err
		}
	case c.m.o.LookUp.MaxNGram > 0:
		g.Drafter = c.m.o.LookUp
	}
	cache, err := c.m.acquire(c.prompt)
	if err != nil {
		return nil, err
	}
	cached := cache.Len()
	s.See(c.prompt[:cached]...)
	text, reason, err := c.stream(ctx, index, cache, g)
	c.m.keep(cache)
	if err != nil {
		return nil, err
	}
	c.completion += g.Stats.Tokens
	info := map[string]any{"PromptTokens": len(c.prompt), "PromptCachedTokens": cached}
	if g.Drafter != nil {
		info["DraftedTokens"], info["AcceptedTokens"] = g.Stats.Drafted, g.Stats.Accepted
	}
	return &llms.ContentChoice{Content: text, StopReason: reason, GenerationInfo: info}, nil
}

// stream generates until the end, a stop word or an error of a callback. Where the pool
// has no page left, kept sequences are dropped and the pass is tried again.
func (c *call) stream(ctx context.Context, index int, cache *Cache, g *GenerateOptions) (text, reason string, err error) {
	inner := delta.With(ctx, delta.Delta{Kind: delta.Text, Choice: index})
	s := &textStream{emit: func(chunk string) error {
		if f := c.o.StreamingFunc; f != nil {
			if err := f(inner, []byte(chunk)); err != nil {
				return err
			}
		}
		if f := c.o.StreamingReasoningFunc; f != nil {
			return f(inner, nil, []byte(chunk))
		}
		return nil
	}}
	for _, w := range c.o.StopWords {
		if w != "" {
			s.stops = append(s.stops, w)
		}
	}
	rest := c.prompt[cache.Len():]
	for c.m.reserve(cache, min(c.m.net.config.Context, len(c.prompt)+g.MaxTokens+max(g.DraftTokens, 4)+1)) {
	}
	for token, err := range c.m.net.Generate(ctx, cache, rest, g) {
		if err != nil {
			return "", "", err
		}
		if err := s.push(c.m.tok.Bytes(token)); err != nil {
			return "", "", err
		}
		if s.done {
			return s.text.String(), "stop", nil
		}
	}
	if err := s.flush(); err != nil {
		return "", "", err
	}
	reason = "stop"
	if cut := g.Stats.Tokens >= g.MaxTokens || cache.Len()+1 >= c.m.net.config.Context; cut && (g.Mask == nil || !g.Mask.Complete()) || g.Stats.Shortened > 0 {
		reason = "length"
	}
	return s.text.String(), reason, nil
}

// reserve makes room for n tokens. It reports true if it dropped a kept sequence and is
// worth another try.
func (m *Model) reserve(c *Cache, n int) (again bool) {
	if err := c.reserve(n); !errors.Is(err, ErrPages) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.kept) == 0 {
		return false // the pass itself will fail if it needs that much
	}
	m.kept[0].Close()
	m.kept = m.kept[1:]
	return true
}

// acquire returns a cache that shares the pages of the kept sequence with the longest
// common begin. At least one token of the prompt is left to compute: its logits are
// needed.
func (m *Model) acquire(prompt []int32) (*Cache, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var best *Cache
	common := 0
	for _, c := range m.kept {
		if n := min(commonPrefix(c.Tokens(), prompt), len(prompt)-1); n > common {
			best, common = c, n
		}
	}
	if best == nil {
		return m.pool.NewCache(), nil
	}
	c, err := best.Fork()
	if err != nil {
		return nil, err
	}
	return c, c.Truncate(common)
}

// keep stores a finished sequence; one that is the begin of it is dropped.
func (m *Model) keep(c *Cache) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = c.Truncate(c.Len()) // gives pages back that were reserved and not used
	kept := m.kept[:0]
	for _, k := range m.kept {
		if commonPrefix(k.Tokens(), c.Tokens()) == k.Len() {
			k.Close()
			continue
		}
		kept = append(kept, k)
	}
	m.kept = append(kept, c)
	if len(m.kept) > keptCaches {
		m.kept[0].Close()
		m.kept = m.kept[1:]
	}
}
