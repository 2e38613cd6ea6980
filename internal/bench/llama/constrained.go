package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

const personSchema = `{"type":"object","properties":{"name":{"type":"string","maxLength":60},"age":{"type":"integer","minimum":0,"maximum":130},
"tags":{"type":"array","items":{"type":"string"},"minItems":3,"maxItems":8},"notes":{"type":"string","minLength":40}},
"required":["name","age","tags","notes"],"additionalProperties":false}`

// constrained prints what a grammar adds to the processor time of a token.
func constrained(path string, threads int) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := llama.Load(f, &llama.LoadOptions{Threads: threads})
	if err != nil {
		return err
	}
	tok, err := llama.ReadTokenizer(f)
	if err != nil {
		return err
	}
	lex, err := llama.NewLexicon(tok)
	if err != nil {
		return err
	}
	g, err := llama.NewGrammar([]byte(personSchema))
	if err != nil {
		return err
	}
	prompt := tok.Encode("<|im_start|>user\nDescribe a person as JSON with name, age, tags and notes.<|im_end|>\n<|im_start|>assistant\n", llama.SpecialTokens)
	for _, temperature := range []float64{0, .8} {
		least := [2]float64{math.Inf(1), math.Inf(1)} // without and with
		for round := range uint64(3) {
			for i := range least {
				var mask *llama.Matcher
				if i == 1 {
					if mask, err = llama.NewMatcher(g, lex); err != nil {
						return err
					}
				}
				each, err := perToken(n, prompt, mask, llama.SamplerOptions{Temperature: temperature, TopK: 40, Rand: rand.New(rand.NewPCG(round, 1))})
				if err != nil {
					return err
				}
				least[i] = min(least[i], each)
			}
		}
		fmt.Printf("a grammar at temperature %.1f: %.2f ms a token, %.2f ms without (%+.1f %%)\n", temperature, 1000*least[1], 1000*least[0], 100*(least[1]/least[0]-1))
	}
	return nil
}

// perToken returns the seconds of processor time that a token takes after a prompt.
func perToken(n *llama.Network, prompt []int32, mask *llama.Matcher, o llama.SamplerOptions) (float64, error) {
	sampler, err := llama.NewSampler(&o)
	if err != nil {
		return 0, err
	}
	ctx, c := context.Background(), n.NewCache()
	if _, err := n.Forward(ctx, []llama.Step{{Cache: c, Tokens: prompt[:len(prompt)-1]}}); err != nil {
		return 0, err
	}
	count, from := 0, processorTime()
	for _, err := range n.Generate(ctx, c, prompt[len(prompt)-1:], &llama.GenerateOptions{Sampler: sampler, Mask: mask, MaxTokens: 120}) {
		if err != nil {
			return 0, err
		}
		count++
	}
	return (processorTime() - from).Seconds() / float64(count), nil
}
