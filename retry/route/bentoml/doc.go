// Package bentoml makes a BentoML service a target of package route.
//
//	m, err := bentoml.New("http://bento:3000", &bentoml.Options{TextField: "prompt"})
//	…
//	target := route.Target{Name: "bento", Model: m, Check: m.Check}
//
// The adapter was tested against recorded traffic of BentoML 1.4, and a real one with
// .ci/full engines.
//
// # What is different from OpenAI
//
//   - A service defines its own methods and parameters: their names are options. A
//     service with OpenAI's routes is used with package retry/openai.
//   - A method that yields texts answers with the type text/event-stream, and yet has no
//     events: the texts follow one another as they are. A character may be split.
//   - A stream has no end mark and no stop reason. Only a transfer that is cut is seen.
//   - A missing field is status 400 with pydantic's details.
package bentoml
