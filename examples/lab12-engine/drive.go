package main

import (
	"context"
	"fmt"
	"io"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
	"github.com/prodailabs/prodai/cache/engine/sched"
)

var questions = []string{
	"What is a token?", "A cache keeps the answers", "The queue is full when", "If the model fails", "An error says", "Why is the first token slow?",
	"The number of requests", "A guard stops", "The index finds", "Each test runs", "A retry waits", "The price of a call",
}

// drive lets the same scheduler drive the tiny model: twelve requests, one at a time and
// together. The texts are equal; the number of passes is not.
func drive(ctx context.Context, out io.Writer) error {
	file := tiny.Target()
	net, err := llama.Load(file, nil)
	if err != nil {
		return err
	}
	tok, err := llama.ReadTokenizer(file)
	if err != nil {
		return err
	}
	var requests []sched.Request
	for i, q := range questions {
		var tokens []int
		for _, id := range tok.Prompt(q, llama.SpecialText) {
			tokens = append(tokens, int(id))
		}
		requests = append(requests, sched.Request{ID: fmt.Sprint(i), Tokens: tokens, Output: 30 + 5*(i%4)})
	}
	fmt.Fprintln(out, "\nThe same scheduler drives a real model of a million weights: twelve requests")
	fmt.Fprintln(out, "   at once   passes of the model   tokens a pass")
	var texts []string
	for _, slots := range []int{1, 4, 12} {
		pool, err := kv.New(&kv.Options{Blocks: 64, BlockSize: llama.PageTokens})
		if err != nil {
			return err
		}
		engine, err := net.Engine(pool, nil)
		if err != nil {
			return err
		}
		r, err := sched.Run(ctx, requests, pool, engine, &sched.Options{Slots: slots})
		if err != nil {
			return err
		}
		tokens, text := 0, ""
		for _, j := range r.Jobs {
			tokens += len(j.Generated)
			ids := make([]int32, len(j.Generated))
			for i, id := range j.Generated {
				ids[i] = int32(id)
			}
			text += tok.Decode(ids) + "\n"
		}
		texts = append(texts, text)
		if text != texts[0] {
			return fmt.Errorf("the answers with %d requests at once differ", slots)
		}
		fmt.Fprintf(out, "   %7d %21d %15.1f\n", slots, r.Stats.Steps, float64(tokens)/float64(r.Stats.Steps))
	}
	fmt.Fprintln(out, "   All answers are equal, to the last token.")
	return nil
}
