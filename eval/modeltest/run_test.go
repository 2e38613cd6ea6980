package modeltest_test

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

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

// TestWorker has goroutines of its own, one from the start and one from the
// first call, that end with the test and not with a call.
func TestWorker(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		done := make(chan struct{})
		work := func() {
			ticker := time.NewTicker(time.Second)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
				case <-done:
					return
				}
			}
		}
		tb.Cleanup(func() { close(done) })
		go work()
		var once sync.Once
		return &mutant{base: base{next}, generate: func(ctx context.Context, m *mutant, messages []llms.MessageContent, options []llms.CallOption) (*llms.ContentResponse, error) {
			once.Do(func() { go work() })
			return plain(ctx, m, messages, options)
		}}
	}, nil)
}

// TestRouter: a wrapper that sets an option, named in MaySet.
func TestRouter(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model {
		return &mutant{base: base{next}, generate: with(func(llms.CallOptions) []llms.CallOption {
			return []llms.CallOption{llms.WithModel("the cheap one")}
		})}
	}, &modeltest.Options{MaySet: []string{"Model"}})
}

// TestDocStatesEveryRule compares the package comment with the suite.
func TestDocStatesEveryRule(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	for _, name := range modeltest.RuleNames() {
		require.Contains(t, string(doc), name)
	}
}

// TestStack: a stack of wrappers that keep the contract keeps it too.
func TestStack(t *testing.T) {
	modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model {
		return &tap{base: base{&rewriting{base{&caching{base: base{&retrying{base{&pass{base{next}}}}}}}}}}
	}, &modeltest.Options{MayCache: true, MayRetry: true, MayRewrite: true, MayRechunk: true})
}

// TestMaySetNamesFields: a misspelled name would have no effect and no error.
func TestMaySetNamesFields(t *testing.T) {
	require.NoError(t, modeltest.CheckOptions(&modeltest.Options{MaySet: []string{"Model", "Seed"}}))
	err := modeltest.CheckOptions(&modeltest.Options{MaySet: []string{"NoSuchField"}})
	require.ErrorIs(t, err, modeltest.ErrOption)
	require.ErrorContains(t, err, `"NoSuchField"`)
}
