package modeltest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
)

const (
	plainBody  = `{"model":"scripted-1","messages":[{"role":"user","content":"Say hello to Ada."}]}`
	streamBody = `{"model":"scripted-1","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":[{"type":"text","text":"Say hello"},{"type":"text","text":" to Ada."}]}]}`
)

// An exchange is what a client got.
type exchange struct {
	status  int
	header  http.Header
	body    string
	err     error // of the request, or of reading the body
	elapsed time.Duration
}

func post(t *testing.T, s *modeltest.Server, path, body string) exchange {
	t.Helper()
	return postContext(t.Context(), t, s, path, body)
}

func postContext(ctx context.Context, t *testing.T, s *modeltest.Server, path, body string) exchange {
	t.Helper()
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := s.Client().Do(req)
	if err != nil {
		return exchange{err: err, elapsed: time.Since(start)}
	}
	defer func() { require.NoError(t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	return exchange{resp.StatusCode, resp.Header, string(data), err, time.Since(start)}
}

func serve(t *testing.T, o *modeltest.ServerOptions) *modeltest.Server {
	t.Helper()
	s, err := modeltest.NewServer(o)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// both runs a test in memory inside a bubble, and over loopback.
func both(t *testing.T, o modeltest.ServerOptions, f func(t *testing.T, s *modeltest.Server)) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, serve(t, &o)) })
	})
	t.Run("loopback", func(t *testing.T) {
		o.Loopback = true
		f(t, serve(t, &o))
	})
}

// data returns the data lines of a stream.
func data(stream string) []string {
	var out []string
	for line := range strings.Lines(stream) {
		if d, ok := strings.CutPrefix(line, "data: "); ok {
			out = append(out, strings.TrimSpace(d))
		}
	}
	return out
}

func TestServerCompletion(t *testing.T) {
	both(t, modeltest.ServerOptions{}, func(t *testing.T, s *modeltest.Server) {
		for _, path := range []string{"/v1/chat/completions", "/chat/completions", "/openai/v1/chat/completions"} {
			got := post(t, s, path, plainBody)
			require.NoError(t, got.err)
			require.Equal(t, 200, got.status)
			require.Equal(t, "application/json", got.header.Get("Content-Type"))
			require.NotEmpty(t, got.header.Get("X-Request-Id"))
			var answer struct {
				Object, Model string
				Choices       []struct {
					Message      struct{ Role, Content string }
					FinishReason string `json:"finish_reason"`
				}
				Usage struct {
					Prompt int `json:"prompt_tokens"`
					Total  int `json:"total_tokens"`
				}
			}
			require.NoError(t, json.Unmarshal([]byte(got.body), &answer))
			require.Equal(t, "chat.completion", answer.Object)
			require.Equal(t, "scripted-1", answer.Model)
			require.Equal(t, "assistant", answer.Choices[0].Message.Role)
			require.Equal(t, "You said: Say hello to Ada.", answer.Choices[0].Message.Content)
			require.Equal(t, "stop", answer.Choices[0].FinishReason)
			require.Equal(t, 4, answer.Usage.Prompt)
			require.Equal(t, 10, answer.Usage.Total)
		}
		require.Len(t, s.Requests(), 3)
	})
}

