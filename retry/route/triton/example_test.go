package triton_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/retry/route/internal/replay"
	"github.com/prodailabs/prodai/retry/route/triton"
)

// A text model and one of tensors on the same server. The answers were recorded from Triton
// 2.51.
func Example() {
	server := replay.Open("server_triton.jsonl", "generate", "infer")
	defer server.Close()
	m, err := triton.NewModel(server.URL, "ensemble", nil)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	fmt.Println(m.Call(ctx, "What is machine learning?"))
	square := func(name string, values ...float64) triton.Tensor {
		return triton.Tensor{Name: name, Datatype: "FP32", Shape: []int64{2, 2}, Floats: values}
	}
	r, err := m.Infer(ctx, "add_sub", &triton.InferRequest{Inputs: []triton.Tensor{square("a", 1, 2, 3, 4), square("b", 10, 20, 30, 40)}})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Output("sum").Floats)
	// Output:
	// You said: What is machine learning? <nil>
	// [11 22 33 44]
}
