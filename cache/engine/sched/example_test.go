package sched_test

import (
	"fmt"
	"log"
	"time"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/sched"
	"github.com/prodailabs/prodai/cache/engine/size"
)

// Three answers of different lengths, in two places: with static batching the third one
// waits for the longest of the first two.
func ExampleSimulate() {
	requests := []sched.Request{
		{ID: "long", Prompt: 20, Output: 100}, {ID: "short", Prompt: 20, Output: 10}, {ID: "next", Prompt: 20, Output: 10},
	}
	cost := func(size.Step) time.Duration { return 10 * time.Millisecond }
	for _, policy := range []sched.Policy{sched.PolicyStatic, sched.PolicyContinuous} {
		pool, err := kv.New(nil)
		if err != nil {
			log.Fatal(err)
		}
		r, err := sched.Simulate(requests, pool, cost, &sched.Options{Policy: policy, Slots: 2})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("the first token of %q comes after %v; %.0f %% of the places were busy\n", r.Jobs[2].ID, r.Jobs[2].First, 100*r.Stats.Share())
	}
	// Output:
	// the first token of "next" comes after 1.01s; 55 % of the places were busy
	// the first token of "next" comes after 110ms; 60 % of the places were busy
}
