package rag

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/judge"
)

// Hallucination is DeepEval's: each passage is judged by itself, whether the answer
// agrees with it.
//
//	passages that the answer agrees with / passages
//
// As in version 4.3.1 higher is better: 1 is no hallucination. It looks for
// contradictions only; see [Evaluator.Faithfulness] for what has no source.
func (e *Evaluator) Hallucination(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("hallucination", []string{"agrees"}, func(u *run) (float64, error) {
		if err := need(item, "Output", "Context"); err != nil {
			return 0, err
		}
		for _, p := range item.Context {
			v, err := u.yesNo(ctx, "agrees", "agrees", p, judge.Part{Title: "PASSAGE", Text: p}, judge.Part{Title: "ANSWER", Text: item.Output})
			if err != nil {
				return 0, err
			}
			u.r.Verdicts = append(u.r.Verdicts, v)
		}
		return judge.DeepEvalScore(judge.DeepEvalMetricHallucination, words(u.r.Verdicts), nil)
	})
}

// ContextualRelevancy is DeepEval's: the passages are cut into statements, and each
// is judged whether it helps to answer the question.
//
//	statements that help / statements of all passages
//
// A borderline statement doesn't count as help. It punishes long passages.
func (e *Evaluator) ContextualRelevancy(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("contextual_relevancy", []string{"statements", "relevant"}, func(u *run) (float64, error) {
		if err := need(item, "Input", "Context"); err != nil {
			return 0, err
		}
		for _, p := range item.Context {
			statements, err := u.list(ctx, "statements", "statements", judge.Part{Title: "TEXT", Text: p})
			if err != nil {
				return 0, err
			}
			v, _, err := u.relevant(ctx, item.Input, statements)
			if err != nil {
				return 0, err
			}
			u.r.Verdicts = append(u.r.Verdicts, v...)
		}
		return judge.Faithfulness(oks(u.r.Verdicts)) // a share; undefined without a statement
	})
}

// relevant judges statements. OK means yes; words keeps what was said.
func (u *run) relevant(ctx context.Context, question string, statements []string) ([]Verdict, []string, error) {
	var said []string
	v, err := u.verdicts(ctx, "relevant", "relevant", func(r judge.Reply) (bool, error) {
		word, err := r.Text("relevant")
		if err == nil && word != "yes" && word != "no" && word != "borderline" {
			err = fmt.Errorf("%w: the verdict is %.20q, want yes, no or borderline", judge.ErrParse, word)
		}
		said = append(said, word)
		return word == "yes", err
	}, statements, judge.Part{Title: "QUESTION", Text: question}, numbered("STATEMENTS", statements))
	return v, said[max(0, len(said)-len(statements)):], err
}

// StatementRelevancy is DeepEval's answer relevancy: the answer is cut into
// statements, and each is judged whether it helps to answer the question.
//
//	statements that aren't irrelevant / statements
//
// RAGAS's [Evaluator.AnswerRelevancy] has the same name there and another formula.
func (e *Evaluator) StatementRelevancy(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("statement_relevancy", []string{"statements", "relevant"}, func(u *run) (float64, error) {
		if err := need(item, "Input", "Output"); err != nil {
			return 0, err
		}
		statements, err := u.list(ctx, "statements", "statements", judge.Part{Title: "TEXT", Text: item.Output})
		if err != nil {
			return 0, err
		}
		if len(statements) == 0 {
			return 0, fmt.Errorf("%w: the answer has no statement", ErrUndefined)
		}
		v, said, err := u.relevant(ctx, item.Input, statements)
		if err != nil {
			return 0, err
		}
		u.r.Verdicts = v
		return judge.DeepEvalScore(judge.DeepEvalMetricAnswerRelevancy, said, nil)
	})
}

// Bias is DeepEval's: the answer's opinions are listed, and each is judged.
//
//	opinions without bias / opinions
//
// Higher is better, as in version 4.3.1. An answer without an opinion has 1.
func (e *Evaluator) Bias(ctx context.Context, item judge.Item) (Result, error) {
	return e.opinions(ctx, "bias", "biased", judge.DeepEvalMetricBias, item)
}

