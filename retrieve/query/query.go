package query

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/wrap"
)

var (
	// ErrOption is wrapped by the errors for an option that is out of range and for a
	// required argument that is nil.
	ErrOption = errors.New("query: invalid option")
	// ErrAnswer is wrapped by the errors for an answer of the model that can't be read.
	ErrAnswer = errors.New("query: the model's answer can't be read")
)

// A Transform makes search queries of a question. [Rewrite], [MultiQuery], [HyDE],
// [StepBack] and [Decompose] are ones.
type Transform interface {
	// Queries returns the texts to search with, at least one, the most important first.
	Queries(ctx context.Context, question string) ([]string, error)
}

// Options configure the transforms.
type Options struct {
	// N is how many queries a model is asked for: by [MultiQuery], [Decompose], and [HyDE],
	// for which it is the number of invented answers. More in its answer are ignored.
	// Default: 3, and 1 for HyDE.
	N int

	// Call are options for each call of the model. Default: temperature 0, and 0.7 for HyDE
	// with N above 1, since equal answers help no further.
	Call []llms.CallOption
}

// A maker is what the transforms share.
type maker struct {
	model llms.Model
	n     int
	call  []llms.CallOption
}

func newMaker(m llms.Model, o *Options, n int) (maker, error) {
	if m == nil {
		return maker{}, fmt.Errorf("%w: the model is nil", ErrOption)
	}
	x := maker{m, n, nil}
	temperature := 0.0
	if o != nil {
		if o.N < 0 || o.N > 100 {
			return maker{}, fmt.Errorf("%w: Options.N is %d: want 0 (the default, %d) to 100", ErrOption, o.N, n)
		}
		x.n = cmp.Or(o.N, n)
		x.call = o.Call
	}
	if n == 1 && x.n > 1 {
		temperature = 0.7
	}
	x.call = append([]llms.CallOption{llms.WithTemperature(temperature)}, x.call...)
	return x, nil
}

func (x *maker) ask(ctx context.Context, prompt string) (string, error) {
	answer, err := wrap.Call(ctx, x.model, prompt, slices.Clone(x.call)...)
	if err != nil {
		return "", fmt.Errorf("query: ask the model: %w", wrap.ContextError(ctx, err))
	}
	return answer, nil
}

// quoted returns a text as a JSON string: whatever a question contains, it can't end its
// place in a prompt.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return strconv.Quote(text)
	}
	return string(b)
}

// longest is how many bytes of a line of an answer are a query: what is longer is no query.
const longest = 2000

var bullet = regexp.MustCompile(`^(?:[-*•]|\d{1,3}[.):])\s+`)

// lines returns the first n lines of an answer that can be queries: without list marks,
// quotes, fences, announcements ("Here are 3 queries:"), and repetitions of known ones.
func lines(answer string, n int, known ...string) []string {
	seen := map[string]bool{}
	for _, k := range known {
		seen[fold(k)] = true
	}
	var out []string
	for line := range strings.Lines(answer) {
		line = bullet.ReplaceAllString(strings.TrimSpace(line), "")
		line = strings.TrimSpace(strings.Trim(line, "\"“”`*"))
		if line == "" || len(line) > longest || strings.HasSuffix(line, ":") || seen[fold(line)] {
			continue
		}
		seen[fold(line)] = true
		if out = append(out, line); len(out) == n {
			break
		}
	}
	return out
}

// fold returns what two texts have in common if they differ in case and punctuation only.
func fold(text string) string {
	return strings.Join(strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(text), "?!. "))), " ")
}

// Rewrite lets a model write one better query, for example without polite words, and with
// the names of what "it" refers to.
type Rewrite struct{ maker }

// NewRewrite returns a Rewrite; nil options mean the defaults. It fails with [ErrOption].
func NewRewrite(m llms.Model, o *Options) (*Rewrite, error) {
	x, err := newMaker(m, o, 1)
	if err != nil {
		return nil, err
	}
	return &Rewrite{x}, nil
}

// Queries returns the model's query alone, in place of the question.
func (x *Rewrite) Queries(ctx context.Context, question string) ([]string, error) {
	answer, err := x.ask(ctx, "Rewrite the question as one short search query for a document search. Keep names, numbers and codes as they are. Reply with the query only.\n"+
		"\nQuestion: "+quoted(question)+"\nQuery:")
	if err != nil {
		return nil, err
	}
	return atLeastOne(lines(answer, 1))
}

func atLeastOne(queries []string) ([]string, error) {
	if len(queries) == 0 {
		return nil, fmt.Errorf("%w: it has no query", ErrAnswer)
	}
	return queries, nil
}

