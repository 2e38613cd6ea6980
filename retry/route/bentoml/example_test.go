package bentoml_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/route/bentoml"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// A service takes a text and a number of tokens. The answers were recorded from BentoML
// 1.4.39.
func Example() {
	server := replay.Open("server_ray_bento.jsonl", "readyz", "generate")
	defer server.Close()
	m, err := bentoml.New(server.URL, &bentoml.Options{Path: "/generate", TextField: "text", MaxTokensField: "max_tokens"})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println("healthy:", m.Check(ctx) == nil)
	fmt.Println(m.Call(ctx, "hi", llms.WithMaxTokens(4)))
	// Output:
	// healthy: true
	// You said: hi <nil>
}
