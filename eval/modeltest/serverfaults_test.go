package modeltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// TestServerFaults plays every fault of the list.
func TestServerFaults(t *testing.T) {
	half := modeltest.Say("half an answer")
	// Over loopback the operating system has its own error for that.
	reset := func(t *testing.T, got exchange) {
		require.Error(t, got.err)
		if !strings.Contains(t.Name(), "loopback") {
			require.ErrorIs(t, got.err, syscall.ECONNRESET)
		}
	}
	long := strings.Repeat("x", 70<<10)
	for _, tt := range []struct {
		name  string
		reply modeltest.Reply
		body  string
		check func(t *testing.T, got exchange)
	}{
		{"status and headers", modeltest.Reply{Error: modeltest.RateLimited(1500 * time.Millisecond), Header: http.Header{"X-Ratelimit-Remaining-Requests": {"0"}}}, plainBody, func(t *testing.T, got exchange) {
			require.Equal(t, 429, got.status)
			require.Equal(t, "2", got.header.Get("Retry-After"))
			require.Equal(t, "1500", got.header.Get("Retry-After-Ms"))
			require.Equal(t, "0", got.header.Get("X-Ratelimit-Remaining-Requests"))
			require.JSONEq(t, `{"error":{"message":"Rate limit reached for requests","type":"requests","param":null,"code":"rate_limit_exceeded"}}`, got.body)
		}},
		{"quota", modeltest.Reply{Error: modeltest.OutOfQuota()}, streamBody, func(t *testing.T, got exchange) {
			require.Equal(t, 429, got.status)
			require.Empty(t, got.header.Get("Retry-After"))
			require.Contains(t, got.body, `"code":"insufficient_quota"`)
		}},
		{"context length", modeltest.Reply{Error: modeltest.ContextTooLong(8192, 9000)}, plainBody, func(t *testing.T, got exchange) {
			require.Equal(t, 400, got.status)
			require.Contains(t, got.body, `maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens`)
		}},
		{"html", modeltest.Reply{Status: 502, Body: []byte("<html>"), Header: http.Header{"Content-Type": {"text/html"}}}, plainBody, func(t *testing.T, got exchange) {
			require.Equal(t, 502, got.status)
			require.Equal(t, "text/html", got.header.Get("Content-Type"))
			require.Equal(t, "<html>", got.body)
		}},
		{"unusual status", modeltest.Reply{Status: 529, Error: modeltest.Overloaded()}, plainBody, func(t *testing.T, got exchange) { require.Equal(t, 529, got.status) }},
		{"error with status 200", modeltest.Reply{Status: 200, Error: modeltest.Overloaded()}, plainBody, func(t *testing.T, got exchange) {
			require.Equal(t, 200, got.status)
			require.Contains(t, got.body, "overloaded")
		}},
		{"malformed JSON", modeltest.Reply{Body: []byte(`{"choices":[`)}, plainBody, func(t *testing.T, got exchange) {
			require.Equal(t, 200, got.status)
			require.False(t, json.Valid([]byte(got.body)))
			require.NoError(t, got.err)
		}},
		{"empty 200", modeltest.Reply{Body: []byte{}}, plainBody, func(t *testing.T, got exchange) {
			require.NoError(t, got.err)
			require.Equal(t, 200, got.status)
			require.Empty(t, got.body)
		}},
		{"cut body", modeltest.Reply{Turn: half, CutBody: 20}, plainBody, func(t *testing.T, got exchange) {
			require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			require.Len(t, got.body, 20)
		}},
		{"content length too long", modeltest.Reply{Body: []byte("{}"), Header: http.Header{"Content-Length": {"100"}}}, plainBody, func(t *testing.T, got exchange) {
			require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
		}},
		{"reset body", modeltest.Reply{Turn: half, CutBody: 20, Reset: true}, plainBody, reset},
		{"drop", modeltest.Reply{Drop: true}, plainBody, func(t *testing.T, got exchange) { require.ErrorIs(t, got.err, io.EOF) }},
		{"drop with reset", modeltest.Reply{Drop: true, Reset: true}, plainBody, reset},
		{"cut stream", modeltest.Reply{Turn: half, CutAfter: 2}, streamBody, func(t *testing.T, got exchange) {
			require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
			require.Len(t, data(got.body), 2)
		}},
		{"error event", modeltest.Reply{Turn: half, StreamError: modeltest.Overloaded()}, streamBody, func(t *testing.T, got exchange) {
			require.NoError(t, got.err)
			lines := data(got.body)
			require.Len(t, lines, 5)
			require.JSONEq(t, `{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error","param":null,"code":"overloaded"}}`, lines[4])
		}},
		{"no done", modeltest.Reply{Turn: half, NoDone: true}, streamBody, func(t *testing.T, got exchange) {
			require.NoError(t, got.err)
			require.NotContains(t, got.body, "[DONE]")
			require.Contains(t, got.body, `"finish_reason":"stop"`)
		}},
		{"no finish reason and no usage", modeltest.Reply{Turn: half, NoFinish: true, NoUsage: true}, streamBody, func(t *testing.T, got exchange) {
			require.NotContains(t, got.body, `"finish_reason":"`)
			require.NotContains(t, got.body, `prompt_tokens`)
			require.Contains(t, got.body, "[DONE]")
		}},
		{"long line", modeltest.Reply{Turn: modeltest.Say(long)}, streamBody, func(t *testing.T, got exchange) {
			require.NoError(t, got.err)
			require.Contains(t, got.body, long)
		}},
		{"raw events", modeltest.Reply{Events: []modeltest.Event{{Data: "data: {broken\n\n"}, {Data: "event: ping\r\n\r\n"}, {Data: "data: caf\xc3"}, {Data: "\xa9\n"}}}, streamBody, func(t *testing.T, got exchange) {
			require.Equal(t, "data: {broken\n\nevent: ping\r\n\r\ndata: café\n", got.body)
		}},
		{"edited", modeltest.Reply{Turn: half, Edit: func(o map[string]any) { o["service_tier"] = "flex" }}, streamBody, func(t *testing.T, got exchange) {
			require.Equal(t, len(data(got.body))-1, strings.Count(got.body, `"service_tier":"flex"`))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, modeltest.ServerOptions{Replies: []modeltest.Reply{tt.reply}}, func(t *testing.T, s *modeltest.Server) {
				tt.check(t, post(t, s, "/v1/chat/completions", tt.body))
			})
		})
	}
}

