package rag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ExtractiveModel is the model name that an [Extractive] answers under.
const ExtractiveModel = "extractive"

// ExtractiveOptions configure an [Extractive]. The zero value works.
type ExtractiveOptions struct {
	// Embedder measures how near a passage is to the question in meaning.
	// Default: only shared words count.
	Embedder embeddings.Embedder

	// Clean removes what a guard has put around a passage to mark it, by the
	// context of the call. Default: the passages are read as they are.
	Clean func(ctx context.Context, passage string) string

	// Rarity returns the weight of a stem of [bm25.English]: ln(N/n) if n of the
	// collection's N passages have it, or a similar figure. Default: it is counted
	// among the passages of the prompt, which is less exact, since these are all about
	// the question.
	Rarity func(stem string) float64

	// Correct returns the question without its typing errors, as [Speller.Correct]
	// does. If it changes the question, the answer begins with a line that says so.
	// Default: the question is read as it is.
	Correct func(question string) string

	// Translate returns a question in another language ([Language]) in words of the
	// passages' language, as well as a glossary can, and the share of its words that it
	// knows, 0 to 1. The words are ranked by, and shown as those of a corrected question
	// are; the best passage must reach MinScore divided by the share.
	// Default: the question is read as it is.
	Translate func(question string) (words string, share float64)

	// Asked returns questions that a paragraph, list item or other unit answers, by
	// its text: what an author, or a model, foresaw that readers would ask in their own
	// words (document expansion). A unit is near a question if one of them is.
	// Default: there are none.
	Asked func(text string) []string

	// Passages is how many passages an answer quotes at most; a question of several
	// parts may get that many for each part. Default: 3.
	Passages int

	// MinScore is the estimated probability, 0 to 1, that the best passage must
	// reach for an answer, and half as much again if it is a unit with known questions
	// (Asked). Below it the answer is a refusal that begins with
	// [UnknownAnswer] and names the nearest passages. Default: 0.2.
	MinScore float64
}

// An Extractive is a model that cannot make anything up: it reads the passages of a
// [Prompt], and quotes the paragraphs that answer the question, each whole, under its
// headings and with its citation. In each the sentence that answers is in bold. It is
// not a language model: it cannot rephrase, combine, reason or chat, and it reports no
// token usage.
//
// A paragraph is quoted if a logistic regression over words in common, nearness in
// meaning and the form of the text (a definition for "what is", a program for "show
// me") estimates that it answers with a probability of MinScore or more. If none does,
// the answer is [UnknownAnswer] and the nearest passages. A question of several parts
// ([Parts]) is answered part by part. A question that points back to earlier turns
// ("is it slow?") is read with them ([Standalone]). A question in another language gets
// a sentence that says so, and the nearest passages: quoted, or listed if they are far.
// A refusal names one passage of each of three documents, see [Nearest].
//
// It runs offline and always gives the same answer, which makes it the default for
// labs and tests. It is safe for concurrent use. Sampling options and tools are
// ignored; MaxTokens cuts the answer at the end of a line, by an estimate of four bytes
// a token, and StopWords cut it before the first of them.
type Extractive struct {
	o ExtractiveOptions
}

// ErrOption is wrapped by the error of [NewExtractive] for an option that cannot
// work.
var ErrOption = errors.New("rag: invalid option")

// defaultMinScore is the threshold at which, of questions that a collection does not
// answer, about one in eleven is answered: see TestFit.
const defaultMinScore = 0.2

// NewExtractive returns an Extractive; nil options mean the defaults. Its error
// wraps [ErrOption].
func NewExtractive(o *ExtractiveOptions) (*Extractive, error) {
	e := &Extractive{}
	if o != nil {
		e.o = *o
	}
	if !(e.o.MinScore >= 0 && e.o.MinScore <= 1) {
		return nil, fmt.Errorf("%w: ExtractiveOptions.MinScore is %v: want 0 (the default, 0.2) to 1", ErrOption, e.o.MinScore)
	}
	if e.o.Passages < 0 {
		return nil, fmt.Errorf("%w: ExtractiveOptions.Passages is %d: want 0 (the default, 3) or more", ErrOption, e.o.Passages)
	}
	if e.o.Passages == 0 {
		e.o.Passages = 3
	}
	if e.o.MinScore == 0 {
		e.o.MinScore = defaultMinScore
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
	answer, err := e.answer(ctx, messages)
	if err != nil {
		return nil, err
	}
	stop := "stop"
	if o.MaxTokens > 0 && len(answer) > 4*o.MaxTokens {
		answer, stop = cutLines(answer, 4*o.MaxTokens), "length"
	}
	pieces := untilStop(words(answer), o.StopWords)
	if err := speak(ctx, pieces, &o); err != nil {
		return nil, err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{
		Content: strings.Join(pieces, ""), StopReason: stop,
		GenerationInfo: map[string]any{"Model": ExtractiveModel, "FinishReason": stop},
	}}}, nil
}

