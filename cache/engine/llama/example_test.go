package llama_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache/engine/llama"
	"github.com/prodailabs/prodai/cache/engine/llama/tiny"
)

// A model that can only write JSON of the schema, whatever it has learned.
func Example() {
	m, err := llama.New(tiny.Target(), nil)
	if err != nil {
		log.Fatal(err)
	}
	schema := map[string]any{
		"type":       "object",
		"properties": map[string]any{"retry": map[string]any{"type": "boolean"}},
		"required":   []string{"retry"},
	}
	text, err := m.Call(context.Background(), "Status 429 means", llms.WithMetadata(map[string]any{
		llama.MetadataResponseFormat: map[string]any{"type": "json_schema", "json_schema": map[string]any{"schema": schema}},
	}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.HasPrefix(text, `{"retry":`), strings.HasSuffix(text, "e}"))
	// Output: true true
}

// The tokens of a text, and what the model expects after it.
func ExampleNetwork_Forward() {
	file := tiny.Target()
	net, err := llama.Load(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	tok, err := llama.ReadTokenizer(file)
	if err != nil {
		log.Fatal(err)
	}
	logits, err := net.Forward(context.Background(), []llama.Step{{
		Cache:  net.NewCache(),
		Tokens: tok.Prompt("It is safe for concurrent", llama.SpecialText),
	}})
	if err != nil {
		log.Fatal(err)
	}
	greedy, err := llama.NewSampler(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", tok.Bytes(greedy.Sample(logits[0][0])))
	// Output: " use"
}
