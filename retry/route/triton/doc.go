// Package triton makes a Triton server a target of package route, also one with
// TensorRT-LLM, and uses the Open Inference Protocol (KServe v2) for other models.
//
//	m, err := triton.NewModel("http://gpu-2:8000", "ensemble", &triton.Options{MetricsURL: "http://gpu-2:8002/metrics"})
//	…
//	target := route.Target{Name: "gpu-2", Model: m, Check: m.Check, Load: m.Load, SpillAt: 8}
//
// The adapter was tested against recorded traffic of Triton 2.51 with the Python
// backend, and of KServe's Python server 0.21, and both real ones with .ci/full engines.
// The parameters of the TensorRT-LLM backend are those of its documentation; none of its
// traffic was recorded.
//
// # What is different from OpenAI
//
//   - A text model takes a prompt and not messages. Set Options.Prompt to the template
//     that the model was trained with.
//   - A model that sends several responses answers generate with status 200 and an
//     error in the body.
//   - Bad JSON and a bad shape are status 500. Here they are a bad request, so that no
//     retry follows and the target's health doesn't suffer.
//   - An unknown model is 404 with JSON as text/plain; its readiness is 400.
//   - A stream has no end mark and no stop reason. Only a transfer that is cut is seen.
//   - The metrics have a port of their own, 8002.
//   - Tensors may follow the JSON as little-endian bytes, in the order of the inputs.
//     KServe's Python server takes JSON only, and reports a missing field with 422.
package triton
