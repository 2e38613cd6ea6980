package vllm_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/retry/route/internal/replay"
	"github.com/prodailabs/prodai/retry/route/vllm"
)

// A program asks for one of two words, and reads the queue of the server. The answers were
// recorded from vLLM 0.32.
func Example() {
	server := replay.Open("server_vllm.jsonl", "chat_structured_outputs_choice", "metrics")
	defer server.Close()
	m, err := vllm.New(server.URL, "tiny", nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println(m.Call(ctx, "Is the sky blue?", vllm.WithChoice("yes", "no")))
	load, err := m.Load(ctx) // what route.Target.Load reads again and again
	fmt.Println("waiting:", load.Waiting, err)
	// Output:
	// yes <nil>
	// waiting: 0 <nil>
}
