package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// referenceEvents is plainEvents for streams that also contain lines that should have
// been events, which the package's reader accepts: it makes events of them first.
func referenceEvents(stream string) []sseEvent {
	stream = strings.TrimPrefix(stream, "\ufeff")
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	lines := strings.Split(stream, "\n")
	for i, line := range lines {
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		if name, bare := bareEvent([]byte(line), []byte(field), []byte(value)); bare != nil {
			lines[i] = "\nevent: " + name + "\ndata: " + string(bare) + "\n"
		}
	}
	// plainEvents would drop a second byte order mark.
	return plainEvents("\ufeff" + strings.Join(lines, "\n"))
}

// portions reads at most n bytes at a time.
type portions struct {
	r io.Reader
	n int
}

func (p portions) Read(b []byte) (int, error) { return p.r.Read(b[:min(len(b), p.n)]) }

func readAll(r io.Reader, limit int) (out []sseEvent, err error) {
	e := newEvents(r, limit)
	for {
		name, data, _, err := e.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, sseEvent{name, string(data)})
	}
}

func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		"data: a\n\ndata: b\n\n", "data: a\r\rdata:b\r\n\r\n", "\ufeffevent: x\ndata:  two\ndata\ndata: \n\n", ": comment\nid: 1\nretry: 5\n\n", "data: cut",
		"data\r", "\r\n\r", "event: only\n\ndata: after\n\n", "data:\xff\x00\n\n", "\ufeff\ufeffdata: x\n\n",
		"data: a\nerror: {}\ndata: b\n\n", "event: x\n{\"error\":1}\n\nodd\n\n",
	} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(7))
	}
	f.Fuzz(func(t *testing.T, stream string, n uint8) {
		want := referenceEvents(stream)
		got, err := readAll(portions{strings.NewReader(stream), 1 + int(n)}, 1<<20)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestEventLimits(t *testing.T) {
	_, err := readAll(strings.NewReader("data: "+strings.Repeat("x", 100)+"\n\n"), 50)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = readAll(strings.NewReader(strings.Repeat("data: xxxxxxxxx\n", 100)), 50)
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = readAll(endless{}, 1<<16)
	require.ErrorIs(t, err, ErrTooLarge, "a line without end")
	got, err := readAll(strings.NewReader(strings.Repeat("data: "+strings.Repeat("y", 40)+"\n\n", 1000)), 50)
	require.NoError(t, err)
	require.Len(t, got, 1000)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	return copy(b, bytes.Repeat([]byte("data"), len(b)/4+1)), nil
}

// FuzzStream feeds any bytes as a stream's body: an answer or an *Error, never
// a panic or a success without an end; and the answer is what was streamed.
func FuzzStream(f *testing.F) {
	f.Add("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")
	f.Add("data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":-1},{\"id\":\"x\"},{}]}}]}\n\n")
	for _, list := range []string{
		`[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]`, `[{"index":0,"id":"b","function":{"name":"g","arguments":{"x":1}}},{"function":{"name":"h"}}]`,
		`[{"id":"a","function":{"name":"f","arguments":"{"}},{"id":"a","function":{"name":"f","arguments":"}"}}]`,
	} {
		chunk := `data: {"choices":[{"delta":{"content":"a","tool_calls":` + list + `}}]}` + "\n\n"
		f.Add(chunk + chunk + `data: {"choices":[{"message":{"content":"ab","tool_calls":` + list + `},"finish_reason":"stop"}]}` + "\n\n")
	}
	f.Add("data: {\"error\":null,\"choices\":null}\n\ndata: {\"choices\":[{\"index\":-5,\"message\":{},\"logprobs\":{\"a\":[1]}}]}\n\n")
	f.Fuzz(func(t *testing.T, stream string) {
		m, err := New("m", &Options{BaseURL: "http://x", HTTPClient: &http.Client{Transport: recorded{Status: 200, SSE: &stream}}})
		require.NoError(t, err)
		var text string
		calls := map[int]llms.FunctionCall{}
		r, err := m.GenerateContent(t.Context(), ask("q"), llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			if delta.From(ctx).Kind == delta.Text {
				text += string(chunk)
				return nil
			}
			var deltas []toolDelta
			require.NoError(t, json.Unmarshal(chunk, &deltas))
			for _, d := range deltas {
				c := calls[*d.Index]
				c.Name += d.Function.Name
				c.Arguments += d.Function.Arguments
				calls[*d.Index] = c
			}
			return nil
		}))
		if err != nil {
			require.ErrorAs(t, err, new(*Error))
			return
		}
		require.NotEmpty(t, r.Choices)
		for _, c := range r.Choices {
			require.NotEmpty(t, c.StopReason)
		}
		if len(r.Choices) > 1 || r.Choices[0].FuncCall != nil && len(r.Choices[0].ToolCalls) == 0 {
			return
		}
		require.Equal(t, r.Choices[0].Content, text)
		require.Len(t, calls, len(r.Choices[0].ToolCalls))
		for i, at := range slices.Sorted(maps.Keys(calls)) {
			require.Equal(t, *r.Choices[0].ToolCalls[i].FunctionCall, calls[at])
		}
	})
}

// TestAgainstThePythonServer calls another implementation of the protocol over a
// real connection.
func TestAgainstThePythonServer(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 isn't installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/scripted_openai.py", "--port", "0", "--key", "sk-test")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	_, address, found := strings.Cut(strings.TrimSpace(line), " server on ")
	require.True(t, found, line)
	o := &Options{BaseURL: address, APIKey: "sk-test"}
	m, err := New("scripted-1", o)
	require.NoError(t, err)
	var h heard
	r, err := m.GenerateContent(ctx, ask("Hello, \u2028 wörld 🚀"), h.options()...)
	require.NoError(t, err)
	require.Equal(t, "You said: Hello, \u2028 wörld 🚀", r.Choices[0].Content)
	require.Equal(t, r.Choices[0].Content, strings.Join(h.text, ""))
	for model, check := range map[string]func(*Error) bool{
		"err-401":   func(e *Error) bool { return llms.IsAuthenticationError(e) },
		"err-429":   func(e *Error) bool { _, asked := e.RetryAfter(); return asked && llms.IsRateLimitError(e) },
		"err-503":   func(e *Error) bool { return llms.IsProviderUnavailableError(e) },
		"err-ctx":   func(e *Error) bool { return llms.IsTokenLimitError(e) },
		"midstream": func(e *Error) bool { return errors.Is(e, ErrInBand) && e.Partial() != nil },
		"cut":       func(e *Error) bool { return errors.Is(e, ErrIncompleteStream) && e.Partial() != nil },
	} {
		_, err := m.GenerateContent(ctx, ask("one two three four five six"), append((&heard{}).options()[:1], llms.WithModel(model))...)
		e := new(Error)
		require.ErrorAs(t, err, &e, model)
		require.True(t, check(e), "%s: %v", model, err)
	}
	e, err := NewEmbedder("scripted-embed", o)
	require.NoError(t, err)
	v, err := e.EmbedDocuments(ctx, []string{"a", "b", "a"})
	require.NoError(t, err)
	require.Equal(t, v[0], v[2])
	require.NotEqual(t, v[0], v[1])
}
