// Package fit makes conversations fit into a model's context window.
//
// A conversation grows with every turn and is sent whole every time, so sooner
// or later it doesn't fit. What then goes is a decision about the product, and
// this package makes it in one visible place:
//
//	system ── always stays: it holds the rules
//	 human ┐
//	    ai │ older than what fits: dropped, or summarized
//	 human ┘
//	    ai ┐ calls a tool
//	  tool ┘ and the answer: stay or go together
//	 human ── the newest: must fit, else an error before anything is paid for
//
// [History] does it once, for a list of messages; [Model] wraps a model and does
// it for every call:
//
//	m, err := fit.New(client, &fit.Options{
//		Model:          "gpt-4o",
//		HistoryOptions: fit.HistoryOptions{Tokens: o200k.Encoding().Count, MaxMessageTokens: 4000},
//		Summarize:      cheap,
//	})
//
// [TrimMessages] is langchain's trim_messages, result for result.
//
// # Pitfalls
//
//   - A tool's answer without its call, or a call without its answer, is refused by
//     the provider. langchain's trimming and langchaingo's
//     ConversationTokenBuffer can leave one; History can't.
//   - A summary repeats what users and documents said. As a system message it would
//     speak with the program's authority; here it is a user's message.
//   - Dropping from the front of the prompt changes its beginning, so that the
//     provider's prompt cache misses once for each turn that drops. Drop more at
//     once, by a smaller window here than the model has, and it hits in between.
//   - An image's size is not in its URL, and few models publish what an image costs.
//     It is estimated, never free: see [token.ImageEstimate]. A rule of your own is
//     HistoryOptions.Rule.
package fit
