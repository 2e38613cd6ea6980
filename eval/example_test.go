package eval_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/eval"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A corpus score with its signature: what to write into a report.
func ExampleScoreCorpus() {
	bleu := must(eval.NewBLEU(nil))
	outputs := []string{"The cat sat on the mat.", "It rains since the morning."}
	references := [][]string{{"The cat is sitting on the mat."}, {"It has been raining since the morning.", "It rains since morning."}}
	fmt.Println(must(eval.ScoreCorpus(context.Background(), bleu, outputs, references)))
	fmt.Println(must(bleu.Corpus(outputs, references)))
	// Output:
	// BLEU|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 58.84
	// BLEU = 58.84 92.3/81.8/55.6/28.6 (BP = 1.000 ratio = 1.000 hyp_len = 13 ref_len = 13)
}

// Where overlap misleads: one word reverses the meaning.
func ExampleBLEU_Score() {
	bleu := must(eval.NewBLEU(&eval.BLEUOptions{EffectiveOrder: true}))
	const reference = "The drug is safe for children."
	for _, output := range []string{
		"The drug is not safe for children.",
		"Children can take this medicine without danger.",
	} {
		fmt.Printf("%5.1f  %s\n", must(bleu.Score(output, reference)).Value, output)
	}
	// Output:
	//  50.0  The drug is not safe for children.
	//   5.5  Children can take this medicine without danger.
}

// Scores with different tokenizers have only the name in common.
func ExampleScore_Minus() {
	score := func(tok string) eval.Score {
		bleu := must(eval.NewBLEU(&eval.BLEUOptions{Tokenizer: must(eval.NewTokenizer(tok))}))
		return must(eval.ScoreCorpus(context.Background(), bleu, []string{"Version 2.0.1 (beta), that's it."}, [][]string{{"Version 2.0.1 (beta) - that is it."}}))
	}
	a, b := score("13a"), score("char")
	fmt.Printf("%.1f %.1f\n", a.Value, b.Value)
	_, err := a.Minus(b)
	fmt.Println(errors.Is(err, eval.ErrSignature))
	// Output:
	// 45.9 80.2
	// true
}

// ROUGE's own tokenizer keeps ASCII only; the Unicode one keeps every script.
func ExampleUnicodeTokenizer() {
	plain := must(eval.NewROUGE(&eval.ROUGEOptions{Types: []string{"rouge1"}}))
	unicode := must(eval.NewROUGE(&eval.ROUGEOptions{Types: []string{"rouge1"}, Tokenizer: eval.UnicodeTokenizer()}))
	for _, text := range []string{"the cat sat", "猫坐在垫子上", "Η γάτα κάθισε"} {
		fmt.Println(must(plain.Score(text, text))[0].F, must(unicode.Score(text, text))[0].F)
	}
	// Output:
	// 1 1
	// 0 1
	// 0 1
}

func ExampleROUGE_Score() {
	rouge := must(eval.NewROUGE(&eval.ROUGEOptions{Stem: true}))
	scores := must(rouge.Score("The cats were sitting on a mat.", "A cat sat on the mat."))
	for i, name := range []string{"rouge1", "rouge2", "rougeL"} {
		fmt.Printf("%s P %.2f R %.2f F %.2f\n", name, scores[i].Precision, scores[i].Recall, scores[i].F)
	}
	// Output:
	// rouge1 P 0.71 R 0.83 F 0.77
	// rouge2 P 0.00 R 0.00 F 0.00
	// rougeL P 0.43 R 0.50 F 0.46
}

func ExampleRanking() {
	judged := map[string]int{"a": 2, "b": 1, "c": 0}
	r := must(eval.Rank(judged, []eval.Retrieved{{ID: "c", Score: 0.9}, {ID: "a", Score: 0.8}, {ID: "x", Score: 0.7}}, 1))
	fmt.Printf("nDCG@3 %.3f  MAP %.3f  MRR %.3f  recall@3 %.1f\n", r.NDCG(3), r.AveragePrecision(0), r.ReciprocalRank(0), r.Recall(3))
	// Output:
	// nDCG@3 0.480  MAP 0.250  MRR 0.500  recall@3 0.5
}

// A metric of one's own is a function.
func ExampleNewMean() {
	polite := must(eval.NewMean(eval.Signature{Metric: "says_please"}, func(_ context.Context, _ *eval.Case, o *eval.Output) (float64, error) {
		if o.Text == "" {
			return 0, eval.Skip("nothing was said")
		}
		if strings.Contains(o.Text, "please") {
			return 1, nil
		}
		return 0, nil
	}))
	score := must(eval.ScoreCorpus(context.Background(), polite, []string{"Wait, please.", "Wait!", ""}, make([][]string, 3)))
	fmt.Println(score, score.Signature.N, score.Skipped)
	// Output:
	// says_please = 0.50 2 1
}