// TestServerStalls needs virtual time: the waits are hours.
func TestServerStalls(t *testing.T) {
	slow := modeltest.Say("one two three")
	for i := range slow.Chunks {
		slow.Chunks[i].Delay = time.Hour
	}
	for _, tt := range []struct {
		name    string
		reply   modeltest.Reply
		body    string
		err     error
		elapsed time.Duration
		events  int
	}{
		{"before the headers", modeltest.Reply{Stall: true}, plainBody, context.DeadlineExceeded, 10 * time.Hour, 0},
		{"in a plain answer", modeltest.Reply{Turn: modeltest.Turn{Hang: true}}, plainBody, context.DeadlineExceeded, 10 * time.Hour, 0},
		{"in the stream", modeltest.Reply{Turn: modeltest.Turn{Chunks: modeltest.Words("one two"), Hang: true}}, streamBody, context.DeadlineExceeded, 10 * time.Hour, 3},
		{"slow headers", modeltest.Reply{Delay: time.Hour}, plainBody, nil, time.Hour, 0},
		{"slow chunks", modeltest.Reply{Turn: slow}, streamBody, nil, 3 * time.Hour, 7},
		{"slow answer", modeltest.Reply{Turn: slow}, plainBody, nil, 3 * time.Hour, 0},
		{"raw events, then nothing", modeltest.Reply{Events: []modeltest.Event{{Delay: time.Hour, Data: "data: {}\n\n"}}, Turn: modeltest.Turn{Hang: true}}, streamBody, context.DeadlineExceeded, 10 * time.Hour, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, &modeltest.ServerOptions{Replies: []modeltest.Reply{tt.reply}})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
				defer cancel()
				got := postContext(ctx, t, s, "/v1/chat/completions", tt.body)
				require.ErrorIs(t, got.err, tt.err)
				require.Equal(t, tt.elapsed, got.elapsed)
				require.Len(t, data(got.body), tt.events)
				synctest.Wait()
				require.Equal(t, tt.err != nil, s.Requests()[0].Aborted)
				if tt.err != nil {
					require.Zero(t, s.Connections())
				}
			})
		})
	}
}

func TestServerRefusesAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, nil)
		s.Close()
		require.ErrorIs(t, post(t, s, "/v1/chat/completions", plainBody).err, syscall.ECONNREFUSED)
	})
}

func TestServerCloseEndsStalledRequests(t *testing.T) {
	both(t, modeltest.ServerOptions{Replies: []modeltest.Reply{{Stall: true}}}, func(t *testing.T, s *modeltest.Server) {
		done := make(chan error, 1)
		go func() {
			resp, err := s.Client().Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader(plainBody))
			if err == nil {
				err = errors.Join(errors.New("an answer"), resp.Body.Close())
			}
			done <- err
		}()
		for len(s.Requests()) == 0 {
			time.Sleep(time.Millisecond)
		}
		s.Close()
		err := <-done
		require.Error(t, err)
		require.NotContains(t, err.Error(), "an answer")
		require.Zero(t, s.Connections())
	})
}
