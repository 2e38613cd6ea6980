package rag

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/stopreason"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrQuestion is returned for a question without a word.
var ErrQuestion = errors.New("rag: the question is empty")

// A Stage changes the passages that the retriever found: it sorts them, drops some, makes
// them shorter or larger. The methods of retrieve/rerank, retrieve/compress and
// retrieve/expand have this form.
type Stage struct {
	Name string
	Run  func(ctx context.Context, question string, passages []schema.Document) ([]schema.Document, error)

	// Required: a failure of the stage is one of the whole call. Without it the passages
	// go on as they came, since a worse order is better than no answer. A stage that
	// protects something is required.
	Required bool
}

// Options configure a [Pipeline]. The zero value works.
type Options struct {
	// Stages run one after another on the passages that were found. Default: none.
	Stages []Stage

	// Passages is how many passages the prompt gets at most, after all stages.
	// Default: 5.
	Passages int

	// Confidence estimates from the passages, after all stages, how probable it is that
	// they answer the question, 0 to 1; ok is false if it can't. A [Calibration] makes one
	// of the best passage's score. Default: none, the model decides alone.
	Confidence func(question string, passages []schema.Document) (p float64, ok bool)

	// MinConfidence is the probability below which the answer is a refusal with the
	// nearest passages, and the model isn't called. Default: 0.5 with Confidence.
	MinConfidence float64

	// Prompt returns the messages for the model, and the context of its call, on which a
	// guard may register the passages. Default: [Prompt].
	Prompt func(ctx context.Context, question string, passages []schema.Document, history []llms.MessageContent) (context.Context, []llms.MessageContent)

	// Call are options for the call of the model. Default: none.
	Call []llms.CallOption

	// Logger receives retrieve.fallback. Default: it is discarded.
	Logger *slog.Logger
}

// A Pipeline answers questions from passages: it retrieves, runs the stages, refuses if
// the passages are not good enough, asks the model, and checks the citations. It is
// also langchaingo's schema.Retriever, without the model. It is safe for concurrent use
// if its parts are.
type Pipeline struct {
	retriever schema.Retriever
	model     llms.Model
	o         Options
}

var _ schema.Retriever = (*Pipeline)(nil)

// New returns a Pipeline; nil options mean the defaults. It fails with [ErrOption].
func New(retriever schema.Retriever, model llms.Model, o *Options) (*Pipeline, error) {
	if retriever == nil || model == nil {
		return nil, fmt.Errorf("%w: the retriever or the model of New is nil", ErrOption)
	}
	p := &Pipeline{retriever: retriever, model: model}
	if o != nil {
		p.o = *o
	}
	p.o.Stages, p.o.Call = slices.Clone(p.o.Stages), slices.Clip(p.o.Call)
	for i, s := range p.o.Stages {
		if s.Run == nil {
			return nil, fmt.Errorf("%w: Options.Stages: stage %d, %q, has no Run", ErrOption, i, s.Name)
		}
	}
	if p.o.Passages = cmp.Or(p.o.Passages, 5); p.o.Passages < 0 {
		return nil, fmt.Errorf("%w: Options.Passages is %d: want 0 (the default, 5) or more", ErrOption, p.o.Passages)
	}
	if !(p.o.MinConfidence >= 0 && p.o.MinConfidence <= 1) {
		return nil, fmt.Errorf("%w: Options.MinConfidence is %v: want 0 (the default, 0.5) to 1", ErrOption, p.o.MinConfidence)
	}
	if p.o.MinConfidence > 0 && p.o.Confidence == nil {
		return nil, fmt.Errorf("%w: Options.MinConfidence needs Options.Confidence", ErrOption)
	}
	p.o.MinConfidence = cmp.Or(p.o.MinConfidence, 0.5)
	if p.o.Prompt == nil {
		p.o.Prompt = func(ctx context.Context, question string, passages []schema.Document, history []llms.MessageContent) (context.Context, []llms.MessageContent) {
			return ctx, Prompt(question, passages, history...)
		}
	}
	p.o.Logger = event.Logger(p.o.Logger)
	return p, nil
}

// An Answer is what a [Pipeline] returns.
type Answer struct {
	// Text is the model's answer, or [UnknownAnswer].
	Text string

	// Passages are those of the prompt. The citation [1] is of the first.
	Passages []schema.Document

	// Citations are the answer's citations, compared with the passages.
	Citations CitationReport

	// Refused: the answer is that the documents don't answer, by the passages' confidence
	// or by the model.
	Refused bool

	// Confidence is that of the passages, if Options.Confidence gave one.
	Confidence float64
	Confident  bool // Confidence is known

	// Complete: the model is known to have come to its end. A cut answer may lack its
	// conditions.
	Complete bool

	// Response is the model's whole response; nil if it wasn't called.
	Response *llms.ContentResponse

	// Steps are what happened before the model: the search, then the stages.
	Steps []Step
}

