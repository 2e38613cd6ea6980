package modeltest_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func TestPassThrough(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &pass{base{next}} }, nil)
}

func TestTap(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &tap{base: base{next}} }, nil)
}

func TestRetrying(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &retrying{base{next}} }, &modeltest.Options{MayRetry: true})
}

func TestCaching(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &caching{base: base{next}} }, &modeltest.Options{MayCache: true})
}

func TestRewriting(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &rewriting{base{next}} }, &modeltest.Options{MayRewrite: true, MayRechunk: true})
}

func TestRechunking(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model { return &sentences{base{next}} }, &modeltest.Options{MayRechunk: true})
}

// TestRouter sets an option of its own, and says so.
func TestRouter(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model {
		return &mutant{base: base{next}, generate: with(func(llms.CallOptions) []llms.CallOption {
			return []llms.CallOption{llms.WithModel("the cheap one")}
		})}
	}, &modeltest.Options{MaySet: []string{"Model"}})
}

// TestDocStatesEveryRule holds the package comment to the suite.
func TestDocStatesEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, name := range modeltest.RuleNames() {
		require.Contains(t, string(doc), name)
	}
}

// TestStack holds the contract's promise: wrappers that keep it compose to one
// that keeps it.
func TestStack(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model {
		return &tap{base: base{&rewriting{base{&caching{base: base{&retrying{base{&pass{base{next}}}}}}}}}}
	}, &modeltest.Options{MayCache: true, MayRetry: true, MayRewrite: true, MayRechunk: true})
}
