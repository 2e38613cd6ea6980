// Package service is the capstone's heart: it composes the library's packages
// into one retrieval-augmented answer.
//
//	question ─► retrieve ─► prompt with numbered passages ─► the stack ─► check citations
//
//	the stack, outermost first: trace (the logical call), guard, limit, cache,
//	retry, trace (the attempt), client
package service

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/bm25"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/rag"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/defaults"
	"github.com/prodailabs/prodai/retry/limit"
	"github.com/prodailabs/prodai/retry/openai"
	"github.com/prodailabs/prodai/trace"
	"github.com/prodailabs/prodai/trace/cost"
	"github.com/prodailabs/prodai/trace/jsonl"
)

// Options say what the service is made of. The zero value runs offline: the
// course in memory, answered by rag.Extractive.
type Options struct {
	Collection string               // file of the passages; "": in memory
	NoCourse   bool                 // leave out the course's own notes
	APIKey     string               // of the provider
	BaseURL    string               // of an OpenAI-compatible server; "": OpenAI's
	Model      string               // the provider's model; "" with no key and no URL: Extractive
	GGUF       string               // file of a model that runs in this process, in place of the provider; "": none
	Client     llms.Model           // a model that answers in place of all of these; nil: none
	Guard      func(*guard.Options) // changes the guard's checks, to measure what each is worth; nil: as they are
	Spans      io.Writer            // finished spans as JSON lines; nil: none
	Log        slog.Handler
	Tenant     func(context.Context) string
	Passages   int // how many passages are shown to the model; 0: 8, and 3 to a small one in this process
}

// Name is the model name under which the service answers.
const Name = "course"

// windowTokens is how large a prompt may be, passages included.
const windowTokens = 16_000

// tunedWeights tune the embedder to the course: see package retrieve/embed/tune, and
// "capstone tune", which makes them. These rows were tuned from the table that
// retrieve/embed had before: rows tuned from the present one answered more of the
// questions that are to be refused, 4 of 82 in place of 2.
//
//go:embed tuned.safetensors
var tunedWeights string

// A Service answers questions from documents. It is safe for concurrent use.
type Service struct {
	collection *retrieve.Collection
	retriever  *trace.Retriever
	embedder   *embed.Embedder
	embedding  llms.Model // the embedder under the tenants' limits
	chunker    chunk.Chunker
	words      *bm25.Index
	ranker     *rag.Extractive
	asked      *askedIndex
	speller    atomic.Pointer[rag.Speller]
	learning   sync.Mutex
	learned    map[string]string // the texts that the speller knows, by source
	model      llms.Model
	guarded    *guard.Model
	canary     guard.Canary
	secrets    *detect.Detector
	whole      digests // of texts that may leave as they are
	cached     *cache.Model
	backend    string
	small      bool // the backend is a small model in this process
	provider   *sdktrace.TracerProvider
	spans      *jsonl.Exporter // nil: none
	tenant     func(context.Context) string
	k          int
}

// New opens the collection, fills it with the course and puts the stack
// together.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{tenant: o.Tenant, k: o.Passages, canary: guard.NewCanary(), learned: map[string]string{}}
	if s.k <= 0 {
		s.k = 8
	}
	if s.tenant == nil {
		s.tenant = func(context.Context) string { return "local" }
	}
	// Every request is traced, whatever its traceparent asks for: the cost in the
	// log is summed over the spans.
	processors := []sdktrace.TracerProviderOption{sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithSpanProcessor(&spanSinks{open: map[[8]byte]*Sink{}})}
	if o.Spans != nil {
		exporter, err := jsonl.New(o.Spans)
		if err != nil {
			return nil, err
		}
		processors = append(processors, sdktrace.WithBatcher(exporter))
		s.spans = exporter
	}
	s.provider = sdktrace.NewTracerProvider(processors...)
	log := slog.New(trace.NewLogHandler(collector{o.Log}))
	if err := s.openCollection(o, log); err != nil {
		return nil, err
	}
	if err := s.stack(o, log); err != nil {
		return nil, errors.Join(err, s.collection.Close())
	}
	if !o.NoCourse {
		docs, err := corpus.Course()
		if err == nil {
			_, err = s.Ingest(ctx, docs, nil)
		}
		if errors.Is(err, retrieve.ErrReadOnly) { // what it holds can be asked all the same
			log.WarnContext(ctx, "the collection is read-only: the course in it may be an older one", "error", err)
			err = nil
		}
		if err != nil {
			return nil, errors.Join(err, s.collection.Close())
		}
	}
	return s, nil
}

