// Package vllm makes a vLLM server a target of package route: its model, its health,
// and the queue that it reports.
//
//	m, err := vllm.New("http://gpu-1:8000", "llama-3", nil)
//	…
//	target := route.Target{Name: "gpu-1", Model: m, Check: m.Check, Load: m.Load, SpillAt: 8}
//
// The adapter was tested against recorded traffic of vLLM 0.32, and by hand against that
// release on a CPU: answers, streams, usage, errors, choices, and its queue.
//
// # What is different from OpenAI
//
//   - The queue is in /metrics, as vllm:num_requests_waiting. Older releases have other
//     names for the use of the KV cache, and both are read.
//   - The parameters guided_choice and guided_json are ignored with status 200. The
//     name is structured_outputs now, and [WithChoice] checks the answer.
//   - A structured answer can be cut by the token limit, and then isn't JSON.
//   - The code of an error is a number, and param begins with "body.".
//   - An unknown route is 404 with FastAPI's {"detail": …}; a chat model has no route
//     for embeddings.
//   - The prefix cache makes prompts with the same beginning faster on the replica that
//     has seen it: see route.PrefixKey.
package vllm
