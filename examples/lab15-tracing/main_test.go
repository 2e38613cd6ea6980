package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(nil, &out, io.Discard))
	text := out.String()
	require.Regexp(t, `1 \|█+\| invoke_workflow support`, text)
	require.Regexp(t, `3 \|.*\|   chat gpt-4o-mini .*ERROR 429`, text)
	require.Regexp(t, `4 \|.*\|   chat gpt-4o-mini .*1200→80 tokens \(1024 cached\)  151200000 pico-USD  retry of line 3`, text)
	require.Contains(t, text, "Prompt support@7: 2 calls, 1 failed, $0.0001512")
	require.Regexp(t, `redaction false  the address appears [1-9]\d* times`, text)
	require.Regexp(t, `redaction true   the address appears 0 times`, text)
	require.Regexp(t, regexp.MustCompile(`kept \d{2,3} of 5000 traces: \d+ error \d+ expensive 1[0-9] rare \d+ chance`), text)
	require.Error(t, run([]string{"extra"}, io.Discard, io.Discard))
}

// TestPhoenix: the second command sends the trace.
func TestPhoenix(t *testing.T) {
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths = append(paths, r.URL.Path) }))
	defer server.Close()
	require.NoError(t, run([]string{"-phoenix", server.URL}, io.Discard, io.Discard))
	require.Equal(t, []string{"/v1/traces"}, paths)
}
