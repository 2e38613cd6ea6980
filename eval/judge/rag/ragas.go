package rag

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/eval/judge"
)

// Faithfulness is RAGAS's: the answer is cut into statements, and each is checked
// against the passages.
//
//	supported statements / statements
//
// It says nothing about truth: a faithful answer repeats what a wrong passage states.
// An answer without a statement is [ErrUndefined].
func (e *Evaluator) Faithfulness(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("faithfulness", []string{"statements", "supported"}, func(u *run) (float64, error) {
		if err := need(item, "Output", "Context"); err != nil {
			return 0, err
		}
		var err error
		u.r.Verdicts, err = u.supported(ctx, item.Output, passages(item))
		if err != nil {
			return 0, err
		}
		return judge.Faithfulness(oks(u.r.Verdicts))
	})
}

// supported cuts a text into statements and checks them against a source.
func (u *run) supported(ctx context.Context, text, source string) ([]Verdict, error) {
	statements, err := u.list(ctx, "statements", "statements", judge.Part{Title: "TEXT", Text: text})
	if err != nil {
		return nil, err
	}
	return u.check(ctx, statements, source)
}

func (u *run) check(ctx context.Context, statements []string, source string) ([]Verdict, error) {
	return u.verdicts(ctx, "supported", "supported", flag("supported"), statements, judge.Part{Title: "SOURCE", Text: source}, numbered("STATEMENTS", statements))
}

// ContextRecall is RAGAS's: the reference answer is cut into statements, and each is
// looked for in the passages.
//
//	statements in the passages / statements
//
// It measures the retriever, and needs a reference answer. Without one, see
// [ContextRecallOf].
func (e *Evaluator) ContextRecall(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("context_recall", []string{"statements", "supported"}, func(u *run) (float64, error) {
		if err := need(item, "Reference", "Context"); err != nil {
			return 0, err
		}
		var err error
		u.r.Verdicts, err = u.supported(ctx, item.Reference, passages(item))
		if err != nil {
			return 0, err
		}
		return judge.ContextRecall(oks(u.r.Verdicts))
	})
}

// ContextPrecision is RAGAS's with a reference: each passage is judged by itself,
// whether it was of use for the reference answer.
//
//	Σ precision@k · useful(k) / useful passages
//
// It is high if the useful passages come first. It ignores those that are missing.
func (e *Evaluator) ContextPrecision(ctx context.Context, item judge.Item) (Result, error) {
	return e.precision(ctx, "context_precision", item, item.Reference, "Reference")
}

// ContextUtilization is RAGAS's context precision without a reference: a passage is
// useful if it was so for the answer of the system. So a wrong answer from a wrong
// passage counts as a good retrieval.
func (e *Evaluator) ContextUtilization(ctx context.Context, item judge.Item) (Result, error) {
	return e.precision(ctx, "context_utilization", item, item.Output, "Output")
}

func (e *Evaluator) precision(ctx context.Context, metric string, item judge.Item, answer, field string) (Result, error) {
	return e.measure(metric, []string{"useful"}, func(u *run) (float64, error) {
		if err := need(item, "Input", "Context", field); err != nil {
			return 0, err
		}
		for _, p := range item.Context {
			v, err := u.yesNo(ctx, "useful", "useful", p, judge.Part{Title: "QUESTION", Text: item.Input}, judge.Part{Title: "ANSWER", Text: answer}, judge.Part{Title: "PASSAGE", Text: p})
			if err != nil {
				return 0, err
			}
			u.r.Verdicts = append(u.r.Verdicts, v)
		}
		return judge.ContextPrecision(oks(u.r.Verdicts)), nil
	})
}

// AnswerRelevancy is RAGAS's: the model writes questions from the answer, and their
// vectors are compared with that of the question.
//
//	mean cosine(question, written question); 0 if every one is noncommittal
//
// It doesn't look at truth. It punishes a correct "I don't know".
func (e *Evaluator) AnswerRelevancy(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("answer_relevancy", []string{"questions"}, func(u *run) (float64, error) {
		if e.o.Embedder == nil {
			return 0, fmt.Errorf("%w: Options.Embedder is nil", ErrOption)
		}
		if err := need(item, "Input", "Output"); err != nil {
			return 0, err
		}
		var texts []string
		var noncommittal []bool
		err := u.ask(ctx, "questions", func(r judge.Reply) error {
			list, err := r.Objects("questions", e.o.Questions)
			if err != nil {
				return err
			}
			texts, noncommittal = nil, nil
			for _, q := range list {
				text, err := q.Text("question")
				if err != nil {
					return err
				}
				evades, err := q.Bool("noncommittal")
				if err != nil {
					return err
				}
				texts, noncommittal = append(texts, text), append(noncommittal, evades)
			}
			return r.Only("questions")
		}, judge.Part{Title: "ANSWER", Text: item.Output})
		if err != nil {
			return 0, err
		}
		for i, t := range texts {
			u.r.Verdicts = append(u.r.Verdicts, Verdict{Text: t, OK: !noncommittal[i]})
		}
		vectors, err := vectorsOf(ctx, e.o.Embedder, append([]string{item.Input}, texts...))
		if err != nil {
			return 0, err
		}
		return judge.AnswerRelevancy(vectors[0], vectors[1:], noncommittal)
	})
}

