package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/fault"
)

// A flaky is a model whose first calls fail.
type flaky struct {
	llms.Model
	failures int
}

func (f *flaky) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if f.failures--; f.failures >= 0 {
		return nil, fault.Classify(fault.Response{Status: 503}, time.Now())
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: "hello"}}}, nil
}

func ExampleNew() {
	model, err := retry.New(&flaky{failures: 2}, &retry.Options{
		Sleep: func(context.Context, time.Duration) error { return nil }, // an example doesn't wait
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Call(context.Background(), "hi"))

	model, _ = retry.New(&flaky{failures: 9}, &retry.Options{Sleep: func(context.Context, time.Duration) error { return nil }})
	_, err = model.Call(context.Background(), "hi")
	fmt.Println(err)
	// Output:
	// hello <nil>
	// fault: overloaded (status 503) after 3 attempts
}

// Do retries anything that returns a value and an error.
func ExampleDo() {
	policy, err := retry.NewPolicy(&retry.Options{Backoff: retry.Exponential{Base: time.Microsecond}})
	if err != nil {
		fmt.Println(err)
		return
	}
	tries := 0
	n, err := retry.Do(context.Background(), policy, func(context.Context) (int, error) {
		if tries++; tries < 3 {
			return 0, errors.New("connection reset by peer")
		}
		return 42, nil
	})
	fmt.Println(n, err, tries)
	// Output: 42 <nil> 3
}

func ExampleBreaker() {
	b, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 2, OpenFor: time.Minute})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	for range 2 {
		ticket, _ := b.Allow(now)
		b.Done(now, ticket, retry.Sick)
	}
	_, err = b.Allow(now)
	fmt.Println(b.State(now), errors.Is(err, retry.ErrOpen))
	now = now.Add(2 * time.Minute)
	ticket, err := b.Allow(now) // the probe
	b.Done(now, ticket, retry.Healthy)
	fmt.Println(b.State(now), err)
	// Output:
	// open true
	// closed <nil>
}

// A budget of a tenth: after an outage began, a client that makes a request a
// millisecond makes a retry every ten.
func ExampleNewWindowBudget() {
	b, err := retry.NewWindowBudget(10*time.Second, 0.1, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	now, retries := time.Unix(0, 0), 0
	for range 1000 {
		now = now.Add(time.Millisecond)
		b.Request(now)
		if b.Retry(now) {
			retries++
		}
	}
	fmt.Println(retries, "retries of 1000 requests")
	// Output: 100 retries of 1000 requests
}

// Nobody tells the capacity, 14 calls at once. The limit grows by one a second
// while it is used, and is cut when more than a tenth of the calls are refused:
// a saw around the capacity.
func ExampleAdaptive() {
	a, err := retry.NewAdaptive(&retry.AdaptiveOptions{Initial: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	const capacity = 14
	now := time.Unix(0, 0)
	for range 14 {
		admitted := 0
		for a.Acquire(now) == nil {
			admitted++
		}
		now = now.Add(time.Second)
		for i := range admitted {
			outcome := retry.Healthy
			if i >= capacity {
				outcome = retry.Sick
			}
			a.Release(now, outcome)
		}
		fmt.Print(a.Limit(), " ")
	}
	// Output: 10 11 12 13 14 15 16 11 11 12 13 14 15 16
}

// Two calls at once and nobody waiting: the third is told immediately that
// there is no room, instead of joining a queue that never ends.
func ExampleBulkhead() {
	b, err := retry.NewBulkhead(2, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	fmt.Println(b.Enter(ctx), b.Enter(ctx))
	fmt.Println(errors.Is(b.Enter(ctx), retry.ErrBusy))
	b.Leave()
	fmt.Println(b.Enter(ctx))
	// Output:
	// <nil> <nil>
	// true
	// <nil>
}

// Calls take a second and have ten. As the wait before them grows, batch jobs
// are refused first and people last.
func ExampleShedder() {
	s, err := retry.NewShedder(time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	for _, wait := range []time.Duration{time.Second, 6 * time.Second, 7 * time.Second, 9 * time.Second} {
		fmt.Printf("after %v:", wait)
		for _, p := range []retry.Priority{retry.PriorityLow, retry.PriorityNormal, retry.PriorityHigh} {
			fmt.Print(" ", s.Admit(now, now.Add(10*time.Second), wait, p) == nil)
		}
		fmt.Println()
	}
	// Output:
	// after 1s: true true true
	// after 6s: false true true
	// after 7s: false false true
	// after 9s: false false false
}

// The first attempt has met a replica that doesn't answer. After the delay the
// hedge asks another, and the first is cancelled.
func ExampleHedger() {
	h, err := retry.NewHedger(&retry.HedgerOptions{Delay: time.Millisecond, Share: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := retry.NewPolicy(&retry.Options{Hedger: h})
	if err != nil {
		fmt.Println(err)
		return
	}
	var attempts atomic.Int64
	answer, err := retry.Do(context.Background(), p, func(ctx context.Context) (string, error) {
		if attempts.Add(1) == 1 {
			<-ctx.Done()
			return "", context.Cause(ctx)
		}
		return "an answer", nil
	})
	fmt.Println(answer, err, attempts.Load())
	// Output: an answer <nil> 2
}

// The connection breaks in the middle of an answer. The model is shown what it
// had said and asked to repeat its last words; what it repeats is cut off, and
// the reader hears one answer.
func ExampleResume() {
	next := &modeltest.Script{Turns: []modeltest.Turn{
		{Chunks: modeltest.Words("The tide comes"), Err: io.ErrUnexpectedEOF},
		{Chunks: modeltest.Words("The tide comes in twice a day.")},
	}}
	model, err := retry.New(next, &retry.Options{
		Resume: &retry.Resume{},
		Sleep:  func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "How often does the tide come in?")}
	var heard []string
	answer, err := model.GenerateContent(context.Background(), ask, llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		heard = append(heard, string(chunk))
		return nil
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", heard)
	fmt.Println(answer.Choices[0].Content)
	fmt.Println("resumed:", answer.Choices[0].GenerationInfo[retry.InfoResumed])
	// Output:
	// ["The" " tide" " comes" " in" " twice" " a" " day."]
	// The tide comes in twice a day.
	// resumed: 1
}
