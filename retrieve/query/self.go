package query

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/prodailabs/prodai/internal/event"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retrieve"
)

// A Kind is the kind of a field's values.
type Kind uint8

// The kinds.
const (
	KindText   Kind = iota // a string; dates as "2026-01-31" are in order as strings
	KindNumber             // a number
	KindBool               // true or false
)

// A Field is a key of the metadata that a model may filter by.
type Field struct {
	Key         string
	Kind        Kind
	Description string   // what the values mean, for the model
	Values      []string // all values of a text field, if they are few. nil: any
}

// A Plan is what [SelfQuery] makes of a question.
type Plan struct {
	Text  string          // to search with
	Where retrieve.Filter // the zero Filter: no condition
}

// SelfQuery lets a model find the conditions in a question: of "What did we write about
// pricing in 2025?" it makes the query "pricing" and the filter year = 2025. The model
// answers with the text of a filter, which is parsed, and compared with the fields and
// their kinds: a filter of any other field is refused. So the worst that a model can do
// here is to choose a wrong condition. Conditions that protect documents (tenants, groups)
// are not among the fields; the search adds them itself.
type SelfQuery struct {
	maker
	fields []Field
}

// NewSelfQuery returns a SelfQuery for some fields; nil options mean the defaults. It fails
// with [ErrOption] if there is no field, or one without a key, of an unknown kind, or twice.
func NewSelfQuery(m llms.Model, fields []Field, o *Options) (*SelfQuery, error) {
	x, err := newMaker(m, o, 1)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("%w: NewSelfQuery has no field", ErrOption)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if f.Key == "" || f.Kind > KindBool || seen[f.Key] {
			return nil, fmt.Errorf("%w: the field %q of NewSelfQuery has no key, an unknown kind, or appears twice", ErrOption, f.Key)
		}
		seen[f.Key] = true
	}
	return &SelfQuery{x, slices.Clone(fields)}, nil
}

// Plan returns the query and the filter of a question. An answer of the model that is not a
// query and a filter of the fields is [ErrAnswer]; it wraps retrieve.ErrFilter if the filter
// is the reason.
func (x *SelfQuery) Plan(ctx context.Context, question string) (Plan, error) {
	answer, err := x.ask(ctx, x.prompt(question))
	if err != nil {
		return Plan{}, err
	}
	return x.read(answer)
}

