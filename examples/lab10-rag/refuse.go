package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// refusals compares thresholds for "I don't know". Only the speech is indexed, so the
// questions about the chat logs have no answer. Half of the questions teach, the others
// test.
func (l *lab) refusals(ctx context.Context, out io.Writer) error {
	speech := sample.Corpora()[1]
	one := lab{k: l.k, now: l.now, data: l.data}
	if err := one.open(ctx, speech); err != nil {
		return err
	}
	defer func() { _ = errors.Join(one.dense.Close(), one.hybrid.Close()) }()
	var teach, test []rag.Judged
	for i, q := range l.data.Questions {
		found, err := one.hybrid.GetRelevantDocuments(ctx, q.Text)
		if err != nil {
			return err
		}
		best, err := one.extractive.Rerank(ctx, q.Text, found[:min(10, len(found))], 1)
		if err != nil {
			return err
		}
		j := rag.Judged{Answered: q.Corpus == speech}
		if len(best) > 0 {
			j.Score = float64(best[0].Score)
		}
		if i%2 == 0 {
			teach = append(teach, j)
		} else {
			test = append(test, j)
		}
	}
	fitted, err := rag.Fit(teach)
	if err != nil {
		return err
	}
	var unanswerable []float64
	for _, j := range teach {
		if !j.Answered {
			unanswerable = append(unanswerable, j.Score)
		}
	}
	fmt.Fprintf(out, "\nThe speech alone is indexed, so questions about the chat logs should be refused. %d questions teach, %d others test:\n", len(teach), len(test))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "answer if\tanswerable answered\tunanswerable answered\t")
	report := func(name string, answer func(score float64) bool) {
		var yes, no, right, wrong float64
		for _, j := range test {
			switch {
			case j.Answered && answer(j.Score):
				yes, right = yes+1, right+1
			case j.Answered:
				yes++
			case answer(j.Score):
				no, wrong = no+1, wrong+1
			default:
				no++
			}
		}
		fmt.Fprintf(w, "%s\t%.0f %%\t%.0f %%\t\n", name, 100*right/yes, 100*wrong/no)
	}
	report("always", func(float64) bool { return true })
	report("the score is above 0.5 (a guess)", func(s float64) bool { return s > 0.5 })
	report("the calibrated probability is above 0.5", func(s float64) bool { return fitted.Probability(s) > 0.5 })
	for _, share := range []float64{0.2, 0.1} {
		at, err := rag.Threshold(unanswerable, share)
		if err != nil {
			return err
		}
		report(fmt.Sprintf("the score is above %.2f (promises %.0f %% of unanswerable)", at, 100*share), func(s float64) bool { return s > at })
	}
	return w.Flush()
}

// answer shows a whole answer: search, stages, prompt, citations.
func (l *lab) answer(ctx context.Context, out io.Writer) error {
	s, err := l.stages()
	if err != nil {
		return err
	}
	p, err := rag.New(l.hybrid, l.extractive, &rag.Options{Stages: []rag.Stage{s.fitted, s.window}, Passages: l.k})
	if err != nil {
		return err
	}
	a, err := p.Ask(ctx, l.ask)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nOne answer, by rag.New(…).Ask (without stages it is one call, rag.Ask):\n%s\n", l.ask)
	for line := range strings.Lines(a.Text) {
		fmt.Fprint(out, "  ", line)
	}
	fmt.Fprintln(out)
	for _, step := range a.Steps {
		fmt.Fprintf(out, "  %s: %d passages\n", step.Name, step.Out)
	}
	for _, c := range a.Citations.Citations {
		fmt.Fprintf(out, "  [%d] %s, %s bytes %d to %d\n", c.Number, c.Status, c.Source, c.SourceStart, c.SourceEnd)
	}
	return nil
}
