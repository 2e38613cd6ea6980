package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
	"github.com/prodailabs/prodai/internal/golden"
	"github.com/prodailabs/prodai/internal/usage"
	"github.com/prodailabs/prodai/retry/fault"
)

// A faulty is an answer of a server that follows the protocol in its own way, and
// the right result for it.
type faulty struct {
	ID     string `json:"id"`
	Stream bool   `json:"stream"`
	Type   string `json:"ct"`
	Status int    `json:"status"`
	Body   string `json:"body"`
	Expect struct {
		Error      bool           `json:"error"`
		Class      string         `json:"class"` // of fault.FromError
		MessageHas string         `json:"message_has"`
		MessageIs  string         `json:"message_is"`
		BodyHas    string         `json:"body_has"`
		Partial    string         `json:"partial"`
		Content    *string        `json:"content"`
		Reasoning  string         `json:"reasoning"`
		Stop       string         `json:"stop"`
		Tools      [][]string     `json:"tools"`
		Function   []string       `json:"function"` // name and arguments; an empty list: none
		Usage      []int64        `json:"usage"`    // input and output; an empty list: none is known
		Info       map[string]any `json:"info"`
		InfoHas    string         `json:"info_has"`
	} `json:"expect"`
}

func TestGoldenFaultyServers(t *testing.T) {
	golden.Rows(t, "retry", "client_faults.jsonl", func(row faulty) error {
		contentType := row.Type
		if contentType == "" {
			contentType = "application/json"
			if row.Stream {
				contentType = "text/event-stream"
			}
		}
		if row.Status == 0 {
			row.Status = 200
		}
		var streamed strings.Builder
		var calls []llms.ToolCall
		options := []llms.CallOption{llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			switch delta.From(ctx).Kind {
			case delta.Text:
				streamed.Write(chunk)
			case delta.Tool:
				return joinDeltas(&calls, chunk)
			}
			return nil
		})}
		if !row.Stream {
			options = nil
		}
		m := saying{row.Status, row.Body, http.Header{"Content-Type": {contentType}}}.model(t, Options{})
		r, err := m.GenerateContent(t.Context(), ask("q"), options...)
		if row.Expect.Error {
			return row.failed(err)
		}
		if err != nil {
			return err
		}
		c := r.Choices[0]
		if row.Stream && (streamed.String() != c.Content || len(calls) != len(c.ToolCalls)+len(row.Expect.Function)/2) {
			return fmt.Errorf("streamed %q and %v, answered %q and %v", streamed.String(), calls, c.Content, c.ToolCalls)
		}
		for i, call := range calls[:min(len(calls), len(c.ToolCalls))] {
			if *call.FunctionCall != *c.ToolCalls[i].FunctionCall || call.ID != c.ToolCalls[i].ID {
				return fmt.Errorf("streamed call %d is %+v, answered %+v", i, *call.FunctionCall, *c.ToolCalls[i].FunctionCall)
			}
		}
		return row.answered(r)
	})
}

func (row faulty) failed(err error) error {
	e := new(Error)
	if !errors.As(err, &e) {
		return fmt.Errorf("got %v, want an *Error", err)
	}
	w := row.Expect
	partial := ""
	if p := e.Partial(); p != nil {
		partial = p.Choices[0].Content
	}
	switch class := fault.FromError(context.Background(), err).Class.String(); {
	case !strings.Contains(e.Message(), w.MessageHas), w.MessageIs != "" && e.Message() != w.MessageIs:
		return fmt.Errorf("message %q", e.Message())
	case !strings.Contains(string(e.Body()), w.BodyHas):
		return fmt.Errorf("body %q", e.Body())
	case partial != w.Partial:
		return fmt.Errorf("partial %q, want %q", partial, w.Partial)
	case w.Class != "" && class != w.Class:
		return fmt.Errorf("class %s, want %s", class, w.Class)
	}
	return nil
}

func (row faulty) answered(r *llms.ContentResponse) error {
	w, c := row.Expect, r.Choices[0]
	if w.Content != nil && c.Content != *w.Content || w.Reasoning != "" && c.ReasoningContent != w.Reasoning || w.Stop != "" && c.StopReason != w.Stop {
		return fmt.Errorf("content %q, reasoning %q, stop reason %q", c.Content, c.ReasoningContent, c.StopReason)
	}
	var tools [][]string
	for _, t := range c.ToolCalls {
		tools = append(tools, []string{t.ID, t.FunctionCall.Name, t.FunctionCall.Arguments})
	}
	if !reflect.DeepEqual(tools, w.Tools) {
		return fmt.Errorf("calls %q, want %q", tools, w.Tools)
	}
	if f := c.FuncCall; w.Function != nil && (f != nil) != (len(w.Function) == 2) || len(w.Function) == 2 && (f.Name != w.Function[0] || f.Arguments != w.Function[1]) {
		return fmt.Errorf("function %+v, want %q", f, w.Function)
	}
	u, err := usage.Of(r)
	if w.Usage != nil && len(w.Usage) == 0 && err == nil || len(w.Usage) == 2 && (err != nil || u.Input != w.Usage[0] || u.Output != w.Usage[1]) {
		return fmt.Errorf("usage %+v, %v", u, err)
	}
	for key, want := range w.Info {
		if n, ok := want.(float64); ok {
			want = int(n)
		}
		if !reflect.DeepEqual(c.GenerationInfo[key], want) {
			return fmt.Errorf("GenerationInfo[%q] is %v, want %v", key, c.GenerationInfo[key], want)
		}
	}
	if !strings.Contains(fmt.Sprint(c.GenerationInfo), w.InfoHas) {
		return fmt.Errorf("GenerationInfo %v", c.GenerationInfo)
	}
	return nil
}