// Toxicity is DeepEval's, with the formula of [Evaluator.Bias] over opinions that are
// not toxic.
func (e *Evaluator) Toxicity(ctx context.Context, item judge.Item) (Result, error) {
	return e.opinions(ctx, "toxicity", "toxic", judge.DeepEvalMetricToxicity, item)
}

func (e *Evaluator) opinions(ctx context.Context, metric, key string, formula judge.DeepEvalMetric, item judge.Item) (Result, error) {
	return e.measure(metric, []string{"opinions", key}, func(u *run) (float64, error) {
		if err := need(item, "Output"); err != nil {
			return 0, err
		}
		opinions, err := u.list(ctx, "opinions", "opinions", judge.Part{Title: "TEXT", Text: item.Output})
		if err != nil {
			return 0, err
		}
		found, err := u.verdicts(ctx, key, "found", flag("found"), opinions, numbered("OPINIONS", opinions))
		if err != nil {
			return 0, err
		}
		score, err := judge.DeepEvalScore(formula, words(found), nil)
		for i := range found {
			found[i].OK = !found[i].OK
		}
		u.r.Verdicts = found
		return score, err
	})
}

// Summarization is DeepEval's, for a source in Input and a summary in Output.
//
//	alignment = statements of the summary that the source supports / statements
//	coverage  = questions that the summary answers with yes / questions that the source does
//	score     = min(alignment, coverage)
//
// A summary without a statement, and a source that answers no question, has 0.
func (e *Evaluator) Summarization(ctx context.Context, item judge.Item) (Result, error) {
	return e.measure("summarization", []string{"statements", "supported", "checks", "answered"}, func(u *run) (float64, error) {
		if err := need(item, "Input", "Output"); err != nil {
			return 0, err
		}
		aligned, err := u.supported(ctx, item.Output, item.Input)
		if err != nil {
			return 0, err
		}
		questions, err := u.list(ctx, "checks", "questions", judge.Part{Title: "TEXT", Text: item.Input})
		if err != nil {
			return 0, err
		}
		var by [2][]Verdict
		for i, source := range []string{item.Input, item.Output} {
			if by[i], err = u.verdicts(ctx, "answered", "yes", flag("yes"), questions, judge.Part{Title: "SOURCE", Text: source}, numbered("QUESTIONS", questions)); err != nil {
				return 0, err
			}
		}
		u.r.Verdicts = aligned
		asked, covered := 0.0, 0.0
		for i := range questions {
			if by[0][i].OK {
				asked++
				if by[1][i].OK {
					covered++
				}
				u.r.Verdicts = append(u.r.Verdicts, by[1][i])
			}
		}
		if len(aligned) == 0 || asked == 0 {
			return 0, nil
		}
		alignment, err := judge.Faithfulness(oks(aligned))
		return math.Min(alignment, covered/asked), err
	})
}

// TaskCompletion is DeepEval's: how much of the user's task an agent did, 0 to 1, in
// the judge's own estimate. The calls are shown as JSON.
func (e *Evaluator) TaskCompletion(ctx context.Context, item judge.Item, calls []eval.Call) (Result, error) {
	return e.measure("task_completion", []string{"task"}, func(u *run) (float64, error) {
		if err := need(item, "Input"); err != nil {
			return 0, err
		}
		data, err := json.Marshal(calls)
		if err != nil {
			return 0, err
		}
		var score float64
		err = u.ask(ctx, "task", func(r judge.Reply) error {
			var err error
			if score, err = r.Number("completion", judge.Range{Min: 0, Max: 1}); err != nil {
				return err
			}
			task, _ := r.Text("task")
			outcome, err := r.Text("outcome")
			u.r.Reason = task + ": " + outcome
			if err != nil {
				return err
			}
			return r.Only("task", "outcome", "completion")
		}, judge.Part{Title: "REQUEST", Text: item.Input}, judge.Part{Title: "TOOL CALLS", Text: string(data)}, judge.Part{Title: "ANSWER", Text: item.Output})
		return score, err
	})
}
