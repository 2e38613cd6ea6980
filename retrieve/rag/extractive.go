package rag

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/sentence"
	"github.com/prodailabs/prodai/internal/wrap"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// ExtractiveModel is the model name that an [Extractive] answers under.
const ExtractiveModel = "extractive"

// ExtractiveOptions configure an [Extractive]. The zero value works.
type ExtractiveOptions struct {
	// Embedder measures how near a sentence is to the question in meaning.
	// Default: only shared words count.
	Embedder embeddings.Embedder

	// Clean removes what a guard has put around a passage to mark it, by the
	// context of the call. Default: the passages are read as they are.
	Clean func(ctx context.Context, passage string) string

	// Sentences is how many sentences an answer has at most. Default: 3.
	Sentences int

	// MinScore is the score that the best sentence must reach for an answer,
	// 0 to 1. Below it the answer is [UnknownAnswer]. Default: 0.5.
	MinScore float64
}

// An Extractive is a model that cannot make anything up: it reads the passages
// of a [Prompt], selects the sentences that answer the question, puts them in
// reading order and cites them. When none comes near the question its answer is
// [UnknownAnswer]. It is not a language model: it cannot rephrase, combine, reason
// or chat, and it reports no token usage.
//
// It runs offline and always gives the same answer, which makes it the default for
// labs and tests. It is safe for concurrent use. Sampling options and tools are
// ignored; MaxTokens cuts the answer at the end of a sentence, by an estimate
// of four bytes a token, and StopWords cut it before the first of them.
type Extractive struct {
	o ExtractiveOptions
}

// ErrOption is wrapped by the error of [NewExtractive] for an option that cannot
// work.
var ErrOption = errors.New("rag: invalid option")

// NewExtractive returns an Extractive; nil options mean the defaults. Its error
// wraps [ErrOption].
func NewExtractive(o *ExtractiveOptions) (*Extractive, error) {
	e := &Extractive{}
	if o != nil {
		e.o = *o
	}
	if !(e.o.MinScore >= 0 && e.o.MinScore <= 1) {
		return nil, fmt.Errorf("%w: ExtractiveOptions.MinScore is %v: want 0 (the default, 0.5) to 1", ErrOption, e.o.MinScore)
	}
	if e.o.Sentences < 0 {
		return nil, fmt.Errorf("%w: ExtractiveOptions.Sentences is %d: want 0 (the default, 3) or more", ErrOption, e.o.Sentences)
	}
	if e.o.Sentences == 0 {
		e.o.Sentences = 3
	}
	if e.o.MinScore == 0 {
		e.o.MinScore = 0.5
	}
	return e, nil
}

// Call answers a prompt without passages: with [UnknownAnswer].
func (e *Extractive) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return wrap.Call(ctx, e, prompt, options...)
}

// GenerateContent answers from the passages of the last human message. It fails
// if ctx is done, if the embedder fails, or with the streaming function's error.
func (e *Extractive) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rag: %w", err)
	}
	o := callopt.Resolve(options)
	question, passages := parsePrompt(messages)
	picked, err := e.pick(ctx, question, passages)
	if err != nil {
		return nil, err
	}
	pieces, stop := render(picked, o.MaxTokens)
	pieces = untilStop(pieces, o.StopWords)
	if err := speak(ctx, pieces, &o); err != nil {
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{
		Content: strings.Join(pieces, ""), StopReason: stop,
		GenerationInfo: map[string]any{"Model": ExtractiveModel, "FinishReason": stop},
	}}}, nil
}

// A candidate is a sentence of a passage.
type candidate struct {
	passage numbered
	order   int // its place among all sentences
	text    string
	words   map[string]bool
	score   float64
}

