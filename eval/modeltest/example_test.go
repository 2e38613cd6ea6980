package modeltest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// A wrapper's test is one call. In a real test, t is the test's own.
func ExampleRun() {
	testContract := func(t *testing.T) {
		modeltest.Run(t, func(_ testing.TB, next llms.Model) llms.Model {
			return &pass{base{next}}
		}, nil)
	}
	_ = testContract
}

// A script streams words, then fails, and records its calls.
func ExampleScript() {
	model := &modeltest.Script{Turns: []modeltest.Turn{
		modeltest.Say("Paris, I think."),
		{Err: errors.New("overloaded")},
	}}
	ctx := context.Background()
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "What is the capital of France?")}
	_, err := model.GenerateContent(ctx, messages, llms.WithTemperature(0), llms.WithStreamingFunc(func(_ context.Context, chunk []byte) error {
		fmt.Printf("%q ", chunk)
		return nil
	}))
	fmt.Println(err)
	_, err = model.GenerateContent(ctx, messages)
	fmt.Println(err)
	fmt.Println(len(model.Calls()), "calls; the first was streamed:", model.Calls()[0].Streaming())
	// Output:
	// "Paris," " I" " think." <nil>
	// overloaded
	// 2 calls; the first was streamed: true
}

// A model that calls a tool, and answers when it has the result.
func ExampleCallTool() {
	model := &modeltest.Script{Turns: []modeltest.Turn{
		{Chunks: modeltest.CallTool(0, "call_1", "weather", `{"city": "Oslo"}`)},
		{Match: modeltest.LastText("4 degrees"), Chunks: modeltest.Words("It is cold in Oslo.")},
	}}
	messages := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "How warm is it in Oslo?")}
	r, err := model.GenerateContent(context.Background(), messages)
	if err != nil {
		fmt.Println(err)
		return
	}
	call := r.Choices[0].ToolCalls[0]
	fmt.Println(r.Choices[0].StopReason, call.FunctionCall.Name, call.FunctionCall.Arguments)
	messages = append(messages, llms.MessageContent{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
		llms.ToolCallResponse{ToolCallID: call.ID, Name: "weather", Content: "4 degrees"},
	}})
	r, err = model.GenerateContent(context.Background(), messages)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Choices[0].Content)
	// Output:
	// tool_calls weather {"city": "Oslo"}
	// It is cold in Oslo.
}

// A server that is busy first, and closes the connection in its second answer.
func ExampleServer() {
	server, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{
		{Error: modeltest.RateLimited(2 * time.Second)},
		{Turn: modeltest.Say("Here is half of"), CutAfter: 3},
		{Turn: modeltest.Say("Here it is."), Edit: func(o map[string]any) { fmt.Println("sending a", o["object"]) }},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	for range 3 {
		resp, err := server.Client().Post(server.URL+"/v1/chat/completions", "application/json",
			strings.NewReader(`{"model": "scripted-1", "stream": true, "messages": [{"role": "user", "content": "Go on."}]}`))
		if err != nil {
			fmt.Println(err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		fmt.Println(resp.StatusCode, http.StatusText(resp.StatusCode), resp.Header.Get("Retry-After"), strings.Count(string(body), "data:"), "events", err)
		if err := resp.Body.Close(); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(len(server.Requests()), "requests, the last for", server.Requests()[2].Model)
	// Output:
	// 429 Too Many Requests 2 0 events <nil>
	// 200 OK  3 events unexpected EOF
	// sending a chat.completion.chunk
	// sending a chat.completion.chunk
	// sending a chat.completion.chunk
	// sending a chat.completion.chunk
	// sending a chat.completion.chunk
	// 200 OK  6 events <nil>
	// 3 requests, the last for scripted-1
}
