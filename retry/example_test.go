package retry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry"
)

// Three responses with the same status, and what to do about each.
func ExampleClassify() {
	for _, body := range []string{
		`{"error":{"code":"rate_limit_exceeded","message":"Limit 3, Used 3, Requested 1. Please try again in 20s."}}`,
		`{"error":{"code":"rate_limit_exceeded","message":"Limit 30000, Requested 35000."}}`,
		`{"error":{"code":"insufficient_quota","message":"You exceeded your current quota."}}`,
	} {
		e := retry.Classify(retry.Response{Status: 429, Body: []byte(body)}, time.Now())
		fmt.Println(e.Class.Refusal(), e.Class, "retry:", e.Retryable, "elsewhere:", e.Fallback, e.Delay)
	}
	// Output:
	// wait rate_limit retry: true elsewhere: true 20s
	// cap request_too_large retry: false elsewhere: true 0s
	// stop quota retry: false elsewhere: true 0s
}

func ExampleRetryAfter() {
	now := time.Date(2026, 9, 21, 14, 13, 20, 0, time.UTC)
	for _, value := range []string{"7", "0.5", "Mon, 21 Sep 2026 14:14:20 GMT", "-1", "99999999999999999999"} {
		d, ok := retry.RetryAfter(http.Header{"Retry-After": {value}}, now)
		fmt.Println(d, ok)
	}
	// Output:
	// 7s true
	// 500ms true
	// 1m0s true
	// 0s false
	// 2562047h47m16.854775807s true
}

// A flaky is a model whose first calls fail.
type flaky struct {
	llms.Model
	failures int
}

func (f *flaky) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	if f.failures--; f.failures >= 0 {
		return nil, retry.Classify(retry.Response{Status: 503}, time.Now())
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
	// retry: overloaded (status 503) after 3 attempts
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
