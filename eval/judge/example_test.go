package judge_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// ExampleJudge_Grade grades with a scripted model in place of a real one, which would
// read the check word in its instructions.
func ExampleJudge_Grade() {
	model := &modeltest.Script{Turns: []modeltest.Turn{
		modeltest.Say("I would say 4."), // not readable: it is asked again
		modeltest.Say(`{"check": "mark-ok", "reason": "half of it agrees", "grades": {"correct": 3}}`),
	}}
	j, err := judge.New(model, "judge-2026-01-01", &judge.Rubric{Criteria: []judge.Criterion{{
		Name: "correct", Question: "Does the answer agree with the reference answer?",
		Anchors: []judge.Anchor{{Grade: 1, Meaning: "it contradicts it"}, {Grade: 3, Meaning: "half of it"}, {Grade: 5, Meaning: "it agrees"}},
	}}}, &judge.Options{Nonce: fixed}) // a fixed mark is for tests only
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := j.Grade(context.Background(), judge.Item{Input: "When?", Output: "Tuesday.", Reference: "Tuesday at noon."})
	fmt.Println(r.Outcome, r.Score, r.Reason, r.Spent.Calls, err)
	// Output: scored 0.5 half of it agrees 2 <nil>
}

// ExampleAssess asks whether a judge is good enough, with far too few labels.
func ExampleAssess() {
	var items []judge.Labeled
	for i, score := range []float64{0.9, 0.2, 0.8, 0.1, 0.7, 0.4} {
		items = append(items, judge.Labeled{Outcome: judge.OutcomeScored, Score: score, People: []float64{float64((i + 1) % 2)}})
	}
	a, err := judge.Assess(items, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Trust)
	fmt.Println(a.Reasons[0])
	// Output:
	// unknown
	// its kappa with people is 1.00 (0.00 to 1.00): the labels don't show that it reaches 0.60
}

// ExampleCalibrated fits a calibrator to one half of the labeled items and assesses the judge
// on the other half: labels that a calibrator was fitted to make it look better than it is.
func ExampleCalibrated() {
	random := rand.New(rand.NewPCG(1, 2))
	items := make([]judge.Labeled, 400)
	for i := range items {
		quality, person := random.Float64(), 0.0
		if quality > 0.5 {
			person = 1
		}
		kind := min(1, quality+0.25+0.1*random.NormFloat64()) // the judge's grades are too high
		items[i] = judge.Labeled{Outcome: judge.OutcomeScored, Score: kind, People: []float64{person}}
	}
	fit, assess := items[:200], items[200:]
	var scores, labels []float64
	for _, i := range fit {
		scores, labels = append(scores, i.Score), append(labels, i.People[0])
	}
	calibrator, err := judge.FitPlatt(scores, labels)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, half := range [][]judge.Labeled{assess, judge.Calibrated(assess, calibrator)} {
		a, err := judge.Assess(half, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s, kappa %.2f, score - label %+.2f, squared error %.2f\n", a.Trust, a.Kappa, a.Bias, a.Brier)
	}
	// Output:
	// no, kappa 0.43, score - label +0.28, squared error 0.18
	// yes, kappa 0.84, score - label +0.06, squared error 0.06
}

func ExampleGraph_Grade() {
	yes, no := &judge.ScoreNode{Name: "good", Score: 1}, &judge.ScoreNode{Name: "bad"}
	graph, err := judge.NewGraph(&modeltest.Script{Turns: []modeltest.Turn{modeltest.Say(`{"check": "mark-ok", "reason": "it quotes the passage", "choice": "yes"}`)}}, "judge-2026-01-01",
		&judge.CheckNode{Name: "not empty", Check: func(i judge.Item) (string, error) {
			if i.Output == "" {
				return "empty", nil
			}
			return "text", nil
		}, Next: map[string]judge.Node{
			"empty": no,
			"text":  &judge.ChoiceNode{Name: "policy", Question: "Does the answer follow the passage?", Next: map[string]judge.Node{"yes": yes, "no": no}},
		}}, &judge.Options{Nonce: fixed})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := graph.Grade(context.Background(), judge.Item{Output: "Within 30 days.", Context: []string{"Within 30 days."}})
	fmt.Println(r.Score, r.Path, err)
	// Output: 1 [{not empty text } {policy yes it quotes the passage}] <nil>
}
