package llamacpp_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/prodailabs/prodai/retry/fault"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
	"github.com/prodailabs/prodai/retry/route/llamacpp"
)

// The server answers a wrong request with status 500 and the lines of its own code. Here it
// is an error of the request, so that no retry follows. The answer was recorded from
// llama-cpp-python 0.3.36.
func Example() {
	server := replay.Open("server_llamacpp.jsonl", "models", "err_wrong_type")
	defer server.Close()
	m, err := llamacpp.New(server.URL, "tiny", nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println("healthy:", m.Check(ctx) == nil)
	_, err = m.Call(ctx, "Say hello.")
	var e *fault.Error
	if errors.As(err, &e) {
		fmt.Println(e.Class, "retry:", e.Retryable)
	}
	// Output:
	// healthy: true
	// invalid_request retry: false
}
