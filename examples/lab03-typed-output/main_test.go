package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
)

func none(string) string { return "" }

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-v"}, &out, none))
	assert.Regexp(t, regexp.MustCompile(`all 14 +1 +12 +9 +14`), out.String())
	assert.Contains(t, out.String(), "the lines add up to 60.00")
	assert.Greater(t, strings.Count(out.String(), "  number "), 10, "the value grows")

	out.Reset()
	require.NoError(t, run(t.Context(), []string{"-text", "x"}, &out, none))
	assert.Contains(t, out.String(), `"number": "INV-4711"`)
	assert.Error(t, run(t.Context(), []string{"-nonsense"}, &out, none))
}

func TestRunWithAProvider(t *testing.T) {
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Loopback: true, Replies: []modeltest.Reply{{Turn: modeltest.Say(good)}}})
	require.NoError(t, err)
	defer server.Close()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-text", "x"}, &out, func(name string) string {
		return map[string]string{"OPENAI_BASE_URL": server.URL + "/v1", "OPENAI_API_KEY": "test"}[name]
	}))
	assert.Contains(t, out.String(), `"total": 75.5`)
	assert.Contains(t, string(server.Requests()[0].Body), `"response_format":{"json_schema":{"name":"Invoice"`)
}
