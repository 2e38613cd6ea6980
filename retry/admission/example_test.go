package admission_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prodailabs/prodai/retry"
	"github.com/prodailabs/prodai/retry/admission"
)

// A circuit breaker around a call that fails.
func Example() {
	breaker, err := retry.NewBreaker(&retry.BreakerOptions{Failures: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	call := func() error { return errors.New("the target is down") }
	for range 3 {
		permit, err := breaker.TryAcquire(time.Now())
		if err != nil {
			fmt.Println("refused:", errors.Is(err, retry.ErrOpen))
			continue
		}
		outcome := admission.OutcomeHealthy
		if err := call(); err != nil {
			fmt.Println("called:", err)
			outcome = admission.OutcomeUnhealthy
		}
		permit.Done(time.Now(), outcome)
	}
	// Output:
	// called: the target is down
	// called: the target is down
	// refused: true
}

// Hours is a gate that admits calls in the hours of work.
type Hours struct{ from, to int }

func (h *Hours) Acquire(context.Context) (admission.Permit, error) {
	if now := time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC); now.Hour() < h.from || now.Hour() >= h.to {
		return admission.Permit{}, errors.New("the office is closed")
	}
	return admission.NewPermit(h, 0), nil
}

// Done and Cancel have nothing to give back.
func (h *Hours) Done(time.Time, admission.Held, admission.Outcome) {}
func (h *Hours) Cancel(time.Time, admission.Held)                  {}

// A gate of your own, in a policy.
func ExampleGate() {
	policy, err := retry.NewPolicy(&retry.Options{Gates: []admission.Gate{&Hours{from: 8, to: 18}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = retry.Do(context.Background(), policy, func(context.Context) (int, error) { return 42, nil })
	fmt.Println(err)
	// Output: fault: overloaded: the office is closed
}