func (s *Service) openCollection(o Options, log *slog.Logger) error {
	general, err := embed.New()
	if err != nil {
		return err
	}
	vectors, err := general.Tuned(tunedWeights)
	if err != nil {
		return err
	}
	words, err := bm25.New(nil)
	if err != nil {
		return err
	}
	s.embedder = vectors
	s.collection, err = retrieve.Open(o.Collection, vectors, &retrieve.Options{Words: words, K: s.k, Logger: log, Tenant: s.tenant,
		DenseWeight: 0.7, SparseWeight: 1}) // a small static embedder: believe the words a little more
	if err != nil {
		return err
	}
	s.words = words
	if s.asked, err = newAskedIndex(vectors); err != nil {
		return err
	}
	s.ranker, err = rag.NewExtractive(&rag.ExtractiveOptions{Embedder: vectors, Rarity: words.Rarity, Clean: unmark, Correct: s.correct, Translate: s.translate, Asked: corpus.Asked, MinScore: minScore})
	if err != nil {
		return err
	}
	s.retriever, err = trace.NewRetriever(finder{s}, "documents", &trace.Options{Tracer: s.provider.Tracer("capstone")})
	if err != nil {
		return err
	}
	if s.secrets, err = secret.New(nil); err != nil {
		return err
	}
	s.chunker, err = chunk.NewBlocks(&chunk.Options{Size: passageTokens, Tokens: o200k.Encoding().Count})
	return err
}

// minScore is the probability from which a passage is quoted as an answer (half as much
// again for paragraphs with known questions). At .255, of 420 questions written from the
// syllabus alone, 2 % of those to refuse are answered, 4 % of those that the notes answer
// get a wrong answer, and 81 % a useful one. See testdata/questions/README.md.
const minScore = 0.255

// passageTokens is the size of the largest passage: a long paragraph, or a list with
// the sentence that announces it.
const passageTokens = 250

// stack composes the model: each layer is an llms.Model around the one before.
func (s *Service) stack(o Options, log *slog.Logger) error {
	prices, err := cost.Default()
	if err != nil {
		return err
	}
	tracer := s.provider.Tracer("capstone")
	account, err := limit.NewAccount(nil) // the provider's limits, learnt from its answers
	if err != nil {
		return err
	}
	var client llms.Model
	provider := "prodai"
	if o.Client != nil {
		client, s.backend = o.Client, "given"
	} else if o.GGUF != "" {
		var m *llama.Model
		if m, err = localModel(o.GGUF); err != nil {
			return err
		}
		client, s.backend, s.small = m, m.Config().Name, isSmall(m.Config())
		if s.small && o.Passages <= 0 {
			s.k = smallPassages
		}
	} else if o.Model != "" || o.APIKey != "" || o.BaseURL != "" {
		if o.Model == "" {
			o.Model = "gpt-4o-mini"
		}
		provider = "openai"
		s.backend = o.Model
		client, err = openai.New(o.Model, &openai.Options{APIKey: o.APIKey, BaseURL: o.BaseURL, HTTPClient: account.HTTPClient(propagating())})
	} else {
		s.backend = rag.ExtractiveModel
		client = s.ranker
	}
	if err != nil {
		return err
	}
	attempt, err := trace.New(client, &trace.Options{Tracer: tracer, Provider: provider, Model: s.backend, Cost: prices.Of, Tenant: s.tenant})
	if err != nil {
		return err
	}
	retried, err := defaults.NewModel(attempt, &defaults.Options{Account: account, Tokens: s.Count, Model: s.backend, Logger: log, Timeouts: retry.Timeouts{FirstToken: time.Minute, BetweenTokens: 30 * time.Second, Total: 2 * time.Minute}})
	if err != nil {
		return err
	}
	s.cached, err = cache.New(retried, &cache.Options{Model: s.backend, Namespace: "capstone-1", Tenant: s.tenant, Logger: log})
	if err != nil {
		return err
	}
	store := &limit.Memory{} // of answers and embeddings together
	if s.embedding, err = s.newEmbedding(store); err != nil {
		return err
	}
	limited, err := limit.New(s.cached, &limit.Options{Quota: perTenant, Store: store, Tenant: s.tenant, Tokens: s.Count, Usage: used, Cost: prices.Of, Model: s.backend, Logger: log})
	if err != nil {
		return err
	}
	s.guarded, err = s.guardOf(limited, log, o.Guard)
	if err != nil {
		return err
	}
	s.model, err = trace.New(s.guarded, &trace.Options{Tracer: tracer, Kind: trace.KindLogical, Name: "answer", Tenant: s.tenant})
	return err
}

