package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route"
)

// machine is a model for the examples: it fails, or has one answer.
type machine struct {
	answer string
	err    error
}

func (m machine) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

func (m machine) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if m.err != nil {
		return nil, m.err
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: m.answer, StopReason: "stop"}}}, nil
}

// The machine is overloaded, so the API answers.
func Example() {
	overloaded := fault.New(fault.ClassOverloaded, errors.New("no room"))
	m, err := route.New([]route.Target{
		{Name: "gpu-1", Model: machine{err: overloaded}, SpillAt: 8},
		{Name: "api", Model: machine{answer: "Hello from the API."}, Tier: 1},
	}, nil)
	if err != nil {
		panic(err)
	}
	text, err := m.Call(context.Background(), "Say hello.")
	fmt.Println(text, err)
	// Output: Hello from the API. <nil>
}

// The new version fails. The stable one answers in its place, and after a few failures
// the rollout is rolled back.
func ExampleCanary() {
	canary, err := route.NewCanary(&route.CanaryOptions{Version: "v2", Steps: []int{10, 50}})
	if err != nil {
		panic(err)
	}
	m, err := route.New([]route.Target{
		{Name: "v1", Model: machine{answer: "an answer"}},
		{Name: "v2", Model: machine{err: fault.New(fault.ClassServerError, nil)}, Canary: true},
	}, &route.Options{Canary: canary})
	if err != nil {
		panic(err)
	}
	for range 100 {
		if _, err := m.Call(context.Background(), "Say hello."); err != nil {
			panic(err)
		}
	}
	s := canary.State()
	fmt.Println(s.Phase, s.Weight(), s.Total.Canary.Failed)
	fmt.Println(s.Reason)
	// Output:
	// failed 0 3
	// rolled back: the canary fails more often than allowed
}
