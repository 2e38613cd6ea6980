package sample_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/chunk/chunkeval"
	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
)

// Short passages follow the answers more closely: with a perfect ranking they would
// bring less text that isn't part of an answer.
func Example() {
	data, err := sample.Data()
	if err != nil {
		fmt.Println(err)
		return
	}
	q := data.Questions[0]
	at := q.References[0]
	fmt.Println(len(data.Questions), "questions, the first on", q.Corpus)
	fmt.Println(strings.TrimSpace(q.Text))
	fmt.Println("->", data.Corpora[q.Corpus][at.Start:at.End])
	nothing := func(_ context.Context, questions, _ []string) ([][]int, error) {
		return make([][]int, len(questions)), nil
	}
	for _, size := range []int{2000, 500, 125} {
		c, err := chunk.NewSentences(&chunk.Options{Size: size})
		if err != nil {
			fmt.Println(err)
			return
		}
		r, err := chunkeval.Run(context.Background(), data, c, nothing, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%4d characters: %4d passages, omega %.2f\n", size, r.Chunks, r.Mean(chunkeval.PrecisionOmega).Mean)
	}
	// Output:
	// 132 questions, the first on state_of_the_union
	// What significant regulatory changes and proposals has President Biden's administration implemented or announced regarding fees and pricing transparency?
	// -> My administration announced we’re cutting credit card late fees from $32 to $8.
	// 2000 characters:   47 passages, omega 0.13
	//  500 characters:  207 passages, omega 0.39
	//  125 characters:  984 passages, omega 0.88
}
