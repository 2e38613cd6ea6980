// Lab14-semantic-false-hits measures how often a semantic cache is wrong: with a
// threshold, with a lexical guard, and with thresholds that each answer learns for
// itself. No network is used.
//
//	go run ./examples/lab14-semantic-false-hits
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/tmc/langchaingo/embeddings"

	"github.com/prodailabs/prodai/cache/semantic"
	"github.com/prodailabs/prodai/retrieve/embed"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab14-semantic-false-hits:", err)
		os.Exit(1)
	}
}

func run(args []string, out, errs io.Writer) error {
	f := flag.NewFlagSet("lab14-semantic-false-hits", flag.ContinueOnError)
	f.SetOutput(errs)
	wrong := f.Float64("wrong", .05, "the share of hits that may be wrong, for the learned thresholds")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	embedder, err := embed.New()
	if err != nil {
		return err
	}
	if err := similar(out, embedder); err != nil {
		return err
	}
	if err := learned(out, embedder, *wrong); err != nil {
		return err
	}
	fmt.Fprint(out, `
What to notice: opposites are nearer than paraphrases, so no threshold separates them,
and the guard is what helps. Calibration refuses to choose from so few pairs. In the
second table there is no guard: even 0.95 lets 14 wrong orders in, and keeps most
greetings out. Answers that learn their own thresholds tell the two kinds apart: at
first they ask the model, and later serve the greetings and not the orders.
What to try: pairs of your own in the code, and -wrong 0.2.
What to read: the notes of cache/semantic.
`)
	return nil
}

// pairs are questions of a shop's customers. The first half have the same answer.
var pairs = []semantic.Pair{
	{A: "How do I reset my password?", B: "how can I reset the password", Same: true},
	{A: "What are your opening hours?", B: "When are your opening hours?", Same: true},
	{A: "How much does shipping cost?", B: "What does shipping cost?", Same: true},
	{A: "Where is my invoice?", B: "where can I find my invoice", Same: true},
	{A: "How long does delivery take?", B: "how long will delivery take", Same: true},
	{A: "Can I change my delivery address?", B: "May I change the delivery address?", Same: true},
	{A: "Do you ship to Norway?", B: "is shipping to norway possible", Same: true},
	{A: "Why was my card declined?", B: "For what reason was my card declined?", Same: true},
	{A: "How do I turn on notifications?", B: "How do I turn off notifications?"},
	{A: "Is the tent waterproof?", B: "Is the tent not waterproof?"},
	{A: "What is the price for 2 chairs?", B: "What is the price for 12 chairs?"},
	{A: "Can I send a parcel from Berlin to Rome?", B: "Can I send a parcel from Rome to Berlin?"},
	{A: "Can I pay with a credit card?", B: "Can I pay without a credit card?"},
	{A: "What is the status of order 48213?", B: "What is the status of order 48231?"},
	{A: "Is the shop in Vienna open on Sunday?", B: "Is the shop in Vienna closed on Sunday?"},
	{A: "Does the red jacket have pockets?", B: "Does the blue jacket have pockets?"},
}

func similar(out io.Writer, embedder embeddings.Embedder) error {
	fmt.Fprintln(out, "1. Similar questions: 8 with the same answer, 8 with another")
	fmt.Fprintln(out, "                without guard          with guard")
	fmt.Fprintln(out, "   threshold    right   wrong          right   wrong")
	ctx := context.Background()
	bare, err := semantic.Evaluate(ctx, embedder, pairs, nil)
	if err != nil {
		return err
	}
	guarded, err := semantic.Evaluate(ctx, embedder, pairs, semantic.Agree)
	if err != nil {
		return err
	}
	for _, threshold := range []float64{.70, .80, .90, .95} {
		b, g := bare.At(threshold), guarded.At(threshold)
		fmt.Fprintf(out, "   %.2f         %5d   %5d          %5d   %5d\n", threshold, b.Right, b.False(), g.Right, g.False())
	}
	_, err = guarded.Calibrate(.1, .95)
	if !errors.Is(err, semantic.ErrNoThreshold) {
		return fmt.Errorf("want no threshold from 16 questions, got %w", err)
	}
	fmt.Fprintf(out, "   calibration: %v\n   what the guard sees:\n", err)
	for _, p := range pairs[len(pairs)/2:] {
		fmt.Fprintf(out, "     %-38s %-38s %s\n", p.A, p.B, semantic.Agree(p.B, p.A))
	}
	fmt.Fprintln(out)
	return nil
}

// stream is questions to six stored answers. Three of them are right for every greeting
// around their question; three are each about one order, and wrong for every other.
func stream() []semantic.Pair {
	var out []semantic.Pair
	for _, q := range []string{"How do I reset my password?", "What does shipping to Norway cost?", "Can I return a shoe that I have worn?"} {
		for _, before := range []string{"Hello! ", "Please help me: ", "I would like to know. ", "One question. ", "Good morning, ", "Sorry to ask: ", "Hi, ", "Quick question: ", "Tell me: ", ""} {
			for _, after := range []string{"", " Thank you!", " I can't find it.", " It is urgent.", " Greetings, Kim", " Best wishes", " I looked everywhere.", " Please answer soon.", " Kim"} {
				out = append(out, semantic.Pair{A: q, B: before + q + after, Same: true})
			}
		}
	}
	for _, q := range []string{"What is the status of order %d?", "When will order %d arrive?", "Who signed for the delivery of order %d?"} {
		for k := range 90 {
			out = append(out, semantic.Pair{A: fmt.Sprintf(q, 48213), B: fmt.Sprintf(q, 48214+k)})
		}
	}
	rand.New(rand.NewPCG(14, 2)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func learned(out io.Writer, embedder embeddings.Embedder, wrong float64) error {
	questions := stream()
	e, err := semantic.Evaluate(context.Background(), embedder, questions, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "2. %d questions to six stored answers, without guard: three are right for all, three for none\n", len(questions))
	fmt.Fprintln(out, "   threshold    right   wrong   asked the model")
	line := func(name string, r semantic.Report) {
		fmt.Fprintf(out, "   %-10s   %5d   %5d   %15d\n", name, r.Right, r.False(), r.Questions-r.Hits)
	}
	for _, threshold := range []float64{.70, .80, .90, .95} {
		line(fmt.Sprintf("%.2f", threshold), e.At(threshold))
	}
	r, err := e.Learned(.7, &semantic.Learn{MaxWrong: wrong})
	if err != nil {
		return err
	}
	line("learned", r)
	return nil
}
