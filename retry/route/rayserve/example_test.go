package rayserve_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/retry/route/internal/replay"
	"github.com/prodailabs/prodai/retry/route/rayserve"
)

// A program checks the health of an application, and asks it. The answers were recorded
// from Ray Serve 2.60.
func Example() {
	server := replay.Open("server_ray_bento.jsonl", "healthz", "chat")
	defer server.Close()
	m, err := rayserve.New(server.URL, "ray-1", nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println("healthy:", m.Check(ctx) == nil)
	fmt.Println(m.Call(ctx, "hello ray"))
	// Output:
	// healthy: true
	// You said: hello ray <nil>
}
