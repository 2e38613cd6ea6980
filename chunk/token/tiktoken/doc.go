// Package tiktoken lets tiktoken-go, and what is built on it, count tokens without
// the network.
//
// # The idea
//
// The package github.com/pkoukk/tiktoken-go downloads the ranks of an encoding when
// it is first asked for them. langchaingo counts with it, in llms.CountTokens and
// in its token splitter; without the network CountTokens logs a warning and returns
// a fourth of the number of characters. [Loader] gives tiktoken-go the ranks that
// are in this module instead.
//
// Importing this package brings the ranks of all encodings, 1.4 MB. For your own
// counts use package token: it is faster, never fails, and treats special tokens in
// a user's text as ordinary text.
//
// # A minimal program
//
// The program's beginning: one call before anything counts.
//
//	func main() {
//		tiktoken.Use() // once
//		// ...
//		n := llms.CountTokens("gpt-4o", text) // exact, without the network
//	}
//
// # Pitfalls
//
//   - Don't call [Use] in a library or while other goroutines count: the loader is
//     a global variable of tiktoken-go without a lock. Do call it once, at the
//     beginning of main. Importing this package sets nothing.
//   - Don't expect [Use] to replace what is loaded: tiktoken-go keeps an encoding
//     that it has downloaded. The ranks are the same.
//   - Don't use CountTokens for newer models: for a name that tiktoken-go has no
//     encoding for, it guesses, with this loader too. Do use chunk/token/openai.
package tiktoken
