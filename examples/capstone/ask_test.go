package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// answer runs a command line and returns what it writes.
func answer(t *testing.T, args ...string) string {
	t.Helper()
	t.Chdir(t.TempDir()) // away from a collection that may lie here
	var out strings.Builder
	require.NoError(t, run(t.Context(), func() {}, args, &out, io.Discard))
	return out.String()
}

// TestAskShowsSources: an answer comes with the places that it cites.
func TestAskShowsSources(t *testing.T) {
	out := answer(t, "ask", "What is a circuit breaker?")
	require.Contains(t, out, "circuit breaker")
	require.Regexp(t, `\n\[\d\] retry.*  \(\w+\)\n    retry/\S+, (bytes \d+-\d+|redacted)\n    \S`, out)
	require.NotContains(t, out, rag.NearestLine)
}

// TestAskRefusesSoftly: a question without an answer gets the nearest passages, with
// the offline model and with another one.
func TestAskRefusesSoftly(t *testing.T) {
	const question = "Which football team has the best circuit breaker in its stadium kitchen?"
	t.Run("offline", func(t *testing.T) { nearby(t, answer(t, "ask", "Who won the world cup?")) })
	t.Run("a provider", func(t *testing.T) {
		provider(t, rag.UnknownAnswer)
		out := answer(t, "ask", question)
		nearby(t, out)
		require.Contains(t, out, "retry")
	})
	t.Run("a provider that lists them itself", func(t *testing.T) {
		provider(t, rag.UnknownAnswer+" "+rag.NearestLine+"\n\n- One thing. [2]")
		out := answer(t, "ask", question)
		nearby(t, out)
		require.Contains(t, out, "\n[2] ")
		require.NotContains(t, out, "\n[1] ", "what is listed has its place below, and nothing else")
	})
	t.Run("no documents", func(t *testing.T) {
		require.Contains(t, answer(t, "ask", "-no-course", "Who won?"), "capstone ingest FOLDER")
	})
}

// provider lets a scripted model answer in the place of the offline one.
func provider(t *testing.T, answer string) {
	t.Helper()
	p, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{{Turn: modeltest.Say(answer), Times: -1}}, Loopback: true})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	t.Setenv("OPENAI_BASE_URL", p.URL+"/v1")
	t.Setenv("OPENAI_API_KEY", "k")
	t.Setenv("OPENAI_MODEL", "scripted-1")
}

func nearby(t *testing.T, out string) {
	t.Helper()
	require.True(t, strings.HasPrefix(out, rag.UnknownAnswer), out)
	require.Equal(t, 1, strings.Count(out, rag.NearestLine), out)
	require.Regexp(t, `\n\[\d\] .+  \((very close|close|related|far)\)\n    \S+, (bytes \d+-\d+|redacted)\n`, out)
}