func (x *SelfQuery) prompt(question string) string {
	var b strings.Builder
	b.WriteString("Split the question into a search text and a filter. Reply with one JSON object: {\"query\": \"...\", \"filter\": \"...\"}.\n" +
		"The filter is empty if the question states no condition on a field. Its form is: lang = 'en' and (year >= 2020 or not exists year) and tag in ('api', 'cli')\n" +
		"Use only these fields:\n")
	for _, f := range x.fields {
		kind := [...]string{"text", "number", "true or false"}[f.Kind]
		fmt.Fprintf(&b, "- `%s` (%s): %s", strings.ReplaceAll(f.Key, "`", "``"), kind, f.Description)
		if len(f.Values) > 0 {
			fmt.Fprintf(&b, " One of %s.", quotedList(f.Values))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nQuestion: " + quoted(question) + "\nJSON:")
	return b.String()
}

func quotedList(values []string) string {
	var out []string
	for _, v := range values {
		out = append(out, quoted(v))
	}
	return strings.Join(out, ", ")
}

// read returns the plan in an answer, which may have a text or a fence around the object.
func (x *SelfQuery) read(answer string) (Plan, error) {
	start := strings.IndexByte(answer, '{')
	if start < 0 {
		return Plan{}, fmt.Errorf("%w: it has no JSON object", ErrAnswer)
	}
	var object struct {
		Query  *string `json:"query"`
		Filter string  `json:"filter"`
	}
	d := json.NewDecoder(bytes.NewReader([]byte(answer[start:])))
	if err := d.Decode(&object); err != nil && !errors.Is(err, io.EOF) {
		return Plan{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if object.Query == nil || strings.TrimSpace(*object.Query) == "" || len(*object.Query) > longest {
		return Plan{}, fmt.Errorf("%w: the object has no query", ErrAnswer)
	}
	plan := Plan{Text: strings.TrimSpace(*object.Query)}
	if text := strings.TrimSpace(object.Filter); text != "" && !strings.EqualFold(text, "none") {
		where, err := retrieve.ParseFilter(text)
		if err == nil {
			err = x.check(&where)
		}
		if err != nil {
			return Plan{}, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		plan.Where = where
	}
	return plan, nil
}

// check compares a filter with the fields.
func (x *SelfQuery) check(f *retrieve.Filter) error {
	for i := range f.Filters {
		if err := x.check(&f.Filters[i]); err != nil {
			return err
		}
	}
	if f.Key == "" {
		return nil
	}
	at := slices.IndexFunc(x.fields, func(known Field) bool { return known.Key == f.Key })
	if at < 0 {
		return fmt.Errorf("%w: %q is not one of the fields", retrieve.ErrFilter, f.Key)
	}
	for _, v := range f.Values {
		fits := false
		switch known := x.fields[at]; known.Kind {
		case KindText:
			text, ok := v.(string)
			fits = ok && (known.Values == nil || f.Op > retrieve.OpIn || slices.Contains(known.Values, text))
		case KindNumber:
			_, fits = v.(float64)
		case KindBool:
			_, fits = v.(bool)
		}
		if !fits {
			return fmt.Errorf("%w: %v is not a value of the field %q", retrieve.ErrFilter, v, f.Key)
		}
	}
	return nil
}

// SelfOptions configure a [SelfRetriever].
type SelfOptions struct {
	// K is how many passages are returned at most. Default: 5.
	K int

	// Strict keeps the filter if nothing meets it, and returns nothing then. Default:
	// false, the question is searched without the filter.
	Strict bool

	// Logger receives retrieve.fallback. Default: it is discarded.
	Logger *slog.Logger
}

// A SelfRetriever searches a store with the plan of a [SelfQuery]. It is langchaingo's
// schema.Retriever.
type SelfRetriever struct {
	store vectorstores.VectorStore
	self  *SelfQuery
	o     SelfOptions
}

// NewSelfRetriever returns a SelfRetriever for a store whose SimilaritySearch takes a
// retrieve.Filter by WithFilters, as retrieve.Collection does. nil options mean the
// defaults. It fails with [ErrOption].
func NewSelfRetriever(store vectorstores.VectorStore, self *SelfQuery, o *SelfOptions) (*SelfRetriever, error) {
	if store == nil || self == nil {
		return nil, fmt.Errorf("%w: the store or the SelfQuery of NewSelfRetriever is nil", ErrOption)
	}
	r := &SelfRetriever{store: store, self: self}
	if o != nil {
		r.o = *o
	}
	if r.o.K = cmp.Or(r.o.K, 5); r.o.K < 1 {
		return nil, fmt.Errorf("%w: SelfOptions.K is %d: want 0 (the default, 5) or more", ErrOption, r.o.K)
	}
	r.o.Logger = event.Logger(r.o.Logger)
	return r, nil
}

// GetRelevantDocuments searches with the plan. If there is none, or its filter allows
// nothing, it searches with the question and without a filter: a condition that the model
// misread must not hide the answer (but see SelfOptions.Strict). It fails if ctx is done or the search fails.
func (r *SelfRetriever) GetRelevantDocuments(ctx context.Context, question string) ([]schema.Document, error) {
	plan, err := r.self.Plan(ctx, question)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("query: %w", cmp.Or(wrap.ContextError(ctx, err), ctx.Err()))
	}
	reason := "failed"
	if err == nil {
		var options []vectorstores.Option
		if plan.Where.Op != retrieve.OpAll {
			options = append(options, vectorstores.WithFilters(plan.Where))
		}
		docs, err := r.store.SimilaritySearch(ctx, plan.Text, r.o.K, options...)
		if err != nil {
			return nil, fmt.Errorf("query: search: %w", wrap.ContextError(ctx, err))
		}
		if len(docs) > 0 || len(options) == 0 || r.o.Strict {
			return docs, nil
		}
		reason = "nothing found"
	}
	r.o.Logger.WarnContext(ctx, event.RetrieveFallback, event.Stage, "query", event.Count, 1, event.Reason, reason)
	docs, err := r.store.SimilaritySearch(ctx, question, r.o.K)
	if err != nil {
		return nil, fmt.Errorf("query: search: %w", wrap.ContextError(ctx, err))
	}
	return docs, nil
}
