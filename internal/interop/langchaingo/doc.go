// Package langchaingo holds tests of this library against langchaingo's real
// clients. They live here because a client's dependencies must not count as
// those of the package under test.
package langchaingo
