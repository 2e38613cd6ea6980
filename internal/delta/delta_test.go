package delta

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromReadsTheInnermost(t *testing.T) {
	ctx := context.Background()
	require.Equal(t, Delta{}, From(ctx))
	ctx = With(ctx, Delta{Text, 1})
	require.Equal(t, Delta{Text, 1}, From(ctx))
	require.Equal(t, Delta{Tool, 0}, From(With(ctx, Delta{Tool, 0})))
}

func TestContextsAllocateOncePerKind(t *testing.T) {
	c := NewContexts(context.Background())
	first := c.Of(Delta{Text, 0})
	require.Equal(t, Delta{Text, 0}, From(first))
	require.Equal(t, Delta{Reasoning, 2}, From(c.Of(Delta{Reasoning, 2})))
	require.Zero(t, testing.AllocsPerRun(100, func() { c.Of(Delta{Text, 0}) }))
}

func TestKindNames(t *testing.T) {
	require.Equal(t, "unknown text reasoning tool", Unknown.String()+" "+Text.String()+" "+Reasoning.String()+" "+Tool.String())
}
