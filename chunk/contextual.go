package chunk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tmc/langchaingo/llms"
)

// ErrNoContext is the error for a model whose answer is empty.
var ErrNoContext = errors.New("chunk: the model wrote no context")

// WithHeadings returns the chunks with a line before each that names its place:
// the title of the document and the headings above, joined by " > ". The
// line is added to the Context, so texts and offsets stay as they are.
func WithHeadings(title string, chunks []Chunk) []Chunk {
	out := slices.Clone(chunks)
	for i := range out {
		var path []string
		if title != "" {
			path = append(path, title)
		}
		if path = append(path, out[i].Headings...); len(path) > 0 {
			out[i].Context = strings.Join(path, " > ") + "\n\n" + out[i].Context
		}
	}
	return out
}

// ContextualOptions configure a [Contextual].
type ContextualOptions struct {
	// Prompt is the instruction after the document and the passage. Default: an
	// instruction to name in one or two sentences what the passage doesn't mention
	// itself, and to write nothing else.
	Prompt string

	// Parallel is how many calls are made at once, 1 or more. The first is made
	// alone, since a provider's prompt cache has the document only once a call with
	// it has been answered. Default: 4.
	Parallel int

	// CallOptions are options for each call of the model, such as a temperature.
	// Default: none.
	CallOptions []llms.CallOption
}

const contextPrompt = "In one or two sentences, say what this passage is about within the document, so that a search can find it: name what it leaves unsaid, such as the product, the date or the section. Answer with these sentences only."

// Contextual asks a model to write what a passage needs to be understood alone
// ("This is from the returns policy of 2024, on gift cards."), in one call for each
// passage. Every call begins with the document, and only the rest differs. So a
// provider that caches prompts by their beginning bills the document in full only
// once. If a provider caches only on request, as Anthropic does, wrap the model in
// one that marks the first part of each message.
//
// The document is data for the model and may try to instruct it. The worst result
// here is a misleading context for the document's own passages.
type Contextual struct {
	model llms.Model
	o     ContextualOptions
}

// NewContextual returns a Contextual that asks the model. It fails with
// [ErrOption].
func NewContextual(model llms.Model, o *ContextualOptions) (*Contextual, error) {
	if model == nil {
		return nil, fmt.Errorf("%w: the model of NewContextual is nil", ErrOption)
	}
	c := &Contextual{model: model}
	if o != nil {
		c.o = *o
		c.o.CallOptions = slices.Clone(o.CallOptions)
	}
	if c.o.Prompt == "" {
		c.o.Prompt = contextPrompt
	}
	if c.o.Parallel == 0 {
		c.o.Parallel = 4
	}
	if c.o.Parallel < 0 {
		return nil, fmt.Errorf("%w: ContextualOptions.Parallel is %d: want 1 or more", ErrOption, c.o.Parallel)
	}
	return c, nil
}

// Describe returns the chunks of a document, in their order, with what the model
// wrote before the Context of each.
//
// After an error no further call is made. Calls in progress are waited for, since
// they are paid for, unless ctx is done, which ends them too. Describe then
// returns the chunks before the first that failed, and that one's error: the
// model's, [ErrNoContext], or one that wraps ctx.Err(). A caller can go on with
// chunks[len(described):].
func (c *Contextual) Describe(ctx context.Context, document string, chunks []Chunk) ([]Chunk, error) {
	out, errs := slices.Clone(chunks), make([]error, len(chunks))
	var next atomic.Int64 // passages are begun in order
	var failed atomic.Bool
	one := func() (goOn bool) {
		i := int(next.Add(1)) - 1
		if i >= len(out) || failed.Load() {
			return false
		}
		if err := c.describe(ctx, document, &out[i]); err != nil {
			errs[i] = fmt.Errorf("chunk: context of passage %d: %w", i, err)
			failed.Store(true)
			return false
		}
		return true
	}
	if one() {
		var workers sync.WaitGroup
		for range min(c.o.Parallel, len(out)-1) {
			workers.Go(func() {
				for one() {
				}
			})
		}
		workers.Wait()
	}
	for i, err := range errs {
		if err != nil {
			return out[:i], err
		}
	}
	return out, nil
}

func (c *Contextual) describe(ctx context.Context, document string, chunk *Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := c.model.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman,
		"<document>\n"+document+"\n</document>\n", "<passage>\n"+chunk.Text+"\n</passage>\n"+c.o.Prompt)}, c.o.CallOptions...)
	if err != nil {
		if done := ctx.Err(); done != nil && !errors.Is(err, done) {
			err = fmt.Errorf("%w: %w", done, err)
		}
		return err
	}
	said := ""
	if r != nil && len(r.Choices) > 0 && r.Choices[0] != nil {
		said = strings.TrimSpace(r.Choices[0].Content)
	}
	if said == "" {
		return ErrNoContext
	}
	chunk.Context = said + "\n\n" + chunk.Context
	return nil
}
