package cache_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/eval/modeltest"
)

func TestModelKeepsTheContract(t *testing.T) {
	modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
		m, err := cache.New(next, nil)
		require.NoError(tb, err)
		return m
	}, &modeltest.Options{MayCache: true})
}