// perTenant is what a tenant may use: enough for people, too little for a loop
// that runs away.
var perTenant = limit.Quota{
	Requests: limit.Rate{N: 120, Per: time.Minute},
	Tokens:   limit.Rate{N: 400_000, Per: time.Minute},
	Money:    limit.Rate{N: 5 * limit.USD, Per: 24 * time.Hour},
}

// used is what an answer took from the tenant's tokens: nothing if it came from
// the cache.
func used(r *llms.ContentResponse) (tokens int, ok bool) {
	if cost.FromCache(r) {
		return 0, true
	}
	u, err := cost.UsageOf(r)
	return int(u.Input + u.Output), err == nil
}

// Tracer returns the tracer that the service's own spans come from.
func (s *Service) Tracer() oteltrace.Tracer { return s.provider.Tracer("capstone") }

// Close writes the last spans and closes the collection.
func (s *Service) Close(ctx context.Context) error {
	err := errors.Join(s.provider.Shutdown(ctx), s.collection.Close())
	if s.spans != nil && s.spans.Lost() > 0 {
		err = errors.Join(err, fmt.Errorf("%d spans could not be written", s.spans.Lost()))
	}
	return err
}

// Backend is the name of the model that answers.
func (s *Service) Backend() string { return s.backend }

// Small reports whether a small model in this process answers: see [SmallModel].
func (s *Service) Small() bool { return s.small }

// Passages is the number of passages that can be found.
func (s *Service) Passages() int { return s.collection.Len() }

// Sources returns the documents and how many passages each has.
func (s *Service) Sources() map[string]int { return s.collection.Sources() }

// CacheStats says what the response cache did.
func (s *Service) CacheStats() cache.Stats { return s.cached.Stats() }

// Count counts tokens as OpenAI's current models do.
func (s *Service) Count(text string) int { return o200k.Encoding().Count(text) }

// Ingest makes the collection contain the documents as they are now; unchanged
// passages aren't embedded again. progress, if not nil, is called after each document.
func (s *Service) Ingest(ctx context.Context, docs []corpus.Document, progress func(done int, c retrieve.Changes)) (retrieve.Changes, error) {
	var total retrieve.Changes
	s.learn(docs)
	for i, d := range docs {
		c := s.chunker
		if isSource(d.Source) {
			source, err := chunk.NewRecursive(&chunk.Options{Size: 180, Tokens: s.Count})
			if err != nil {
				return total, err
			}
			c = source
		}
		chunks, err := c.Chunk(ctx, d.Text)
		if err != nil {
			return total, fmt.Errorf("%s: %w", d.Source, err)
		}
		s.maskCut(d.Text, chunks)
		passages := chunk.Documents(d.Source, nil, underHeadings(chunks))
		if err := s.asked.add(passages, chunks); err != nil {
			return total, fmt.Errorf("%s: %w", d.Source, err)
		}
		did, err := s.collection.Sync(ctx, d.Source, passages)
		if err != nil {
			return total, fmt.Errorf("%s: %w", d.Source, err)
		}
		total.Added += did.Added
		total.Removed += did.Removed
		total.Kept += did.Kept
		total.Embedded += did.Embedded
		if progress != nil {
			progress(i+1, total)
		}
	}
	return total, nil
}

