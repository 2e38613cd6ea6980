package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/eval/modeltest"
)

func TestLab(t *testing.T) {
	for _, model := range []string{"gpt-4o", "gpt-4", "gpt-5-mini", "o3"} {
		var out bytes.Buffer
		l := lab{out: &out, model: model, window: 260, price: 2.5, color: model == "o3"}
		require.NoError(t, l.run("a 🧑‍🚀\n"), model)
		require.Contains(t, out.String(), "dropped: it is older than what fits")
		require.Contains(t, out.String(), "cut: the text has more than 60 tokens")
	}
	var out bytes.Buffer
	l := lab{out: &out, model: "gpt-4o", window: 260}
	require.NoError(t, l.run("x"))
	turn := modeltest.Say("Yes.")
	turn.Usage = &modeltest.Usage{Prompt: 43, Completion: 2}
	require.NoError(t, l.compare(context.Background(), &modeltest.Script{Turns: []modeltest.Turn{turn}}))
	require.Contains(t, out.String(), "counted 41 tokens, billed 43: +2")

	l = lab{out: &bytes.Buffer{}, model: "gpt-9"}
	var unknown *token.UnknownModelError
	require.ErrorAs(t, l.run(""), &unknown)
}
