package chunk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/modeltest"
)

// numbered returns n chunks "passage 0.", "passage 1.", ...
func numbered(n int) []Chunk {
	out := make([]Chunk, n)
	for i := range out {
		out[i] = Chunk{Text: fmt.Sprintf("passage %d.", i), Context: "| head |\n"}
	}
	return out
}

// contextual is NewContextual for arguments that are right.
func contextual(t *testing.T, model llms.Model, o *ContextualOptions) *Contextual {
	t.Helper()
	c, err := NewContextual(model, o)
	require.NoError(t, err)
	return c
}

// about answers with the passage's number, the later ones sooner.
func about(c modeltest.Call) (modeltest.Turn, bool) {
	var n int
	_, rest, _ := strings.Cut(c.Text(), "<passage>\n")
	if _, err := fmt.Sscanf(rest, "passage %d.", &n); err != nil {
		return modeltest.Turn{Err: err}, true
	}
	turn := modeltest.Say(fmt.Sprintf(" It is number %d.\n", n))
	turn.Delay = time.Duration(100-n) * time.Second
	return turn, true
}

func TestContextualKeepsTheOrderAndTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		model := &modeltest.Script{Answer: about}
		counting := modelFunc(func(ctx context.Context, m []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
			n := now.Add(1)
			defer now.Add(-1)
			for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			}
			return model.GenerateContent(ctx, m, o...)
		})
		given := numbered(40)
		start := time.Now()
		got, err := contextual(t, counting, &ContextualOptions{Parallel: 7, CallOptions: []llms.CallOption{llms.WithTemperature(0.5)}}).Describe(t.Context(), "the document", given)
		require.NoError(t, err)
		require.Len(t, got, 40)
		for i, c := range got {
			require.Equal(t, fmt.Sprintf("It is number %d.\n\n| head |\n", i), c.Context)
			require.Equal(t, fmt.Sprintf("passage %d.", i), c.Text)
		}
		require.Equal(t, numbered(40), given, "the chunks given aren't changed")
		require.EqualValues(t, 7, most.Load())
		require.Less(t, time.Since(start), 100*time.Second+40*100*time.Second/7, "one after the other would take an hour")

		// The first call is over before the others begin, and all begin alike.
		calls := model.Calls()
		for _, c := range calls {
			require.Equal(t, "<document>\nthe document\n</document>\n", c.Messages[0].Parts[0].(llms.TextContent).Text)
			require.Equal(t, 0.5, c.Options.Temperature)
		}
		require.Contains(t, calls[0].Text(), "passage 0.")

		most.Store(0)
		_, err = contextual(t, counting, nil).Describe(t.Context(), "the document", given)
		require.NoError(t, err)
		require.EqualValues(t, 4, most.Load())
		got, err = contextual(t, counting, nil).Describe(t.Context(), "", nil)
		require.NoError(t, err)
		require.Empty(t, got)
	})
}

type modelFunc func(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error)

func (f modelFunc) GenerateContent(ctx context.Context, m []llms.MessageContent, o ...llms.CallOption) (*llms.ContentResponse, error) {
	return f(ctx, m, o...)
}

func (f modelFunc) Call(ctx context.Context, prompt string, o ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, f, prompt, o...)
}

func TestContextualStopsAtAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := errors.New("busy")
		model := &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
			turn, ok := about(c)
			if strings.Contains(c.Text(), "passage 9.") {
				turn = modeltest.Turn{Err: busy}
			}
			return turn, ok
		}}
		got, err := contextual(t, model, nil).Describe(t.Context(), "d", numbered(30))
		require.ErrorIs(t, err, busy)
		require.ErrorContains(t, err, "passage 9:")
		require.Len(t, got, 9, "those before it, under way or not, are finished")
		for i, c := range got {
			require.Contains(t, c.Context, fmt.Sprintf("number %d.", i))
		}
		require.LessOrEqual(t, len(model.Calls()), 13)

		_, err = contextual(t, &modeltest.Script{Turns: []modeltest.Turn{{Times: -1, Choices: []*llms.ContentChoice{}}}}, nil).Describe(t.Context(), "d", numbered(3))
		require.ErrorIs(t, err, ErrNoContext)
		silent := &modeltest.Script{Turns: []modeltest.Turn{{NilResponse: true}}}
		got, err = contextual(t, silent, nil).Describe(t.Context(), "d", numbered(3))
		require.ErrorIs(t, err, ErrNoContext)
		require.Empty(t, got)
		require.Len(t, silent.Calls(), 1, "no call after the first failed")
	})
}

func TestContextualStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hidden := errors.New("request failed")
		model := &modeltest.Script{Answer: func(c modeltest.Call) (modeltest.Turn, bool) {
			turn, ok := about(c)
			turn.HideContext = hidden
			return turn, ok
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Second)
		defer cancel()
		start := time.Now()
		got, err := contextual(t, model, nil).Describe(ctx, "d", numbered(30))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, hidden)
		require.Equal(t, 250*time.Second, time.Since(start))
		require.Len(t, got, 5, "the first, and four after it")
		calls := len(model.Calls())
		_, err = contextual(t, model, nil).Describe(ctx, "d", numbered(30))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, model.Calls(), calls, "nothing is asked once ctx is done")
	})
}

// wire implements OpenAI's protocol as far as this test needs it.
func wire(s *modeltest.Server) modelFunc {
	return func(ctx context.Context, m []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
		text := ""
		for _, p := range m[0].Parts {
			text += p.(llms.TextContent).Text
		}
		body, err := json.Marshal(map[string]any{"model": "scripted-1", "messages": []any{map[string]string{"role": "user", "content": text}}})
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/chat/completions", bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		resp, err := s.Client().Do(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		var answer struct {
			Choices []struct{ Message struct{ Content string } }
		}
		if resp.StatusCode != http.StatusOK {
			return nil, errors.New(resp.Status)
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return nil, err
		}
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: answer.Choices[0].Message.Content}}}, nil
	}
}

func TestContextualOverHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := modeltest.NewServer(&modeltest.ServerOptions{Answer: func(r modeltest.Request) (modeltest.Reply, bool) {
			if strings.Contains(r.Text(), "passage 12.") {
				return modeltest.Reply{Error: modeltest.RateLimited(time.Minute)}, true
			}
			turn := modeltest.Say("From the policy.")
			turn.Delay = time.Minute
			return modeltest.Reply{Turn: turn}, true
		}})
		require.NoError(t, err)
		defer server.Close()
		document := "the whole policy"
		got, err := contextual(t, wire(server), nil).Describe(t.Context(), document, numbered(10))
		require.NoError(t, err)
		for _, c := range got {
			require.Equal(t, "From the policy.\n\n| head |\n", c.Context)
		}
		prefix := ""
		for _, r := range server.Requests() {
			var body struct{ Messages []struct{ Content string } }
			require.NoError(t, r.Decode(&body))
			head, _, ok := strings.Cut(body.Messages[0].Content, "<passage>")
			require.True(t, ok)
			require.True(t, prefix == "" || head == prefix, "a cache knows a prompt by its beginning")
			prefix = head
		}
		require.Contains(t, prefix, document)

		got, err = contextual(t, wire(server), nil).Describe(t.Context(), document, numbered(30))
		require.ErrorContains(t, err, "passage 12: 429")
		require.Len(t, got, 12)

		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		got, err = contextual(t, wire(server), nil).Describe(ctx, document, numbered(10))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, got, 1)
	})
}
