package openai_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/openai"
)

// start returns a model whose server is scripted and in memory.
func start(replies ...modeltest.Reply) (*openai.Model, func()) {
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: replies})
	if err != nil {
		panic(err)
	}
	model, err := openai.New("gpt-4o-mini", &openai.Options{BaseURL: server.URL + "/v1", HTTPClient: server.Client(), APIKey: "sk-test"})
	if err != nil {
		panic(err)
	}
	return model, server.Close
}

func Example() {
	model, stop := start(modeltest.Reply{Turn: modeltest.Say("Within 30 days.")})
	defer stop()
	answer, err := model.Call(context.Background(), "When can I return it?", llms.WithTemperature(0))
	fmt.Println(answer, err)
	// Output: Within 30 days. <nil>
}

// What a server sent when it refused a call.
func ExampleError() {
	model, stop := start(modeltest.Reply{Error: modeltest.RateLimited(3 * time.Second)})
	defer stop()
	_, err := model.Call(context.Background(), "When can I return it?")
	var e *openai.Error
	if errors.As(err, &e) {
		wait, asked := e.RetryAfter()
		fmt.Println(e.HTTPStatus(), e.Code(), wait, asked)
	}
	fmt.Println(llms.IsRateLimitError(err))
	// Output:
	// 429 rate_limit_exceeded 3s true
	// true
}

// A stream that is cut is an error, and what was seen isn't lost.
func ExampleError_Partial() {
	model, stop := start(modeltest.Reply{Turn: modeltest.Say("Within 30 days of delivery."), CutAfter: 3})
	defer stop()
	_, err := model.Call(context.Background(), "When can I return it?",
		llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
			fmt.Printf("[%s]", chunk)
			return nil
		}))
	var e *openai.Error
	if errors.As(err, &e) {
		fmt.Printf("\n%v, seen: %q\n", errors.Is(err, openai.ErrIncompleteStream), e.Partial().Choices[0].Content)
	}
	// Output:
	// [Within][ 30]
	// true, seen: "Within 30"
}