// MultiQuery lets a model write other versions of a question, since the words of one may
// not be those of the documents.
type MultiQuery struct{ maker }

// NewMultiQuery returns a MultiQuery; nil options mean the defaults. It fails with
// [ErrOption].
func NewMultiQuery(m llms.Model, o *Options) (*MultiQuery, error) {
	x, err := newMaker(m, o, 3)
	if err != nil {
		return nil, err
	}
	return &MultiQuery{x}, nil
}

// Queries returns the question, and at most Options.N other versions of it.
func (x *MultiQuery) Queries(ctx context.Context, question string) ([]string, error) {
	answer, err := x.ask(ctx, fmt.Sprintf("Write %d other versions of the question, with other words for the same things, one a line. Reply with the lines only.\n", x.n)+
		"\nQuestion: "+quoted(question)+"\nVersions:")
	if err != nil {
		return nil, err
	}
	other, err := atLeastOne(lines(answer, x.n, question))
	return append([]string{question}, other...), err
}

// HyDE lets a model invent an answer, and searches with it: an answer is more similar to the
// passages than a question. What it invents is thrown away after the search.
//
// Gao, Ma, Lin, Callan: "Precise zero-shot dense retrieval without relevance labels", ACL
// 2023.
type HyDE struct{ maker }

// NewHyDE returns a HyDE; nil options mean the defaults. It fails with [ErrOption].
func NewHyDE(m llms.Model, o *Options) (*HyDE, error) {
	x, err := newMaker(m, o, 1)
	if err != nil {
		return nil, err
	}
	return &HyDE{x}, nil
}

// Queries returns the question and Options.N invented answers.
func (x *HyDE) Queries(ctx context.Context, question string) ([]string, error) {
	out := []string{question}
	for range x.n {
		answer, err := x.ask(ctx, "Write one short paragraph, as from a manual, that answers the question. If you don't know the answer, invent a likely one.\n"+
			"\nQuestion: "+quoted(question)+"\nParagraph:")
		if err != nil {
			return nil, err
		}
		if answer = strings.TrimSpace(strings.ToValidUTF8(answer, "")); answer == "" {
			return nil, fmt.Errorf("%w: it is empty", ErrAnswer)
		}
		if cut := 4 * longest; len(answer) > cut {
			answer = strings.ToValidUTF8(answer[:cut], "")
		}
		out = append(out, answer)
	}
	return out, nil
}

// StepBack lets a model ask a more general question, whose answer explains the first one:
// of "Why does error E42 come after an update?" it makes "What does error E42 mean?".
//
// Zheng et al.: "Take a step back: evoking reasoning via abstraction in large language
// models", ICLR 2024.
type StepBack struct{ maker }

// NewStepBack returns a StepBack; nil options mean the defaults. It fails with [ErrOption].
func NewStepBack(m llms.Model, o *Options) (*StepBack, error) {
	x, err := newMaker(m, o, 1)
	if err != nil {
		return nil, err
	}
	return &StepBack{x}, nil
}

// Queries returns the question and a more general one.
func (x *StepBack) Queries(ctx context.Context, question string) ([]string, error) {
	answer, err := x.ask(ctx, "Write one more general question, whose answer one must know to answer this question. Reply with the question only.\n"+
		"\nQuestion: "+quoted(question)+"\nMore general question:")
	if err != nil {
		return nil, err
	}
	other, err := atLeastOne(lines(answer, 1, question))
	return append([]string{question}, other...), err
}

// Decompose lets a model cut a question into simpler ones that can be looked up one by one:
// "Is A older than B?" needs the age of A and the age of B.
type Decompose struct{ maker }

// NewDecompose returns a Decompose; nil options mean the defaults. It fails with
// [ErrOption].
func NewDecompose(m llms.Model, o *Options) (*Decompose, error) {
	x, err := newMaker(m, o, 3)
	if err != nil {
		return nil, err
	}
	return &Decompose{x}, nil
}

// Queries returns the question, and at most Options.N simpler ones. If the model says that
// the question is simple, they are none.
func (x *Decompose) Queries(ctx context.Context, question string) ([]string, error) {
	answer, err := x.ask(ctx, fmt.Sprintf("Cut the question into at most %d simpler questions that can each be looked up alone, one a line. If it is simple already, reply with SIMPLE only.\n", x.n)+
		"\nQuestion: "+quoted(question)+"\nSimpler questions:")
	if err != nil {
		return nil, err
	}
	if fold(answer) == "simple" {
		return []string{question}, nil
	}
	other, err := atLeastOne(lines(answer, x.n, question))
	return append([]string{question}, other...), err
}