// pick returns the sentences of the answer in the order to be read, or none.
func (e *Extractive) pick(ctx context.Context, question string, passages []numbered) ([]candidate, error) {
	wanted := set(bm25.English(question))
	if len(wanted) == 0 {
		return nil, nil
	}
	var all []candidate
	for i := range passages {
		if e.o.Clean != nil {
			passages[i].text = e.o.Clean(ctx, passages[i].text)
		}
		p := passages[i]
		for _, s := range sentence.Split(p.text) {
			if isLaidOut(p.text, s) {
				continue
			}
			text := bare(p.text[s.Start:s.End])
			if words := set(bm25.English(text)); len(words) >= 3 && !isHeading(text) && !looksLikeCode(text) && !repeats(text, question) {
				all = append(all, candidate{passage: p, order: len(all), text: text, words: words})
			}
		}
	}
	if err := e.score(ctx, question, wanted, passages, all); err != nil {
		return nil, err
	}
	lift(all)
	ranked := slices.Clone(all)
	slices.SortFunc(ranked, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.order, b.order))
	})
	if len(ranked) == 0 || ranked[0].score < e.o.MinScore {
		return nil, nil
	}
	picked := []candidate{ranked[0]}
	for _, c := range ranked[1:] {
		if len(picked) == e.o.Sentences || c.score < max(e.o.MinScore, 0.75*ranked[0].score) {
			break
		}
		if !slices.ContainsFunc(picked, func(p candidate) bool { return share(c.words, p.words) > 0.7 }) {
			picked = append(picked, c)
		}
	}
	// The passage of the best sentence leads; within a passage the text's order
	// holds.
	leads := map[int]int{}
	for i, c := range picked {
		if _, ok := leads[c.passage.n]; !ok {
			leads[c.passage.n] = i
		}
	}
	slices.SortFunc(picked, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(leads[a.passage.n], leads[b.passage.n]), cmp.Compare(a.order, b.order))
	})
	return picked, nil
}

// bare returns a sentence in one line, without the mark of a list item.
func bare(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, mark := range []string{"- ", "* ", "+ ", "> ", "// "} {
		text = strings.TrimPrefix(text, mark)
	}
	if rest := strings.TrimLeft(text, "0123456789"); rest != text && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") ")) {
		text = rest[2:]
	}
	return text
}

// isLaidOut reports whether a sentence is not running text: lines that are
// indented by a tab (a program, a table, a drawing), or far too long.
func isLaidOut(text string, s sentence.Span) bool {
	line := strings.LastIndexByte(text[:s.Start], '\n') + 1
	return strings.HasPrefix(text[line:], "\t") || strings.Contains(text[s.Start:s.End], "\n\t") || s.End-s.Start > longest
}

// longest is the bytes of a sentence that anybody would read in an answer.
const longest = 500

// looksLikeCode reports whether a text is a program's rather than a person's:
// it may hold the question's words, but it doesn't say anything about them.
func looksLikeCode(text string) bool {
	marks := 0
	for _, r := range text {
		if strings.ContainsRune("{}()[]<>=;:&|\"`_/$│─└├┘┐►", r) {
			marks++
		}
	}
	return strings.Contains(text, ":=") || strings.HasSuffix(text, "{") || strings.HasSuffix(text, ";") || 100*marks > 9*utf8.RuneCountInString(text)
}

// repeats reports whether a sentence only quotes the question.
func repeats(text, question string) bool {
	question = strings.ToLower(strings.Trim(question, " ?!."))
	return strings.Count(question, " ") >= 2 && strings.Contains(strings.ToLower(text), question)
}

func isHeading(text string) bool { return strings.HasPrefix(text, "#") || strings.HasSuffix(text, ":") }

// score gives each sentence a number from 0 to 1: how many of the question's
// words it has, rare ones counting more, and how near it is in meaning. A
// little of its neighbors' words counts too, since a sentence writes "it" for
// what the one before named.
func (e *Extractive) score(ctx context.Context, question string, wanted map[string]bool, passages []numbered, all []candidate) error {
	weight := rarity(wanted, all)
	inPassage := map[int]map[string]bool{}
	for _, p := range passages {
		inPassage[p.n] = set(bm25.English(p.text))
	}
	cosines, err := e.cosines(ctx, question, all)
	if err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		var own, near, total float64
		for w := range wanted {
			total += weight[w]
			switch {
			case c.words[w]:
				own += weight[w]
			case inPassage[c.passage.n][w]:
				near += weight[w]
			}
		}
		c.score = (own + 0.35*near) / total
		if cosines != nil {
			c.score = 0.55*c.score + 0.45*min(1, max(0, cosines[i])*1.4)
		}
		if strings.HasSuffix(c.text, "?") { // a question answers nothing
			c.score *= 0.6
		}
	}
	return nil
}

