package tiktoken_test

import (
	"fmt"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/chunk/token/tiktoken"
)

// langchaingo's own count, without the network.
func ExampleUse() {
	tiktoken.Use()
	fmt.Println(llms.CountTokens("gpt-4o", "Counting is exact: この文も。"))
	// Output: 8
}
