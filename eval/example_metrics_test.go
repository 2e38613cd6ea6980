package eval_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prodailabs/prodai/eval"
)

// The two sides of a mistake: precision and recall, on the best reference.
func ExampleTokenF1() {
	f1 := must(eval.NewTokenF1(nil))
	score := must(eval.ScoreCorpus(context.Background(), f1, []string{"in July 1969", "guilty"}, [][]string{{"1969", "July 1969"}, {"not guilty"}}))
	fmt.Printf("%.3f\n", score.Value)
	// Output:
	// 0.733
}

// A short run of words moved as one costs one edit.
func ExampleTER_Score() {
	fmt.Printf("%.1f\n", must(must(eval.NewTER(nil)).Score("on the mat the cat sat", "the cat sat on the mat")))
	// Output:
	// 16.7
}

func ExampleMETEOR_Score() {
	synonyms := eval.SynonymMap(map[string][]string{"car": {"auto", "automobil"}})
	for _, o := range []*eval.METEOROptions{nil, {Synonyms: synonyms}} {
		m := must(eval.NewMETEOR(o))
		fmt.Printf("%.3f\n", m.Score(strings.Fields("he parks the car"), strings.Fields("he parked the automobile")))
	}
	// Output:
	// 0.736
	// 0.992
}

// Any embedder can be used; this one knows three words.
func ExampleEmbedTokens() {
	known := map[string][]float32{"good": {1, 0.1}, "great": {1, 0.2}, "bad": {-1, 0.1}}
	vectors := must(eval.EmbedTokens(embedder(func(w string) []float32 { return known[w] }), nil))
	m := must(eval.NewBERTScore(vectors, &eval.BERTScoreOptions{Model: "three-words"}))
	for _, output := range []string{"great", "bad"} {
		score := must(eval.ScoreCorpus(context.Background(), m, []string{output}, [][]string{{"good"}}))
		fmt.Printf("%-5s %.2f\n", output, score.Value)
	}
	// Output:
	// great 1.00
	// bad   -0.98
}

type embedder func(word string) []float32

func (e embedder) EmbedDocuments(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = e(t)
	}
	return out, nil
}

func (e embedder) EmbedQuery(_ context.Context, text string) ([]float32, error) { return e(text), nil }

// Errors of a transcription, by kind.
func ExampleWER_Align() {
	a := must(eval.NewWER(nil)).Align("the cat sat on the mat", "the cat sit on the mat today")
	fmt.Printf("%v: WER %.2f\n", a, a.ErrorRate())
	// Output:
	// 5 hits, 1 substitutions, 1 insertions, 0 deletions: WER 0.33
}

// Structured output: the order of fields and the spelling of numbers don't
// count, prose around the JSON doesn't either.
func ExampleJSONMatch() {
	reference := []string{`{"name":"Ann","age":30,"langs":["en","no"]}`}
	outputs := []string{
		"```json\n{\"langs\": [\"en\", \"no\"], \"age\": 3e1, \"name\": \"Ann\"}\n```",
		`{"name":"Ann","age":31,"langs":["en","no"]}`,
		`I don't know.`,
	}
	for _, o := range []*eval.JSONMatchOptions{nil, {Partial: true}} {
		m := must(eval.NewJSONMatch(o))
		for _, out := range outputs {
			fmt.Printf("%.2f ", must(eval.ScoreCorpus(context.Background(), m, []string{out}, [][]string{reference})).Value)
		}
		fmt.Println(m.Signature().Metric)
	}
	// Output:
	// 1.00 0.00 0.00 json_match
	// 1.00 0.75 0.00 json_f1
}

// An agent's path: strict, or with other calls allowed in between.
func ExampleToolMatch() {
	want := []eval.Call{{Name: "search", Arguments: `{"q":"oslo"}`}, {Name: "book", Arguments: `{"id":7}`}}
	got := []eval.Call{want[0], {Name: "think"}, want[1]}
	for _, mode := range []eval.ToolMode{eval.ToolsExact, eval.ToolsInOrder, eval.ToolsF1} {
		m := must(eval.NewToolMatch(&eval.ToolMatchOptions{Mode: mode}))
		table := must(eval.NewTable(m))
		if err := table.Add(context.Background(), &eval.Case{Calls: want}, &eval.Output{Calls: got}); err != nil {
			panic(err)
		}
		fmt.Printf("%s %.1f\n", mode, must(table.Score()).Value)
	}
	// Output:
	// exact 0.0
	// in_order 1.0
	// f1 0.8
}

// The chance of one right answer in five, and the chance that all five are right.
func ExamplePassAtK() {
	fmt.Printf("pass@1 %.2f  pass@5 %.2f  pass^5 %.2f\n", must(eval.PassAtK(10, 6, 1)), must(eval.PassAtK(10, 6, 5)), must(eval.PassHatK(10, 6, 5)))
	// Output:
	// pass@1 0.60  pass@5 1.00  pass^5 0.02
}

// A classifier that always says "fine" looks good to accuracy alone.
func ExampleConfusion() {
	truth := append(strings.Fields(strings.Repeat("fine ", 95)), strings.Fields(strings.Repeat("fraud ", 5))...)
	always := strings.Fields(strings.Repeat("fine ", 100))
	c := must(eval.NewConfusion([]string{"fine", "fraud"}, truth, always))
	fmt.Printf("accuracy %.2f  balanced %.2f  MCC %.2f  macro F1 %.2f\n",
		c.Accuracy(), c.BalancedAccuracy(), c.MCC(), must(c.Average(eval.AverageMacro, nil)).F)
	// Output:
	// accuracy 0.95  balanced 0.50  MCC 0.00  macro F1 0.49
}

// A model that is always 90 % sure and right in half the cases.
func ExampleCalibrationError() {
	right := []bool{true, false, true, false}
	ece, mce := eval.CalibrationError(must(eval.Calibration(right, []float64{0.9, 0.9, 0.9, 0.9}, 10)))
	fmt.Printf("ECE %.2f, MCE %.2f, Brier %.2f\n", ece, mce, must(eval.BrierScore(right, []float64{0.9, 0.9, 0.9, 0.9})))
	// Output:
	// ECE 0.40, MCE 0.40, Brier 0.41
}

// "p95 <= 2s" as a share, which adds up over slices.
func ExampleNewLatencyWithin() {
	within := must(eval.NewLatencyWithin(2 * time.Second))
	table := must(eval.NewTable(within))
	for _, d := range []time.Duration{800, 1200, 900, 4000} {
		if err := table.Add(context.Background(), &eval.Case{}, &eval.Output{Latency: d * time.Millisecond}); err != nil {
			panic(err)
		}
	}
	fmt.Println(must(table.Score()))
	// Output:
	// within|budget:2s = 0.75
}
