package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// TestDrain: after the signal /readyz fails while requests are still served; a
// stream that outlasts the grace period ends with an error event.
func TestDrain(t *testing.T) {
	provider, err := modeltest.NewServer(&modeltest.ServerOptions{Loopback: true, Replies: []modeltest.Reply{
		{Turn: modeltest.Say("one two three four five six"), CutAfter: 0, Stall: true, Times: -1}}})
	require.NoError(t, err)
	t.Cleanup(provider.Close)
	t.Setenv("OPENAI_BASE_URL", provider.URL+"/v1")
	t.Setenv("OPENAI_API_KEY", "k")
	t.Setenv("OPENAI_MODEL", "m")
	t.Chdir(t.TempDir())
	ctx, signal := context.WithCancel(t.Context())
	defer signal()
	out, lines := io.Pipe()
	var released sync.WaitGroup
	released.Add(1)
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, released.Done, []string{"serve", "-no-course", "-addr", "127.0.0.1:0", "-drain-delay", "10ms", "-grace", "300ms"}, lines, io.Discard)
		_ = lines.Close()
	}()
	base := ""
	read := bufio.NewScanner(out)
	for base == "" && read.Scan() {
		if _, after, ok := strings.Cut(read.Text(), "http://"); ok {
			base = "http://" + strings.TrimSuffix(after, "/")
		}
	}
	status := func(path string) int {
		resp, err := http.Get(base + path)
		if err != nil {
			return 0
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode
	}
	require.Equal(t, http.StatusOK, status("/readyz"))
	stream := make(chan string, 1)
	go func() {
		resp, err := http.Post(base+"/api/ask", "application/json", strings.NewReader(`{"question":"How long does it take?"}`))
		if err != nil {
			stream <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			body = append(body, err.Error()...)
		}
		stream <- string(body)
	}()
	require.Eventually(t, func() bool { return len(provider.Requests()) > 0 }, time.Minute, 5*time.Millisecond)
	signal()
	released.Wait() // a second signal would end the program now
	// It goes on when its words are read.
	require.Eventually(t, func() bool { return status("/readyz") == http.StatusServiceUnavailable }, time.Minute, time.Millisecond)
	require.Equal(t, http.StatusOK, status("/livez"), "still served")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	require.Contains(t, <-stream, `"code":"stopping"`)
	require.ErrorContains(t, <-ended, "answers in progress were cut")
	require.Zero(t, status("/livez"))
}
