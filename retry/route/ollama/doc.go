// Package ollama makes a model of an Ollama server a target of package route, by
// Ollama's own API.
//
//	m, err := ollama.New("http://localhost:11434", "llama3.2", &ollama.Options{WindowTokens: 8192})
//	…
//	target := route.Target{Name: "laptop", Model: m, Check: m.Check, WindowTokens: 8192, MaxInFlight: 2}
//
// The adapter follows Ollama's published API. No traffic of a real server was recorded.
//
// # What is different from OpenAI
//
//   - A prompt that is longer than the window is cut without an error, and the default
//     window is small. Options.WindowTokens sets it, which OpenAI's routes of Ollama
//     can't.
//   - A stream is JSON lines. The last one has done; without it the answer was cut, and
//     is an error here. An error may come as a line of a success.
//   - The arguments of a tool call are an object and not a text, and a call has no id.
//   - The first call loads the model, which may take a minute. Set KeepAlive, or a long
//     timeout for the first token.
//   - A queue that is full is status 503. The length of the queue isn't reported, so use
//     Target.MaxInFlight.
package ollama
