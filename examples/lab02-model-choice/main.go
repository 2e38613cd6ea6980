// Lab02-model-choice picks one of three models by quality, cost and time, with a paired
// test instead of a leaderboard.
//
// The models are simulated: each has a chance to answer a question that depends on the
// question's difficulty, a price and a distribution of times. So the truth is known,
// and the lab runs offline in a second.
//
//	go run ./examples/lab02-model-choice
//
// See the notes of eval/stats, sections "Pair, always" and "Which test".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/stats"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "lab02-model-choice:", err)
		os.Exit(1)
	}
}

// A model is a simulated one. Skill moves the chance of a right answer, a price is per
// million tokens of output.
type model struct {
	name     string
	skill    float64
	priceUSD float64
	median   time.Duration
	spread   float64 // of the logarithm of the time
	tokens   int
}

var models = []model{
	{"large", 1.9, 15, 1100 * time.Millisecond, 0.5, 320},
	{"medium", 1.75, 3, 900 * time.Millisecond, 0.4, 300},
	{"small", 0.7, 0.4, 350 * time.Millisecond, 0.9, 280},
}

// A result is what one model did.
type result struct {
	model
	scores []float64
	cost   float64 // USD for 1,000 questions
	p95    time.Duration
}

func run(args []string, w io.Writer) error {
	flags := flag.NewFlagSet("lab02-model-choice", flag.ContinueOnError)
	flags.SetOutput(w)
	questions := flags.Int("questions", 1500, "questions that each model answers")
	margin := flags.Float64("margin", 0.05, "what a cheaper model may be worse by")
	limit := flags.Duration("limit", 3*time.Second, "the largest time for 95 % of answers")
	seed := flags.Uint64("seed", 2, "seed of the simulated models")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *questions < 20 || !(*margin > 0 && *margin < 1) {
		return fmt.Errorf("%d questions, margin %v: want at least 20 questions and a margin between 0 and 1", *questions, *margin)
	}
	random := rand.New(rand.NewPCG(*seed, 0))
	difficulty := make([]float64, *questions)
	for i := range difficulty {
		difficulty[i] = random.NormFloat64()
	}
	var results []result
	for _, m := range models {
		r, err := ask(m, difficulty, random)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if err := table(w, results, *limit); err != nil {
		return err
	}
	return choose(w, results, *margin, *limit)
}

// ask lets a model answer each question once. The answers are compared with the
// reference by a metric of package eval, as a real evaluation does.
func ask(m model, difficulty []float64, random *rand.Rand) (result, error) {
	r := result{model: m}
	exact, err := eval.NewExactMatch(nil)
	if err != nil {
		return r, err
	}
	times := make([]float64, len(difficulty))
	tokens := 0.0
	for i, d := range difficulty {
		answer := "I think it is " + fmt.Sprint(i)
		if random.Float64() < 1/(1+math.Exp(d-m.skill)) {
			answer = fmt.Sprint("Answer ", i)
		}
		dst := make([]float64, exact.Width())
		c := &eval.Case{Input: fmt.Sprint("question ", i), References: []string{fmt.Sprint("answer ", i, ".")}}
		if err := exact.Stats(context.Background(), c, &eval.Output{Text: answer}, dst); err != nil {
			return r, err
		}
		r.scores = append(r.scores, exact.Value(dst))
		times[i] = float64(m.median) * math.Exp(m.spread*random.NormFloat64())
		tokens += float64(m.tokens) * (0.5 + random.Float64())
	}
	r.cost = tokens / float64(len(difficulty)) * 1000 * m.priceUSD / 1e6
	p95, err := stats.Quantile(times, 0.95, stats.QuantileLinear)
	r.p95 = time.Duration(p95)
	return r, err
}

func table(w io.Writer, results []result, limit time.Duration) error {
	fmt.Fprintf(w, "%d questions to each model\n", len(results[0].scores))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "model\tright\t95 % interval\t$ for 1,000\tp95\tnotes")
	for _, r := range results {
		in, err := stats.ProportionInterval(right(r.scores), len(r.scores), 0.95, stats.ProportionWilson)
		if err != nil {
			return err
		}
		var notes []string
		if r.p95 > limit {
			notes = append(notes, "too slow")
		}
		for _, other := range results {
			if other.cost < r.cost && other.p95 < r.p95 && stats.Mean(other.scores) >= stats.Mean(r.scores) {
				notes = append(notes, other.name+" is better in all three")
			}
		}
		fmt.Fprintf(t, "%s\t%.1f %%\t%.1f to %.1f\t%.2f\t%v\t%s\n", r.name, 100*stats.Mean(r.scores), 100*in.Low, 100*in.High, r.cost, r.p95.Round(10*time.Millisecond), strings.Join(notes, ", "))
	}
	return t.Flush()
}

func right(scores []float64) int {
	n := 0
	for _, s := range scores {
		if s == 1 {
			n++
		}
	}
	return n
}

const reading = `
How to read it: "good enough" means that the whole interval of the difference is above
minus the margin. A p-value above 0.05 alone doesn't show that two models are equal.
Notice: the two intervals of the first table overlap widely, and the paired test is still
able to tell, since hard questions are hard for both models.
Try: -questions 400, where the p-value doesn't show a difference and the interval doesn't
show that there is none. Then -limit 1s, and -margin 0.5.
Read: the notes of eval/stats.
`

// choose compares each model with the best one on the same questions, and takes the
// cheapest that is fast enough and is shown to be worse by less than the margin.
func choose(w io.Writer, results []result, margin float64, limit time.Duration) error {
	best := results[0]
	for _, r := range results {
		if stats.Mean(r.scores) > stats.Mean(best.scores) {
			best = r
		}
	}
	fmt.Fprintf(w, "\ncompared with %s on the same questions; a model may be worse by %.0f points\n", best.name, 100*margin)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "model\tdifference\t95 % interval\tMcNemar p\tverdict")
	chosen := result{cost: math.Inf(1)}
	for _, r := range results {
		if r.name == best.name {
			if r.p95 <= limit && r.cost < chosen.cost {
				chosen = r
			}
			continue
		}
		in, err := stats.PairedTInterval(r.scores, best.scores, 0.95)
		if err != nil {
			return err
		}
		onlyBest, onlyThis := 0, 0
		for i := range r.scores {
			switch r.scores[i] - best.scores[i] {
			case -1:
				onlyBest++
			case 1:
				onlyThis++
			}
		}
		p, err := stats.McNemar(onlyBest, onlyThis, stats.McNemarExact)
		if err != nil {
			return err
		}
		verdict := "not shown: ask more questions"
		switch {
		case in.Low > -margin:
			verdict = "good enough"
			if r.p95 <= limit && r.cost < chosen.cost {
				chosen = r
			}
		case in.High < -margin:
			verdict = "worse"
		case in.High < 0:
			verdict = "worse, by more or less than the margin"
		}
		fmt.Fprintf(t, "%s\t%+.1f points\t%+.1f to %+.1f\t%.2g\t%s\n", r.name, 100*(stats.Mean(r.scores)-stats.Mean(best.scores)), 100*in.Low, 100*in.High, p.P, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if chosen.name == "" {
		fmt.Fprintf(w, "\nchoice: none is fast enough and shown to be good enough\n")
	} else {
		fmt.Fprintf(w, "\nchoice: %s at $%.2f for 1,000 questions\n", chosen.name, chosen.cost)
	}
	fmt.Fprint(w, reading)
	return nil
}