// underHeadings returns the passages with the path of the headings above each as its
// first line: "# retry > Terms".
func underHeadings(chunks []chunk.Chunk) []chunk.Chunk {
	out := slices.Clone(chunks)
	for i := range out {
		if len(out[i].Headings) > 0 {
			out[i].Context = "# " + strings.Join(out[i].Headings, " > ") + "\n\n" + out[i].Context
		}
	}
	return out
}

// Remove takes a document out of the collection and returns the number of its
// passages.
func (s *Service) Remove(ctx context.Context, source string) (int, error) {
	return s.collection.Remove(ctx, source)
}

// A Question is what is asked.
type Question struct {
	Text    string
	History []llms.MessageContent
	Options []llms.CallOption

	// OnPassages gets what was found before the model is asked; OnChunk gets
	// the answer as it is written; nil: not streamed.
	OnPassages func([]schema.Document)
	OnChunk    func(chunk string) error
}

// An Answer is what was said, and what it rests on.
type Answer struct {
	Query        string // the question as it was searched for: complete, in English words
	Text         string
	FinishReason string
	Passages     []schema.Document // as they may be shown, see shown
	Checked      rag.CitationReport
	InputTokens  int
	OutputTokens int
	Response     *llms.ContentResponse
}

// ErrTooLong says that a question with its history leaves no room for the
// passages.
var ErrTooLong = errors.New("the messages are longer than the model's window")

// Ask answers a question. The error is ErrTooLong, or one of the stack's.
func (s *Service) Ask(ctx context.Context, q Question) (*Answer, error) {
	asked := s.Count(q.Text)
	for _, m := range q.History {
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				asked += s.Count(p.Text)
			case llms.ToolCallResponse:
				asked += s.Count(p.Content)
			}
		}
	}
	if asked > windowTokens/2 {
		return nil, fmt.Errorf("%w: %d tokens of at most %d", ErrTooLong, asked, windowTokens/2)
	}
	query, _ := rag.Standalone(s.read(q.Text), q.History)
	passages, err := s.retriever.GetRelevantDocuments(ctx, query)
	if err != nil {
		return nil, err
	}
	ctx = s.guarded.NewContext(ctx) // equal passages get equal marks, so the cache still finds equal prompts
	messages := rag.Prompt(q.Text, untrusted(ctx, passages), q.History...)
	if passages, err = s.shown(ctx, passages); err != nil {
		return nil, err
	}
	if q.OnPassages != nil {
		q.OnPassages(passages)
	}
	messages[0] = llms.TextParts(llms.ChatMessageTypeSystem, s.canary.Plant(rag.SystemPrompt))
	options := q.Options
	if q.OnChunk != nil {
		options = append(options[:len(options):len(options)], llms.WithStreamingFunc(func(_ context.Context, c []byte) error {
			return q.OnChunk(string(c))
		}))
	}
	r, err := s.model.GenerateContent(ctx, messages, options...)
	if err != nil {
		return nil, err
	}
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return nil, errors.New("the model gave no answer")
	}
	c := r.Choices[0]
	a := &Answer{Query: query, Text: c.Content, FinishReason: c.StopReason, Passages: passages, Response: r, Checked: rag.CheckCitations(c.Content, passages)}
	a.InputTokens, a.OutputTokens = s.usage(messages, r)
	return a, nil
}
