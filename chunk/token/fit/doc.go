// Package fit makes conversations fit into a model's context window.
//
// # The idea
//
// A conversation grows with every turn and is sent as a whole every time, so at
// some point it doesn't fit. Which messages go then is a decision about the
// product. The picture shows the decision of this package:
//
//	system ── always stays: it has the rules
//	 human ┐
//	    ai │ older than what fits: dropped, or summarized
//	 human ┘
//	    ai ┐ calls a tool
//	  tool ┘ and the answer: stay or go together
//	 human ── the newest: must fit, else an error before anything is paid for
//
// [History] does it once, for a list of messages. [Model] wraps a model and does it
// for every call. [TrimMessages] is LangChain's trim_messages, with the same
// results.
//
// # A minimal program
//
// The program's middle: a model whose calls always fit. Old messages are summarized
// by a cheap model instead of dropped.
//
//	m, err := fit.New(client, &fit.Options{
//		Model:          "gpt-4o",
//		HistoryOptions: fit.HistoryOptions{Tokens: o200k.Encoding().Count, MaxMessageTokens: 4000},
//		Summarize:      cheap,
//	})
//	if err != nil {
//		return err
//	}
//	answer, err := m.GenerateContent(ctx, conversation)
//
// # Pitfalls
//
//   - Don't separate a tool's answer from its call: the provider refuses a request
//     with only one of them. LangChain's trimming and langchaingo's
//     ConversationTokenBuffer can leave one; [History] can't.
//   - Don't put a summary into a system message: it repeats what users and
//     documents wrote, and would have the program's authority. Here it is a user's
//     message.
//   - Don't drop one message a turn from the front: the prompt's beginning then
//     changes each turn, and the provider's prompt cache misses. Do drop more at
//     once, by a smaller window here than the model has.
//   - Don't forget images: their size isn't in their URL, and few models publish
//     what an image costs. It is estimated here, never free: see
//     [token.ImageEstimate]. A rule of your own is HistoryOptions.Rule.
//
// # Questions
//
// How do I shorten a long chat history? To shorten a long chat history, call
// [History] with the messages and a budget of tokens, or wrap the model with [New].
// The system messages and the newest messages stay, older ones are dropped or
// summarized, and Fitted.Dropped lists what is missing and why.
//
// What happens if the newest message alone is too long? If the newest message alone
// is too long, [History] returns a token.OverflowError with the code
// context_length_exceeded, before anything is sent. HistoryOptions.MaxMessageTokens
// cuts the middle out of long messages instead.
//
// Should I drop old messages or summarize them? Drop them if the user seldom refers
// to earlier turns; it costs nothing. Summarize if facts from the beginning matter
// (a name, an order number): it costs a call of a cheap model in the course of the
// call that needs it, and a summary may lose or change a fact.
package fit
