// Package tiktoken lets tiktoken-go, and what is built on it, count without the
// network.
//
// The package github.com/pkoukk/tiktoken-go downloads the ranks of an encoding
// when it is first asked for them. langchaingo counts with it, in llms.CountTokens
// and in its token splitter; without the network CountTokens logs a warning and
// returns a fourth of the characters. [Loader] gives tiktoken-go the ranks that are
// in this module instead:
//
//	func main() {
//		tiktoken.Use() // once, before anything counts
//		...
//		n := llms.CountTokens("gpt-4o", text) // exact, without the network
//	}
//
// Importing the package brings the ranks of all encodings, 1.4 MB. For your own
// counts use package token: it is faster, never fails, and takes special tokens in
// a user's text for ordinary text.
//
// # Pitfalls
//
//   - The loader is a global variable of tiktoken-go, without a lock: set it once,
//     at the beginning of main, never in a library. This package sets nothing when
//     it is imported.
//   - tiktoken-go keeps what it has loaded. An encoding that was downloaded before
//     [Use] stays as it is; the ranks are the same.
//   - CountTokens doesn't know newer models: for a name that tiktoken-go has no
//     encoding for, it guesses, with this loader too. Package openai has the
//     encodings of those.
package tiktoken
