// Package llamacpp makes a server of llama.cpp a target of package route: llama-server,
// or the one of llama-cpp-python.
//
//	m, err := llamacpp.New("http://localhost:8080", "tiny", nil)
//	…
//	target := route.Target{Name: "laptop", Model: m, Check: m.Check, MaxInFlight: 1}
//
// The adapter was tested against recorded traffic of llama-cpp-python 0.3.36. The health
// and the metrics of llama-server are those of its documentation.
//
// # What is different from OpenAI
//
//   - A bad request is status 500 with a stack trace and paths of files in its message.
//     Here it is a bad request, so that no retry follows, and the trace is left out.
//   - An unknown model and missing messages are status 200.
//   - response_format json_schema is refused. It is sent as json_object with a schema.
//   - tool_choice "required" isn't enforced: an answer without a call is an error here.
//   - Streams report no usage.
//   - Embeddings of a generative model come nested, one vector for each token.
package llamacpp
