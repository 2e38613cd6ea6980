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
	"github.com/prodailabs/prodai/retry/admission"
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
		permit, _ := b.TryAcquire(now)
		permit.Done(now, admission.OutcomeUnhealthy)
	}
	_, err = b.TryAcquire(now)
	fmt.Println(b.State(now), errors.Is(err, retry.ErrOpen))
	now = now.Add(2 * time.Minute)
	probe, err := b.TryAcquire(now)
	probe.Done(now, admission.OutcomeHealthy)
	fmt.Println(b.State(now), err)
	// Output:
	// open true
	// closed <nil>
}

// A budget of a tenth: after an outage began, a client that makes a request a
// millisecond makes a retry every ten.
func ExampleNewWindowBudget() {
	b, err := retry.NewWindowBudget(&retry.WindowBudgetOptions{PerSecond: -1})
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

// The capacity, 14 calls at once, isn't known to the limit. It grows by one a
// second while it is used, and is cut when more than a tenth of the calls are
// refused: the limit goes up and down around the capacity.
func ExampleAdaptive() {
	a, err := retry.NewAdaptive(&retry.AdaptiveOptions{Initial: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	const capacity = 14
	now := time.Unix(0, 0)
	for range 14 {
		var permits []admission.Permit
		for {
			permit, err := a.TryAcquire(now)
			if err != nil {
				break
			}
			permits = append(permits, permit)
		}
		now = now.Add(time.Second)
		for i, permit := range permits {
			outcome := admission.OutcomeHealthy
			if i >= capacity {
				outcome = admission.OutcomeThrottled
			}
			permit.Done(now, outcome)
		}
		fmt.Print(a.Limit(), " ")
	}
	// Output: 10 11 12 13 14 15 16 11 11 12 13 14 15 16
}

// Two calls at once and no queue: the third is refused immediately, instead of
// waiting in a queue that never ends.
func ExampleBulkhead() {
	b, err := retry.NewBulkhead(2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	first, err1 := b.Acquire(ctx)
	_, err2 := b.Acquire(ctx)
	fmt.Println(err1, err2)
	_, err = b.Acquire(ctx)
	fmt.Println(errors.Is(err, retry.ErrBusy))
	first.Done(time.Now(), admission.OutcomeHealthy)
	_, err = b.Acquire(ctx)
	fmt.Println(err)
	// Output:
	// <nil> <nil>
	// true
	// <nil>
}

// Calls take one second, and their deadline is ten seconds away. As the wait before
// them grows, batch jobs are refused first, and the calls of people last.
func ExampleShedder() {
	s, err := retry.NewShedder(&retry.ShedderOptions{Service: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Unix(0, 0)
	for _, wait := range []time.Duration{time.Second, 6 * time.Second, 7 * time.Second, 9 * time.Second} {
		fmt.Printf("after %v:", wait)
		for _, p := range []retry.Priority{retry.PriorityLow, retry.PriorityNormal, retry.PriorityHigh} {
			_, err := s.TryAcquire(now, retry.ShedRequest{Deadline: now.Add(10 * time.Second), Wait: wait, Priority: p})
			fmt.Print(" ", err == nil)
		}
		fmt.Println()
	}
	// Output:
	// after 1s: true true true
	// after 6s: false true true
	// after 7s: false false true
	// after 9s: false false false
}

// The first attempt reaches a replica that doesn't answer. After the delay the
// hedge asks another, and the first attempt is canceled.
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

// The connection breaks in the middle of an answer. The model is shown what it had
// said and asked to repeat its last words. What it repeats is cut off, and the
// reader sees one answer.
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
