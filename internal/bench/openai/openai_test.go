// Package openai measures retry/openai beside langchaingo's client and
// OpenAI's own, against one server on loopback that answers from memory.
package openai

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"

	"github.com/prodailabs/prodai/retry/openai"
)

const chunks = 2000

// server streams an answer of 2,000 chunks, or answers whole.
func server(b *testing.B) *httptest.Server {
	var stream strings.Builder
	for i := range chunks {
		fmt.Fprintf(&stream, `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"word%d "},"logprobs":null,"finish_reason":null}],"usage":null}`+"\n\n", i)
	}
	stream.WriteString(`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2000,"total_tokens":2001}}` + "\n\ndata: [DONE]\n\n")
	plain := `{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("word ", 300) + `"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":300,"total_tokens":301}}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // our own clients send it whole
		if strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, stream.String())
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, plain)
	}))
	b.Cleanup(s.Close)
	return s
}

func BenchmarkStream(b *testing.B) {
	s := server(b)
	ask := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")}
	heard := 0
	listen := llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error { heard += len(chunk); return nil })
	model := func(name string, m llms.Model, err error) {
		b.Run(name, func(b *testing.B) {
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.GenerateContent(b.Context(), ask, listen); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	ours, err := openai.New("m", &openai.Options{BaseURL: s.URL})
	model("prodai", ours, err)
	theirs, err := langchain.New(langchain.WithBaseURL(s.URL), langchain.WithToken("x"), langchain.WithModel("m"))
	model("langchaingo", theirs, err)
	b.Run("openai-go", func(b *testing.B) {
		client := sdk.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("x"))
		b.ReportAllocs()
		for b.Loop() {
			stream := client.Chat.Completions.NewStreaming(b.Context(), sdk.ChatCompletionNewParams{Model: "m", Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage("q")}})
			acc := sdk.ChatCompletionAccumulator{}
			for stream.Next() {
				acc.AddChunk(stream.Current())
			}
			if err := stream.Err(); err != nil || len(acc.Choices) != 1 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	s := server(b)
	ask := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")}
	model := func(name string, m llms.Model, err error) {
		b.Run(name, func(b *testing.B) {
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.GenerateContent(b.Context(), ask); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	ours, err := openai.New("m", &openai.Options{BaseURL: s.URL})
	model("prodai", ours, err)
	theirs, err := langchain.New(langchain.WithBaseURL(s.URL), langchain.WithToken("x"), langchain.WithModel("m"))
	model("langchaingo", theirs, err)
	b.Run("openai-go", func(b *testing.B) {
		client := sdk.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("x"))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.Chat.Completions.New(b.Context(), sdk.ChatCompletionNewParams{Model: "m", Messages: []sdk.ChatCompletionMessageParamUnion{sdk.UserMessage("q")}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
