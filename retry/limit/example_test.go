package limit_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retry/limit"
)

type model struct{ llms.Model }

func (model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{
		Content: "ok", GenerationInfo: map[string]any{"PromptTokens": 500, "CompletionTokens": 500},
	}}}, nil
}

// The weekend's job is stopped at ten dollars.
func ExampleNew() {
	m, err := limit.New(model{}, &limit.Options{
		Quota: limit.Quota{SpendPicoUSD: 10 * limit.USD},
		Cost: func(_ string, r *llms.ContentResponse) (int64, bool) { // a dollar for a thousand tokens
			info := r.Choices[0].GenerationInfo
			return int64(info["PromptTokens"].(int)+info["CompletionTokens"].(int)) * limit.USD / 1000, true
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for calls := 1; ; calls++ {
		_, err := m.Call(context.Background(), "again")
		var e *limit.Error
		if errors.As(err, &e) {
			fmt.Println(calls, "calls,", m.Spent("")/limit.USD, "dollars,", e)
			return
		}
	}
	// Output: 11 calls, 10 dollars, limit: spend: the budget is spent
}

func ExampleRate() {
	now := time.Unix(0, 0)
	store := &limit.Memory{Now: func() time.Time { return now }}
	claim := []limit.Claim{{Key: "k", Rate: limit.Rate{N: 60, Per: time.Minute, Burst: 2}, N: 1}}
	for range 3 {
		d, _ := store.Take(context.Background(), claim, 0)
		fmt.Println(d.OK, d.Remaining, d.Wait)
	}
	// Output:
	// true 1 0s
	// true 0 0s
	// false 0 1s
}

func ExampleSwitch() {
	var off limit.Switch
	m, err := limit.New(model{}, &limit.Options{Switch: &off})
	if err != nil {
		fmt.Println(err)
		return
	}
	off.Stop("", "incident 7: the bill")
	_, err = m.Call(context.Background(), "hi")
	fmt.Println(err)
	// Output: limit: switch: incident 7: the bill
}
