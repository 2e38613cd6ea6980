package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/prodailabs/prodai/examples/capstone/internal/corpus"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/embed"
	"github.com/prodailabs/prodai/retrieve/embed/tune"
)

// tuning fits the embedder to the questions that the course's paragraphs are known to
// answer, and writes the rows that changed.
func tuning(ctx context.Context, s *settings, rest []string, out io.Writer) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("tune takes flags only, not %q", strings.Join(rest, " "))
	case s.output == "":
		return errors.New("tune needs -o FILE, the file to write the rows to")
	}
	docs, err := corpus.Course()
	if err != nil {
		return err
	}
	groups, err := service.Groups(ctx, docs)
	if err != nil {
		return err
	}
	base, err := embed.New()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d passages with questions; of some, one question is held out\n\n", len(groups))
	fmt.Fprintln(out, "epoch    loss   recall@1   recall@5     MRR")
	r, err := tune.Train(ctx, base, groups, &tune.Options{Epochs: s.epochs, Seed: s.seed, Progress: func(e tune.Epoch) {
		loss := fmt.Sprintf("%.3f", e.Loss)
		if e.Number == 0 {
			loss = "-"
		}
		fmt.Fprintf(out, "%5d %7s %s\n", e.Number, loss, line(e.HeldOut))
	}})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.output, r.Weights, 0o644); err != nil { //nolint:gosec // a model, not a secret
		return err
	}
	tuned, err := base.Tuned(string(r.Weights))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d held-out questions        recall@1   recall@5     MRR\n", r.Before.Questions)
	fmt.Fprintf(out, "before                  %s\n", line(r.Before))
	fmt.Fprintf(out, "after, as written       %s\n", line(r.After))
	fmt.Fprintf(out, "\n%s: %d rows from %d questions, read by embed.Tuned as %s\n", s.output, r.Tokens, r.Pairs, tuned.Name())
	return nil
}

func line(f tune.Figures) string {
	return fmt.Sprintf("%10.3f %10.3f %7.3f", f.RecallAt1, f.RecallAt5, f.MRR)
}
