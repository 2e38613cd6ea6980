package main

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// batched prints what sequences gain that decode together: each matrix is read once for
// all of them.
func batched(path string, threads int) error {
	f, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	n, err := llama.Load(f, &llama.LoadOptions{Threads: threads})
	if err != nil {
		return err
	}
	for _, sequences := range []int{1, 4, 16} {
		steps := make([]llama.Step, sequences)
		for i := range steps {
			steps[i] = llama.Step{Cache: n.NewCache(), Tokens: []int32{int32(100 + i)}}
		}
		most := 0.0
		for range 3 {
			speed, _, err := timed(8*sequences, func() error {
				for range 8 {
					if _, err := n.Forward(context.Background(), steps); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			most = max(most, speed)
		}
		fmt.Printf("%2d sequences together: %.0f tokens per processor second\n", sequences, most)
	}
	return nil
}
