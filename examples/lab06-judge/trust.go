package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/eval/stats"
)

// leaning is a second scripted judge. It likes long answers and invented sources, and
// doesn't care for layout.
func leaning(random *rand.Rand) llms.Model {
	return &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
		texts, check := material(c)
		p := 0.5
		for i, title := range []string{"FIRST ANSWER", "SECOND ANSWER"} {
			sign := 1 - 2*float64(i)
			if strings.Contains(texts[title], "say the same once more") {
				p += 0.2 * sign
			}
			if strings.Contains(texts[title], "professors") {
				p += 0.12 * sign
			}
		}
		verdict := "second"
		if random.Float64() < p {
			verdict = "first"
		}
		return modeltest.Say(fmt.Sprintf(`{"check": %q, "verdict": %q}`, check, verdict)), true
	}}
}

// material returns the texts in marked lines by title, and the check word.
func material(c modeltest.Call) (texts map[string]string, check string) {
	texts = map[string]string{}
	mark, title := "no mark", ""
	for _, m := range c.Messages {
		for _, p := range m.Parts {
			t, ok := p.(llms.TextContent)
			if !ok {
				continue
			}
			if found := markOf.FindStringSubmatch(t.Text); found != nil {
				mark = found[1]
			}
			if found := checkOf.FindStringSubmatch(t.Text); found != nil {
				check = found[1]
			}
			for line := range strings.SplitSeq(t.Text, "\n") {
				if begun, ok := strings.CutPrefix(line, mark+" BEGIN "); ok {
					title = begun
				} else if rest, ok := strings.CutPrefix(line, mark+"| "); ok {
					texts[title] += rest + "\n"
				}
			}
		}
	}
	return texts, check
}

// biases probes the second judge.
func biases(w io.Writer, random *rand.Rand) error {
	j, err := judge.New(leaning(random), "scripted-2", rubric, nil)
	if err != nil {
		return err
	}
	items := make([]judge.Item, 150)
	for i := range items {
		items[i] = judge.Item{Input: "When does it come?", Output: fmt.Sprintf("It comes on day %d. It is paid already.", i)}
	}
	var found []judge.Bias
	for _, change := range []judge.Change{judge.ChangeVerbose(), judge.ChangeStyle(), judge.ChangeAuthority()} {
		b, err := judge.ProbeChange(context.Background(), j, items, change, nil)
		if err != nil {
			return err
		}
		found = append(found, b)
	}
	fmt.Fprintf(w, "\nbiases of a second judge, over answers with the same content (0 is none, 1 always wins)\n  %s\n",
		strings.ReplaceAll(strings.TrimRight(judge.BiasTable(found), "\n"), "\n", "\n  "))
	return nil
}

// trust compares a kind judge with people, calibrates it, and corrects its mean.
func trust(w io.Writer, random *rand.Rand) error {
	draw := func() judge.Labeled {
		quality := random.Float64()
		person := func() float64 {
			if quality+0.1*random.NormFloat64() > 0.5 {
				return 1
			}
			return 0
		}
		score := min(1, max(0, quality+0.25+0.1*random.NormFloat64()))
		return judge.Labeled{Outcome: judge.OutcomeScored, Score: score, People: []float64{person(), person()}}
	}
	var labeled []judge.Labeled
	for range 200 {
		labeled = append(labeled, draw())
	}
	report, err := judge.Assess(labeled, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\na third judge, 200 items labeled by two people\n%s", report)
	var scores, people []float64
	for _, l := range labeled {
		scores, people = append(scores, l.Score), append(people, (l.People[0]+l.People[1])/2)
	}
	rest := make([]float64, 3000)
	for i := range rest {
		rest[i] = draw().Score
	}
	corrected, err := stats.PredictionPowered(people, scores, rest, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nthe mean of 3,200 answers; the truth is 0.50\n")
	for _, row := range []struct {
		name string
		e    stats.Estimate
	}{{"200 labels alone", corrected.LabelsOnly}, {"the judge, corrected by the labels", corrected.Estimate}} {
		in, err := row.e.Interval(0.95)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %-36s %.2f (%.2f to %.2f)\n", row.name, row.e.Value, in.Low, in.High)
	}
	fmt.Fprintf(w, "  %-36s %.2f\n  as exact as %.0f labels\n", "the judge alone", stats.Mean(rest), corrected.Worth)
	return nil
}

const reading = `
How to read it: one order mixes quality and place, both orders separate them. In the table
of attacks, 5 is the grade that the answer asked for. "good enough" needs the whole interval
of kappa above 0.6 and of the bias within 0.10.
Notice: the judge that is too kind is refused, and its mean is wrong by 20 points. With the
same 200 labels the mean is right, and more exact than people's labels alone.
Try: -bias 0, and fewer -pairs. Write an attack of your own into attacks in main.go.
Read: the notes of eval/judge.
`
