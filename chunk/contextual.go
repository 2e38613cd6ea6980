package chunk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
)

// ErrNoContext is the error of a model that answers with nothing.
var ErrNoContext = errors.New("chunk: the model wrote no context")

// WithHeadings returns the chunks with a line before each that says where it is
// from: the title of the document and the headings above, joined by " > ". The
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
	// Prompt is the instruction after the document and the passage; default: to
	// situate the passage in the document in one or two sentences, to improve
	// its retrieval, and to answer with nothing else.
	Prompt string

	// Calls are options for each call of the model, such as a temperature.
	Calls []llms.CallOption
}

const contextPrompt = "In one or two sentences, say what this passage is about within the document, so that a search can find it: name what it leaves unsaid, such as the product, the date or the section. Answer with these sentences only."

// Contextual has a model write what a passage needs to be understood alone
// ("This is from the returns policy of 2024, on gift cards."), one call for each
// passage. The document comes first in every call, so that a provider's prompt
// cache can hold it.
//
// What the document says is material for the model and may try to instruct it;
// the worst it reaches here is a misleading context for its own passages.
type Contextual struct {
	model llms.Model
	o     ContextualOptions
}

// NewContextual returns a Contextual that asks the model.
func NewContextual(model llms.Model, o *ContextualOptions) *Contextual {
	c := &Contextual{model: model}
	if o != nil {
		c.o = *o
		c.o.Calls = slices.Clone(o.Calls)
	}
	if c.o.Prompt == "" {
		c.o.Prompt = contextPrompt
	}
	return c
}

// Describe returns the chunks of a document with what the model wrote before
// the Context of each. It stops at the first error, also that ctx is done, and
// then returns the chunks described so far, so that a caller can go on with the
// rest.
func (c *Contextual) Describe(ctx context.Context, document string, chunks []Chunk) ([]Chunk, error) {
	out := make([]Chunk, 0, len(chunks))
	for i, chunk := range chunks {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		r, err := c.model.GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman,
			"<document>\n"+document+"\n</document>\n", "<passage>\n"+chunk.Text+"\n</passage>\n"+c.o.Prompt)}, c.o.Calls...)
		if err != nil {
			return out, fmt.Errorf("chunk: context of passage %d: %w", i, err)
		}
		said := ""
		if r != nil && len(r.Choices) > 0 && r.Choices[0] != nil {
			said = strings.TrimSpace(r.Choices[0].Content)
		}
		if said == "" {
			return out, fmt.Errorf("%w for passage %d", ErrNoContext, i)
		}
		chunk.Context = said + "\n\n" + chunk.Context
		out = append(out, chunk)
	}
	return out, nil
}