// A Step is a part of a [Pipeline] at work.
type Step struct {
	Name    string
	Out     int // passages after it
	Elapsed time.Duration
	Err     error // the stage failed, and the passages went on as they came
}

// Ask answers a question from the passages that a retriever finds, with the defaults of
// [New]: the five best passages in a numbered prompt, and citations that are checked.
//
//	answer, err := rag.Ask(ctx, collection, model, "How do I get my money back?")
func Ask(ctx context.Context, retriever schema.Retriever, model llms.Model, question string) (*Answer, error) {
	p, err := New(retriever, model, nil)
	if err != nil {
		return nil, err
	}
	return p.Ask(ctx, question)
}

// Ask answers a question. history is the conversation before it: a question that points
// back to it ("is it slow?") is searched with what it leaves out ([Standalone]). It fails
// with [ErrQuestion], and if ctx is done, or the search, a required stage or the model
// fails. No passage at all is a refusal, without a call of the model.
func (p *Pipeline) Ask(ctx context.Context, question string, history ...llms.MessageContent) (*Answer, error) {
	if strings.TrimSpace(question) == "" {
		return nil, ErrQuestion
	}
	search, _ := Standalone(question, history)
	a := &Answer{}
	var err error
	if a.Passages, a.Steps, err = p.retrieve(ctx, search); err != nil {
		return nil, err
	}
	enough := len(a.Passages) > 0
	if enough && p.o.Confidence != nil {
		a.Confidence, a.Confident = p.o.Confidence(search, a.Passages)
		enough = !a.Confident || a.Confidence >= p.o.MinConfidence // NaN is not enough
	}
	if !enough {
		a.Text, a.Refused, a.Complete = UnknownAnswer, true, true
		return a, nil
	}
	callCtx, messages := p.o.Prompt(ctx, question, a.Passages, history)
	a.Response, err = p.model.GenerateContent(callCtx, messages, slices.Clone(p.o.Call)...)
	if err != nil {
		return nil, fmt.Errorf("rag: ask the model: %w", wrap.ContextError(ctx, err))
	}
	if a.Response == nil || len(a.Response.Choices) == 0 || a.Response.Choices[0] == nil {
		return nil, fmt.Errorf("rag: ask the model: %w", wrap.ErrNoChoice)
	}
	choice := a.Response.Choices[0]
	a.Text = choice.Content
	a.Complete = stopreason.Of(choice.StopReason) == stopreason.Complete
	a.Refused = IsRefusal(a.Text)
	a.Citations = CheckCitations(a.Text, a.Passages)
	return a, nil
}

// GetRelevantDocuments returns the passages that [Pipeline.Ask] would give to the model.
func (p *Pipeline) GetRelevantDocuments(ctx context.Context, question string) ([]schema.Document, error) {
	passages, _, err := p.retrieve(ctx, question)
	return passages, err
}

// retrieve searches and runs the stages.
func (p *Pipeline) retrieve(ctx context.Context, question string) ([]schema.Document, []Step, error) {
	began := time.Now()
	passages, err := p.retriever.GetRelevantDocuments(ctx, question)
	if err != nil {
		return nil, nil, fmt.Errorf("rag: retrieve: %w", wrap.ContextError(ctx, err))
	}
	steps := []Step{{Name: "search", Out: len(passages), Elapsed: time.Since(began)}}
	for _, s := range p.o.Stages {
		began := time.Now()
		// A stage gets a list of its own, so that it can't change what goes on after it fails.
		next, err := s.Run(ctx, question, slices.Clone(passages))
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("rag: stage %s: %w", s.Name, cmp.Or(wrap.ContextError(ctx, err), ctx.Err()))
		}
		if err != nil && s.Required {
			return nil, nil, fmt.Errorf("rag: stage %s: %w", s.Name, err)
		}
		step := Step{Name: s.Name, Elapsed: time.Since(began), Err: err}
		if err != nil {
			p.o.Logger.WarnContext(ctx, event.RetrieveFallback, event.Stage, s.Name, event.Count, len(passages), event.Reason, "failed", event.Elapsed, step.Elapsed)
		} else {
			passages = next
		}
		step.Out = len(passages)
		steps = append(steps, step)
	}
	return passages[:min(p.o.Passages, len(passages))], steps, nil
}
