// Package bedrock makes a model of Amazon Bedrock a target of package route, by the
// operations InvokeModel and InvokeModelWithResponseStream. It signs requests itself and
// needs no SDK.
//
//	m, err := bedrock.New("us-east-1", "anthropic.claude-3-haiku-20240307-v1:0", bedrock.Keys(id, secret, ""), nil)
//	…
//	target := route.Target{Name: "bedrock", Model: m, Tier: 1, WindowTokens: 200_000}
//
// The adapter was tested against recorded requests of langchaingo's client for four model
// families; Nova and Titan, and the streams of families other than Anthropic's, follow
// their documentation. Only texts are sent: a call with tools or images is refused.
//
// # What is different from OpenAI
//
//   - Each family has its own JSON, and the model's id decides which. The id may begin with
//     a region, as that of an inference profile does ("us.anthropic.…").
//   - Llama has no messages, only a prompt with its own template. Cohere's Command and AI21's
//     Jurassic take a plain text.
//   - A colon of the id is %3A in the path, and the signature covers it encoded once more.
//   - A request is signed with the time, so a clock that is wrong by five minutes is an
//     error of class auth.
//   - A stream has binary frames with checksums (application/vnd.amazon.eventstream). An
//     exception may come as a frame of a success.
//   - A refusal by a rate limit is status 429 or 400 with ThrottlingException; the name of
//     the exception is in a header.
//   - There is no health check and no queue.
package bedrock