func TestServerStream(t *testing.T) {
	turn := modeltest.Turn{Usage: &modeltest.Usage{Prompt: 5, Completion: 3, Cached: 2, Reasoning: 1}, Chunks: []modeltest.Chunk{
		{Reasoning: "Hm."}, {Text: "<Hi>"}, {Text: "Yo", Choice: 1},
		{Tools: []modeltest.ToolDelta{{Index: 0, ID: "call_1", Type: "function", Function: modeltest.ToolFunction{Name: "f"}}}},
		{Tools: []modeltest.ToolDelta{{Index: 1, ID: "call_2", Type: "function", Function: modeltest.ToolFunction{Name: "g"}}}},
		{Tools: []modeltest.ToolDelta{{Index: 0, Function: modeltest.ToolFunction{Arguments: "{}"}}}},
	}}
	both(t, modeltest.ServerOptions{Replies: []modeltest.Reply{{Turn: turn, Times: 2, KeepAlive: true}}}, func(t *testing.T, s *modeltest.Server) {
		got := post(t, s, "/v1/chat/completions", streamBody)
		require.NoError(t, got.err)
		require.Equal(t, "text/event-stream; charset=utf-8", got.header.Get("Content-Type"))
		require.Equal(t, 12, strings.Count(got.body, ": keep-alive\n\n"))
		var deltas []string
		for _, d := range data(got.body) {
			if d == "[DONE]" {
				deltas = append(deltas, d)
				continue
			}
			var chunk struct {
				Choices []json.RawMessage
				Usage   json.RawMessage
			}
			require.NoError(t, json.Unmarshal([]byte(d), &chunk))
			require.Contains(t, d, `"object":"chat.completion.chunk"`)
			if len(chunk.Choices) == 0 {
				deltas = append(deltas, "usage "+string(chunk.Usage))
				continue
			}
			require.Equal(t, "null", string(chunk.Usage))
			deltas = append(deltas, string(chunk.Choices[0]))
		}
		require.Equal(t, []string{
			`{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{"reasoning_content":"Hm."},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{"content":"<Hi>"},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":1,"logprobs":null}`,
			`{"delta":{"content":"Yo"},"finish_reason":null,"index":1,"logprobs":null}`,
			`{"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"g","arguments":""}}]},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null,"index":0,"logprobs":null}`,
			`{"delta":{},"finish_reason":"tool_calls","index":0,"logprobs":null}`,
			`{"delta":{},"finish_reason":"stop","index":1,"logprobs":null}`,
			`usage {"completion_tokens":3,"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":1,"rejected_prediction_tokens":0},"prompt_tokens":5,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":2},"total_tokens":8}`,
			`[DONE]`,
		}, deltas)
		req := s.Requests()[0]
		require.True(t, req.Stream && req.IncludeUsage)
		require.Equal(t, "Say hello to Ada.", req.Text())
		require.Equal(t, 200, req.Status)
		require.False(t, req.Aborted)

		// The same turn, not streamed.
		got = post(t, s, "/v1/chat/completions", plainBody)
		var whole struct {
			Choices []struct {
				Message struct {
					Content   *string
					Reasoning string                `json:"reasoning_content"`
					ToolCalls []modeltest.ToolDelta `json:"tool_calls"`
				}
				FinishReason string `json:"finish_reason"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &whole))
		require.Equal(t, "Hm.", whole.Choices[0].Message.Reasoning)
		require.Equal(t, "tool_calls", whole.Choices[0].FinishReason)
		require.Equal(t, "{}", whole.Choices[0].Message.ToolCalls[0].Function.Arguments)
		require.Equal(t, "call_2", whole.Choices[0].Message.ToolCalls[1].ID)
		require.Equal(t, "Yo", *whole.Choices[1].Message.Content)
	})
}

func TestServerKeepsConnectionsAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, nil)
		for range 5 {
			require.NoError(t, post(t, s, "/v1/chat/completions", plainBody).err)
			require.NoError(t, post(t, s, "/v1/chat/completions", streamBody).err)
			time.Sleep(time.Minute)
		}
		require.Equal(t, 1, s.Connections())
	})
}

func TestServerServesManyAtOnce(t *testing.T) {
	both(t, modeltest.ServerOptions{Answer: func(r modeltest.Request) (modeltest.Reply, bool) {
		return modeltest.Reply{Turn: modeltest.Say("echo " + r.Text())}, true
	}}, func(t *testing.T, s *modeltest.Server) {
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				word := strings.Repeat("z", i+1)
				body := strings.Replace(plainBody, "Say hello to Ada.", word, 1)
				resp, err := s.Client().Post(s.URL+"/v1/chat/completions", "application/json", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				if err := errors.Join(err, resp.Body.Close()); err != nil {
					t.Error(err)
				}
				if !bytes.Contains(got, []byte(`"echo `+word+`"`)) {
					t.Errorf("%s is not the answer to %s", got, word)
				}
			})
		}
		wg.Wait()
		require.Len(t, s.Requests(), 20)
	})
}

func TestServerEmbeddings(t *testing.T) {
	vectors := [][]float32{{1, -0.5}, {0, 2}}
	both(t, modeltest.ServerOptions{Replies: []modeltest.Reply{{Vectors: vectors}, {Vectors: vectors}}}, func(t *testing.T, s *modeltest.Server) {
		got := post(t, s, "/v1/embeddings", `{"model":"e","input":["a b","c"],"encoding_format":"float"}`)
		require.JSONEq(t, `{"object":"list","model":"e","usage":{"prompt_tokens":3,"total_tokens":3},"data":[
			{"object":"embedding","index":0,"embedding":[1,-0.5]},{"object":"embedding","index":1,"embedding":[0,2]}]}`, got.body)
		got = post(t, s, "/v1/embeddings", `{"model":"e","input":["a b","c"],"encoding_format":"base64"}`)
		require.Contains(t, got.body, base64.StdEncoding.EncodeToString([]byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xbf}))
		require.Equal(t, "a b\nc", s.Requests()[1].Text())

		got = post(t, s, "/v1/embeddings", `{"model":"e","input":"x"}`)
		require.Equal(t, 500, got.status)
		require.Contains(t, got.body, "script_exhausted")
	})
	both(t, modeltest.ServerOptions{}, func(t *testing.T, s *modeltest.Server) {
		for _, input := range []string{`"one"`, `[1,2,3]`, `["one"]`, `[[1,2,3]]`} {
			got := post(t, s, "/v1/embeddings", `{"model":"e","dimensions":3,"input":`+input+`}`)
			var list struct {
				Data []struct{ Embedding []float32 }
			}
			require.NoError(t, json.Unmarshal([]byte(got.body), &list), got.body)
			require.Len(t, list.Data, 1, input)
			require.Len(t, list.Data[0].Embedding, 3)
		}
		for _, body := range []string{`{"model":"e"}`, `{"input":[]}`, `{"input":""}`, `{"input":"a","dimensions":-1}`, `{"input":"a","dimensions":99999999}`} {
			require.Equal(t, 400, post(t, s, "/v1/embeddings", body).status, body)
		}
	})
}

func TestServerRoutes(t *testing.T) {
	both(t, modeltest.ServerOptions{Key: "sk-test"}, func(t *testing.T, s *modeltest.Server) {
		with := func(header, value, method, path, body string) exchange {
			req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
			require.NoError(t, err)
			req.Header.Set(header, value)
			resp, err := s.Client().Do(req)
			require.NoError(t, err)
			defer func() { require.NoError(t, resp.Body.Close()) }()
			got, err := io.ReadAll(bufio.NewReader(resp.Body))
			return exchange{status: resp.StatusCode, body: string(got), err: err}
		}
		key := "Bearer sk-test"
		require.Equal(t, 401, with("Authorization", "Bearer other", "POST", "/v1/chat/completions", plainBody).status)
		require.Equal(t, 200, with("Authorization", key, "POST", "/v1/chat/completions", plainBody).status)

		azure := with("Api-Key", "sk-test", "POST", "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21", plainBody)
		require.Equal(t, 200, azure.status)
		require.Contains(t, azure.body, `"model":"my-gpt"`)
		last := s.Requests()[2]
		require.Equal(t, "my-gpt", last.Model)
		require.Equal(t, "2024-10-21", last.Query.Get("api-version"))

		require.Contains(t, with("Authorization", key, "GET", "/v1/models", "").body, `"id":"scripted-embed"`)
		require.Equal(t, 200, with("Authorization", key, "GET", "/v1/models/scripted-1", "").status)
		missing := with("Authorization", key, "GET", "/v1/models/none", "")
		require.Equal(t, 404, missing.status)
		require.Contains(t, missing.body, "model_not_found")
		for _, tt := range []struct {
			method, path, body string
			status             int
		}{
			{"GET", "/v1/other", "", 404},
			{"POST", "/v1/models", "", 405},
			{"GET", "/v1/chat/completions", "", 405},
			{"POST", "/v1/chat/completions", "{", 400},
			{"POST", "/v1/chat/completions", "{}", 400},
			{"POST", "/v1/chat/completions", `{"messages":[]}`, 400},
			{"POST", "/v1/chat/completions", `{"messages":[7]}`, 200},
		} {
			got := with("Authorization", key, tt.method, tt.path, tt.body)
			require.Equal(t, tt.status, got.status, "%s %s %s", tt.method, tt.path, tt.body)
			if tt.status != 200 {
				require.Contains(t, got.body, `{"error":{`)
			}
		}
	})
}

func TestServerPlaysOtherProviders(t *testing.T) {
	both(t, modeltest.ServerOptions{Paths: []string{"/v1/messages"}, Replies: []modeltest.Reply{
		{Events: []modeltest.Event{{Data: "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"}}},
		{Events: []modeltest.Event{{Data: "event: message_start\n"}}, CutAfter: 1},
	}}, func(t *testing.T, s *modeltest.Server) {
		got := post(t, s, "/v1/messages", `{"model":"m","stream":true,"max_tokens":9}`)
		require.NoError(t, got.err)
		require.Contains(t, got.body, "overloaded_error")
		got = post(t, s, "/v1/messages", streamBody)
		require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
		require.Equal(t, "Say hello to Ada.", s.Requests()[1].Text())
		require.Equal(t, 404, post(t, s, "/v1/complete", plainBody).status)
	})
}

func TestServerMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, &modeltest.ServerOptions{Replies: []modeltest.Reply{
			{Match: func(r modeltest.Request) bool { return r.Stream }, Error: modeltest.Overloaded()},
			{Turn: modeltest.Say("plain"), Times: 2},
		}})
		require.Contains(t, post(t, s, "/v1/chat/completions", plainBody).body, "plain")
		require.Equal(t, 503, post(t, s, "/v1/chat/completions", streamBody).status)
		require.Equal(t, 200, post(t, s, "/v1/chat/completions", streamBody).status)
		require.Equal(t, 500, post(t, s, "/v1/chat/completions", plainBody).status)
		var body struct{ Model string }
		require.NoError(t, s.Requests()[0].Decode(&body))
		require.Equal(t, "scripted-1", body.Model)
	})
}

// FuzzServerRequest sends any body to every route: the answer is JSON, and a
// client's mistake is never a server error.
func FuzzServerRequest(f *testing.F) {
	for _, body := range []string{plainBody, `{"input":[[1,2],"a"],"encoding_format":"base64"}`, `{"input":[1,null]}`, `{"messages":[{"content":[{"text":7}]}]}`, `null`, `[]`, "{", ""} {
		f.Add(body)
	}
	s, err := modeltest.NewServer(nil)
	require.NoError(f, err)
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/v1/chat/completions", "/openai/deployments/d/embeddings"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			got := postContext(ctx, t, s, path, body)
			cancel()
			require.NoError(t, got.err)
			require.Less(t, got.status, 500)
			if got.header.Get("Content-Type") == "application/json" {
				require.True(t, json.Valid([]byte(got.body)), got.body)
			}
		}
	})
}

// TestServerOptions: an invalid reply is an error at the start, and not a panic of
// a handler in the middle of a test.
func TestServerOptions(t *testing.T) {
	for _, bad := range []modeltest.ServerOptions{
		{Paths: []string{"v1/messages"}},
		{Replies: []modeltest.Reply{{Status: 42}}},
		{Replies: []modeltest.Reply{{}, {Error: &modeltest.APIError{Status: -1}}}},
		{Replies: []modeltest.Reply{{CutAfter: -1}}},
		{Replies: []modeltest.Reply{{CutBody: -1}}},
	} {
		_, err := modeltest.NewServer(&bad)
		require.ErrorIs(t, err, modeltest.ErrOption, "%+v", bad)
	}
	models := []string{"mine"}
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Models: models})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	models[0] = "changed"
	r, err := s.Client().Get(s.URL + "/v1/models/mine")
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, 200, r.StatusCode)
}

// TestEmptyListsAreNotDefaults: a list that is empty but not nil is taken as it is.
func TestEmptyListsAreNotDefaults(t *testing.T) {
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{}, Models: []string{}})
	require.NoError(t, err)
	defer s.Close()
	get := func(method, path, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		resp, err := s.Client().Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(text)
	}
	_, models := get(http.MethodGet, "/v1/models", "")
	require.NotContains(t, models, "scripted-1")
	status, text := get(http.MethodPost, "/v1/chat/completions", `{"model":"x","messages":[{"role":"user","content":"hi"}]}`)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Contains(t, text, "script_exhausted")
}
