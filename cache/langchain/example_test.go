package langchain_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"
	lc "github.com/tmc/langchaingo/llms/cache"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/langchain"
)

type desk struct{ asked int }

func (d *desk) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	d.asked++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Within 30 days.", StopReason: "stop"}}}, nil
}

func (d *desk) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, d, prompt, options...)
}

// Langchaingo's Cacher keeps its answers in a store of package cache.
func ExampleNewBackend() {
	store, err := cache.NewMemory(1 << 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	backend, err := langchain.NewBackend(store, "desk-1", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := &desk{}
	cacher := lc.New(model, backend)
	for range 2 {
		fmt.Println(llms.GenerateFromSinglePrompt(context.Background(), cacher, "When can I return it?"))
	}
	fmt.Println("asked the model", model.asked, "time")
	// Output:
	// Within 30 days. <nil>
	// Within 30 days. <nil>
	// asked the model 1 time
}