// SemanticSimilarity is RAGAS's: the cosine of the vectors of answer and reference.
// A negation changes it little.
func (e *Evaluator) SemanticSimilarity(ctx context.Context, item judge.Item) (Result, error) {
	r := Result{Metric: "semantic_similarity", Judge: judge.Version{Model: "embedder", Prompt: "cosine"}}
	if e.o.Embedder == nil {
		return r, fmt.Errorf("%w: Options.Embedder is nil", ErrOption)
	}
	score, err := similarity(ctx, e.o.Embedder, item)
	if err != nil {
		return r, err
	}
	r.Outcome, r.Score = judge.OutcomeScored, score
	return r, nil
}

// FactualCorrectness is RAGAS's: the claims of the answer are checked against the
// reference, and those of the reference against the answer.
//
//	precision = right claims of the answer / claims of the answer
//	recall    = right claims / (right claims + claims of the reference that the answer lacks)
//	score     = F score with Options.Beta
//
// RAGAS rounds it to two decimals; this doesn't.
func (e *Evaluator) FactualCorrectness(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("factual_correctness", []string{"statements", "supported"}, func(u *run) (float64, error) {
		if err := need(item, "Output", "Reference"); err != nil {
			return 0, err
		}
		right, err := u.supported(ctx, item.Output, item.Reference)
		if err != nil {
			return 0, err
		}
		found, err := u.supported(ctx, item.Reference, item.Output)
		if err != nil {
			return 0, err
		}
		u.r.Verdicts = append(right, found...)
		if len(u.r.Verdicts) == 0 {
			return 0, fmt.Errorf("%w: neither text has a claim", ErrUndefined)
		}
		var c judge.Claims
		for _, v := range right {
			if v.OK {
				c.TruePositive++
			} else {
				c.FalsePositive++
			}
		}
		for _, v := range found {
			if !v.OK {
				c.FalseNegative++
			}
		}
		return judge.FactualCorrectness(c, e.o.Beta)
	})
}

// A Noise has the two noise sensitivities; see [judge.NoiseSensitivity].
type Noise struct {
	// Relevant is the share of the answer's statements that are wrong and come from a
	// relevant passage, Irrelevant of those that come from irrelevant passages only.
	Relevant, Irrelevant Result
}

// NoiseSensitivity is RAGAS's: how much of the answer is wrong because of the
// passages. Lower is better. It takes 2·passages + 3 calls.
func (e *Evaluator) NoiseSensitivity(ctx context.Context, item judge.Item) (Noise, error) {
	var n Noise
	var irrelevant float64
	var err error
	n.Relevant, err = e.measure("noise_sensitivity_relevant", []string{"statements", "supported"}, func(u *run) (float64, error) {
		if err := need(item, "Output", "Reference", "Context"); err != nil {
			return 0, err
		}
		v, err := u.noise(ctx, item)
		if err != nil {
			return 0, err
		}
		var relevant float64
		relevant, irrelevant, err = judge.NoiseSensitivity(v)
		return relevant, err
	})
	n.Irrelevant = n.Relevant
	n.Irrelevant.Metric, n.Irrelevant.Spent = "noise_sensitivity_irrelevant", judge.Spent{}
	if n.Irrelevant.Outcome == judge.OutcomeScored {
		n.Irrelevant.Score = irrelevant
	}
	return n, err
}

func (u *run) noise(ctx context.Context, item judge.Item) (*judge.NoiseVerdicts, error) {
	answer, err := u.list(ctx, "statements", "statements", judge.Part{Title: "TEXT", Text: item.Output})
	if err != nil {
		return nil, err
	}
	reference, err := u.list(ctx, "statements", "statements", judge.Part{Title: "TEXT", Text: item.Reference})
	if err != nil {
		return nil, err
	}
	if len(answer) == 0 {
		return nil, fmt.Errorf("%w: the answer has no statement", ErrUndefined)
	}
	correct, err := u.check(ctx, answer, item.Reference)
	if err != nil {
		return nil, err
	}
	u.r.Verdicts = correct
	v := &judge.NoiseVerdicts{Answer: rows(len(answer), len(item.Context)), Reference: rows(len(reference), len(item.Context)), Correct: oks(correct)}
	for k, p := range item.Context {
		for _, side := range []struct {
			statements []string
			into       [][]bool
		}{{answer, v.Answer}, {reference, v.Reference}} {
			got, err := u.check(ctx, side.statements, p)
			if err != nil {
				return nil, err
			}
			for i := range got {
				side.into[i][k] = got[i].OK
			}
		}
	}
	return v, nil
}

func rows(n, width int) [][]bool {
	out := make([][]bool, n)
	for i := range out {
		out[i] = make([]bool, width)
	}
	return out
}

// ContextEntityRecall is RAGAS's: named things of the reference that are in the
// passages. See [judge.ContextEntityRecall] for its formula.
func (e *Evaluator) ContextEntityRecall(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("context_entity_recall", []string{"entities"}, func(u *run) (float64, error) {
		if err := need(item, "Reference", "Context"); err != nil {
			return 0, err
		}
		reference, err := u.list(ctx, "entities", "entities", judge.Part{Title: "TEXT", Text: item.Reference})
		if err != nil {
			return 0, err
		}
		found, err := u.list(ctx, "entities", "entities", judge.Part{Title: "TEXT", Text: passages(item)})
		if err != nil {
			return 0, err
		}
		if len(reference) == 0 {
			return 0, fmt.Errorf("%w: the reference names nothing", ErrUndefined)
		}
		in := map[string]bool{}
		for _, f := range found {
			in[f] = true
		}
		for _, r := range reference {
			u.r.Verdicts = append(u.r.Verdicts, Verdict{Text: r, OK: in[r]})
		}
		return judge.ContextEntityRecall(reference, found), nil
	})
}