// joinDeltas adds a streamed list of tool deltas to the calls, by nothing but
// their indexes: what a reader of the stream can do.
func joinDeltas(calls *[]llms.ToolCall, chunk []byte) error {
	var deltas []toolDelta
	if err := json.Unmarshal(chunk, &deltas); err != nil {
		return err
	}
	for _, d := range deltas {
		for len(*calls) <= *d.Index {
			*calls = append(*calls, llms.ToolCall{FunctionCall: &llms.FunctionCall{}})
		}
		into := &(*calls)[*d.Index]
		if d.ID != "" {
			into.ID = d.ID
		}
		into.FunctionCall.Name += d.Function.Name
		into.FunctionCall.Arguments += d.Function.Arguments
	}
	return nil
}

// TestStopReasons: of all the words for the end of an answer only those that are
// known to be good make it one. The others are an error with what came.
func TestStopReasons(t *testing.T) {
	for class, words := range map[string]string{
		"":               "stop tool_calls function_call eos_token STOP length max_tokens",
		"server_error":   "error network_error abort malformed_function_call cancelled",
		"timeout":        "timeout",
		"overloaded":     "insufficient_system_resource",
		"content_filter": "content_filter sensitive SAFETY",
		"unknown":        "made_up null?",
	} {
		for word := range strings.SplitSeq(words, " ") {
			plain := saying{200, `{"choices":[{"message":{"content":"half"},"finish_reason":"` + word + `"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}`, nil}
			streamed := saying{200, `data: {"choices":[{"delta":{"content":"half"}}]}` + "\n\n" + `data: {"choices":[{"delta":{},"finish_reason":"` + word + `"}]}` + "\n\ndata: [DONE]\n\n", eventStream}
			for _, c := range []struct {
				saying
				options []llms.CallOption
			}{{plain, nil}, {plain, []llms.CallOption{toStream}}, {streamed, []llms.CallOption{toStream}}} {
				r, err := c.model(t, Options{}).GenerateContent(t.Context(), ask("q"), c.options...)
				if class == "" {
					require.NoError(t, err, word)
					require.Equal(t, word, r.Choices[0].StopReason)
					continue
				}
				require.ErrorIs(t, err, ErrStopReason, word)
				e := new(Error)
				require.ErrorAs(t, err, &e)
				reason, wrong := e.StopReason()
				require.True(t, wrong)
				require.Equal(t, word, reason)
				require.Equal(t, "half", e.Partial().Choices[0].Content)
				f := fault.FromError(t.Context(), err)
				require.Equal(t, class, f.Class.String(), word)
				require.NotNil(t, f.Partial)
				require.Equal(t, class == "content_filter", llms.IsContentFilterError(err), word)
			}
		}
	}
	_, wrong := (&Error{}).StopReason()
	require.False(t, wrong)
}

// TestRecordingChangesNoClass: with a fault.Transport below the client, and so in a
// retry.Model, each failure has the class that the client's own error has.
func TestRecordingChangesNoClass(t *testing.T) {
	golden.Rows(t, "retry", "client_faults.jsonl", func(row faulty) error {
		contentType := row.Type
		if contentType == "" && row.Stream {
			contentType = "text/event-stream"
		}
		if row.Status == 0 {
			row.Status = 200
		}
		var options []llms.CallOption
		if row.Stream {
			options = append(options, toStream)
		}
		below := saying{row.Status, row.Body, http.Header{"Content-Type": {contentType}}}
		m, err := New("m", &Options{BaseURL: "http://said/v1", HTTPClient: &http.Client{Transport: &fault.Transport{Base: below}}})
		if err != nil {
			return err
		}
		a := &fault.Attempt{}
		a.Start(t.Context(), nil)
		_, err = m.GenerateContent(a, ask("q"), options...)
		if (err != nil) != row.Expect.Error {
			return err
		}
		recorded := a.Failure(err, time.Now())
		if err == nil {
			if recorded != nil {
				return fmt.Errorf("a good answer is %v", recorded)
			}
			return nil
		}
		own := fault.FromError(t.Context(), err)
		if recorded != nil && recorded.Class != own.Class && (recorded.Class != fault.ClassMalformed || own.Class != fault.ClassStreamInterrupted) {
			return fmt.Errorf("recorded %v, the client's %v", recorded, own)
		}
		return nil
	})
}
