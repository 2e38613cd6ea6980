package cache_test

import (
	"context"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
)

// desk is a model that counts how often it is asked.
type desk struct{ asked int }

func (d *desk) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	d.asked++
	var o llms.CallOptions
	for _, set := range options {
		set(&o)
	}
	if o.StreamingFunc != nil {
		for _, chunk := range []string{"Within ", "30 days."} {
			if err := o.StreamingFunc(ctx, []byte(chunk)); err != nil {
				return nil, err
			}
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "Within 30 days.", StopReason: "stop"}}}, nil
}

func (d *desk) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, d, prompt, options...)
}

func Example() {
	model := &desk{}
	cached, err := cache.New(model, &cache.Options{Model: "desk-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		answer, err := llms.GenerateFromSinglePrompt(context.Background(), cached, "When can I return it?")
		fmt.Println(answer, err)
	}
	s := cached.Stats()
	fmt.Printf("asked the model %d time, %d hits\n", model.asked, s.Hits)
	// Output:
	// Within 30 days. <nil>
	// Within 30 days. <nil>
	// Within 30 days. <nil>
	// asked the model 1 time, 2 hits
}

// A stored stream comes back chunk for chunk.
func Example_streaming() {
	cached, err := cache.New(&desk{}, &cache.Options{Model: "desk-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		_, err := llms.GenerateFromSinglePrompt(context.Background(), cached, "When can I return it?",
			llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
				fmt.Printf("%q ", chunk)
				return nil
			}))
		fmt.Println(err)
	}
	// Output:
	// "Within " "30 days." <nil>
	// "Within " "30 days." <nil>
}

// Two calls that differ only in a trace id are equal. A call that
// asks for a shorter answer is another call.
func ExampleKeyOf() {
	ask := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "Why?")}
	key := func(o ...llms.CallOption) cache.Key {
		k, err := cache.KeyOf(cache.Scope{Model: "m"}, ask, o...)
		if err != nil {
			fmt.Println(err)
		}
		return k
	}
	traced := llms.WithMetadata(map[string]any{"trace_id": "42"})
	fmt.Println(key() == key(traced))
	fmt.Println(key() == key(llms.WithMaxTokens(10)))
	fmt.Println(key() == key(llms.WithTemperature(0)))
	// Output:
	// true
	// false
	// false
}
