package disk_test

import (
	"context"
	"fmt"
	"os"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/cache/disk"
)

// desk is a model that counts its calls.
type desk struct{ asked int }

func (d *desk) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	d.asked++
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Within 30 days.", StopReason: "stop"}}}, nil
}

func (d *desk) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, d, prompt, options...)
}

// Two runs of a program share the answers of a folder.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "answers")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(folder) }()
	model := &desk{}
	for range 2 {
		store, err := disk.Open(folder, &disk.Options{MaxBytes: 100 << 20})
		if err != nil {
			fmt.Println(err)
			return
		}
		cached, err := cache.New(model, &cache.Options{Model: "desk-1", Store: store})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(cached.Call(context.Background(), "When can I return it?"))
	}
	fmt.Println("asked the model", model.asked, "time")
	// Output:
	// Within 30 days. <nil>
	// Within 30 days. <nil>
	// asked the model 1 time
}