// answer returns the whole answer.
func (e *Extractive) answer(ctx context.Context, messages []llms.MessageContent) (string, error) {
	question, passages := parsePrompt(messages)
	if e.o.Clean != nil {
		for i := range passages {
			passages[i].text = e.o.Clean(ctx, passages[i].text)
		}
	}
	all := unitsOf(passages)
	if len(all) == 0 || strings.TrimSpace(question) == "" {
		return UnknownAnswer, nil
	}
	var history []llms.MessageContent
	if len(messages) > 0 {
		history = messages[:len(messages)-1]
	}
	corrected, foreign, least := e.read(question)
	full, followUp := Standalone(corrected, history)
	parts := Parts(corrected)
	if followUp || foreign != "" {
		parts = parts[:1]
		parts[0] = corrected
	}
	var answered []part
	var whole []scored // all units, for the whole question
	some := false
	used := map[int]bool{}
	for _, text := range parts {
		q := newAsked(text, "")
		if followUp {
			q = newAsked(text, strings.TrimPrefix(full, corrected))
		} else if len(parts) > 1 {
			q = newAsked(text, corrected)
		}
		ranked, err := e.rank(ctx, q, all)
		if err != nil {
			return "", err
		}
		whole = ranked
		kinds := []bool{false} // no programs
		if q.intent == intentShow {
			kinds = []bool{true, false} // programs, or else what is said about them
		}
		var chosen []scored
		for _, code := range kinds {
			if chosen == nil {
				chosen = e.choose(ranked, used, code, least)
			}
		}
		answered = append(answered, part{text, chosen})
		some = some || chosen != nil
	}
	if some {
		return render(question, corrected, foreign, answered), nil
	}
	if followUp || len(parts) > 1 {
		var err error
		if whole, err = e.rank(ctx, newAsked(full, ""), all); err != nil {
			return "", err
		}
	}
	return refuse(question, corrected, foreign, whole), nil
}

// read returns a question without its typing errors, or in the passages' language; the
// language that it is in, "" for English; and the probability that the best passage must
// reach.
func (e *Extractive) read(question string) (corrected, foreign string, least float64) {
	foreign, least = Language(question), e.o.MinScore
	switch {
	case foreign == "" && e.o.Correct != nil:
		return e.o.Correct(question), "", least
	case foreign == "":
		return question, "", least
	case e.o.Translate != nil: // what it doesn't know may be what the question is about
		words, share := e.o.Translate(question)
		return words, foreign, min(1, least/clamp(share, 1))
	}
	return question, foreign, 0.15 * least // shown as the nearest, since few words are the same
}

// Rerank returns the k passages that most probably answer a question, best first, with
// that probability as their Score. Of a question with several parts ([Parts]) each part
// has its turn. The question is complete by itself, see [Standalone]. It fails if ctx is
// done or if the embedder fails.
func (e *Extractive) Rerank(ctx context.Context, question string, passages []schema.Document, k int) ([]schema.Document, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rag: %w", err)
	}
	texts := make([]numbered, len(passages))
	for i, p := range passages {
		texts[i] = numbered{i, p.PageContent}
	}
	all := unitsOf(texts)
	var rankings [][]scored
	parts := Parts(question)
	for _, text := range parts {
		around := ""
		if len(parts) > 1 {
			around = question
		}
		ranked, err := e.rank(ctx, newAsked(text, around), all)
		if err != nil {
			return nil, err
		}
		rankings = append(rankings, ranked)
	}
	var out []schema.Document
	taken := make([]bool, len(passages))
	for i := range all {
		for _, ranked := range rankings {
			n := ranked[i].passage
			if taken[n] || len(out) >= k {
				continue
			}
			taken[n] = true
			p := passages[n]
			p.Score = float32(ranked[i].score)
			out = append(out, p)
		}
	}
	return out, nil
}

// A part of a question with the units that answer it.
type part struct {
	question string
	units    []scored
}

// choose returns the units to quote, programs or texts, the best first, and marks them
// as used. If the best unit reaches the threshold, the next ones need a share of its
// probability only: the answer is right more often with them.
func (e *Extractive) choose(ranked []scored, used map[int]bool, code bool, least float64) []scored {
	const share = 0.3
	if code { // its words are names, which no question has
		least *= 0.5
	}
	var out []scored
	for _, s := range ranked {
		if s.asks || s.code != code {
			continue
		}
		need := least
		if len(s.asked) > 0 {
			need *= askedMargin
		}
		if len(out) == 0 && s.score < need || len(out) > 0 && s.score < share*out[0].score || len(out) == e.o.Passages {
			break
		}
		if used[s.order] || slices.ContainsFunc(out, func(o scored) bool { return o.text == s.text }) {
			continue
		}
		used[s.order] = true
		out = append(out, s)
	}
	return out
}

// askedMargin is how much more probable the best unit must be if questions are known that
// it answers: near questions of another subject are found too.
const askedMargin = 1.5

// cutLines cuts a text at the end of the last line that is within n bytes.
func cutLines(text string, n int) string {
	return strings.TrimRight(text[:strings.LastIndexByte(text[:n], '\n')+1], "\n")
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
