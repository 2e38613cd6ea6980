package fault_test

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prodailabs/prodai/retry/fault"
)

// Three responses with the same status, and what to do about each.
func ExampleClassify() {
	for _, body := range []string{
		`{"error":{"code":"rate_limit_exceeded","message":"Limit 3, Used 3, Requested 1. Please try again in 20s."}}`,
		`{"error":{"code":"rate_limit_exceeded","message":"Limit 30000, Requested 35000."}}`,
		`{"error":{"code":"insufficient_quota","message":"You exceeded your current quota."}}`,
	} {
		e := fault.Classify(fault.Response{Status: 429, Body: []byte(body)}, time.Now())
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
		d, ok := fault.RetryAfter(http.Header{"Retry-After": {value}}, now)
		fmt.Println(d, ok)
	}
	// Output:
	// 7s true
	// 500ms true
	// 1m0s true
	// 0s false
	// 2562047h47m16.854775807s true
}