// lift raises a sentence that follows a good one: it goes on about the same
// thing, often by "it" and "they", which no word of the question matches.
func lift(all []candidate) {
	before := 0.0
	for i := range all {
		own := all[i].score
		if i > 0 && all[i-1].passage.n == all[i].passage.n && own >= 0.1 {
			all[i].score = min(1, max(own, 0.65*own+0.55*before))
		}
		before = own
	}
}

// rarity weighs the question's words by how few of the sentences have them.
func rarity(wanted map[string]bool, all []candidate) map[string]float64 {
	weight := make(map[string]float64, len(wanted))
	for w := range wanted {
		n := 0
		for _, c := range all {
			if c.words[w] {
				n++
			}
		}
		weight[w] = math.Log(1 + (float64(len(all))-float64(n)+0.5)/(float64(n)+0.5))
	}
	return weight
}

func (e *Extractive) cosines(ctx context.Context, question string, all []candidate) ([]float64, error) {
	if e.o.Embedder == nil || len(all) == 0 {
		return nil, nil
	}
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = c.text
	}
	vectors, err := e.o.Embedder.EmbedDocuments(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("rag: embed the sentences: %w", err)
	}
	query, err := e.o.Embedder.EmbedQuery(ctx, question)
	if err != nil {
		return nil, fmt.Errorf("rag: embed the question: %w", err)
	}
	out := make([]float64, len(all))
	for i := range out {
		if i < len(vectors) && len(vectors[i]) == len(query) {
			out[i] = cosine(query, vectors[i])
		}
	}
	return out, nil
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// render returns the answer in the pieces in which it is streamed, and why it
// ended.
func render(picked []candidate, maxTokens int) (pieces []string, stop string) {
	if len(picked) == 0 {
		return words(UnknownAnswer), "stop"
	}
	stop = "stop"
	used := 0
	for _, c := range picked {
		sentence := words(c.text)
		sentence = append(sentence, " ["+strconv.Itoa(c.passage.n)+"]")
		if len(pieces) > 0 {
			sentence[0] = " " + sentence[0]
		}
		n := 0
		for _, w := range sentence {
			n += len(w)
		}
		if maxTokens > 0 && used+n > 4*maxTokens {
			stop = "length"
			break
		}
		used += n
		pieces = append(pieces, sentence...)
	}
	return pieces, stop
}

// untilStop cuts an answer before the first of the stop words.
func untilStop(pieces []string, stop []string) []string {
	text := strings.Join(pieces, "")
	end := len(text)
	for _, word := range stop {
		if i := strings.Index(text, word); i >= 0 && word != "" {
			end = min(end, i)
		}
	}
	if end == len(text) {
		return pieces
	}
	return words(text[:end])
}

// words cuts a text before each blank, so that the pieces add up to it.
func words(text string) []string {
	var out []string
	for len(text) > 0 {
		_, first := utf8.DecodeRuneInString(text)
		end := strings.IndexByte(text[first:], ' ')
		if end < 0 {
			return append(out, text)
		}
		out = append(out, text[:first+end])
		text = text[first+end:]
	}
	return out
}

// speak streams the pieces to the functions that the caller set.
func speak(ctx context.Context, pieces []string, o *callopt.Options) error {
	if o.StreamingFunc == nil && o.StreamingReasoningFunc == nil {
		return nil
	}
	ctxText := delta.With(ctx, delta.Delta{Kind: delta.Text})
	for _, p := range pieces {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("rag: %w", err)
		}
		if o.StreamingFunc != nil {
			if err := o.StreamingFunc(ctxText, []byte(p)); err != nil {
				return err
			}
		}
		if o.StreamingReasoningFunc != nil {
			if err := o.StreamingReasoningFunc(ctxText, nil, []byte(p)); err != nil {
				return err
			}
		}
	}
	return nil
}
