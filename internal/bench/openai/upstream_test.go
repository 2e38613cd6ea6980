package openai

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	langchain "github.com/tmc/langchaingo/llms/openai"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/openai"
)

// An outcome is what a caller is told.
type outcome struct {
	r   *llms.ContentResponse
	err error
}

func (o outcome) text() string {
	if o.r == nil || len(o.r.Choices) == 0 {
		return ""
	}
	return o.r.Choices[0].Content
}

// both asks one server with langchaingo's client and with ours.
func both(t *testing.T, reply modeltest.Reply, ctx func() (context.Context, context.CancelFunc), options ...llms.CallOption) (theirs, ours outcome, s *modeltest.Server) {
	t.Helper()
	reply.Times = -1
	s, err := modeltest.NewServer(&modeltest.ServerOptions{Replies: []modeltest.Reply{reply}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	upstream, err := langchain.New(langchain.WithBaseURL(s.URL+"/v1"), langchain.WithToken("x"), langchain.WithModel("m"), langchain.WithHTTPClient(s.Client()))
	require.NoError(t, err)
	model, err := openai.New("m", &openai.Options{BaseURL: s.URL + "/v1", HTTPClient: s.Client()})
	require.NoError(t, err)
	ask := func(m llms.Model) (o outcome) {
		c, cancel := context.WithTimeout(t.Context(), time.Minute)
		if ctx != nil {
			c, cancel = ctx()
		}
		defer cancel()
		o.r, o.err = m.GenerateContent(c, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")}, options...)
		return o
	}
	return ask(upstream), ask(model), s
}

// TestUpstream holds the table in retry/openai's documentation to both
// clients: what langchaingo v0.1.14 makes of a server's failure, and what ours
// does. When a new version of langchaingo mends a row, the row fails here.
func TestUpstream(t *testing.T) {
	half := modeltest.Turn{Chunks: modeltest.Words("half an answer")}
	event := func(s string) []modeltest.Event { return []modeltest.Event{{Data: s}} }
	listen := llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
	const good = `data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
	for name, c := range map[string]struct {
		reply   modeltest.Reply
		plain   bool
		success bool   // theirs reports success
		text    string // and this answer
		want    error  // of ours
	}{
		"error event":         {reply: modeltest.Reply{Turn: half, StreamError: &modeltest.APIError{Message: "m"}}, success: true, text: "half an answer", want: openai.ErrInBand},
		"no finish_reason":    {reply: modeltest.Reply{Turn: half, NoFinish: true, NoDone: true}, success: true, text: "half an answer", want: openai.ErrIncompleteStream},
		"only [DONE]":         {reply: modeltest.Reply{Turn: half, NoFinish: true}, success: true, text: "half an answer", want: openai.ErrIncompleteStream},
		"broken generation":   {reply: modeltest.Reply{Turn: modeltest.Turn{Chunks: half.Chunks, Stop: "abort"}}, success: true, text: "half an answer", want: openai.ErrStopReason},
		"a web page":          {reply: modeltest.Reply{Events: event("<html>sign in</html>")}, success: true, want: openai.ErrMalformed},
		"empty stream":        {reply: modeltest.Reply{Events: event("")}, success: true, want: openai.ErrEmpty},
		"broken line":         {reply: modeltest.Reply{Events: event("data: {\"choices\":[{\n\n" + good)}, success: true, text: "a", want: openai.ErrMalformed},
		"cut connection":      {reply: modeltest.Reply{Turn: half, CutAfter: 2}, want: openai.ErrIncompleteStream},
		"line of 100 kB":      {reply: modeltest.Reply{Turn: modeltest.Turn{Chunks: []modeltest.Chunk{{Text: strings.Repeat("x", 100_000)}}}}},
		"content as a list":   {reply: modeltest.Reply{Events: event(strings.Replace(good, `"a"`, `[{"type":"text","text":"a"}]`, 1))}, success: true},
		"empty body":          {plain: true, reply: modeltest.Reply{Body: []byte{}}, want: openai.ErrEmpty},
		"error within a 200":  {plain: true, reply: modeltest.Reply{Body: []byte(`{"error":{"message":"m"}}`)}, want: openai.ErrInBand},
		"dropped without 200": {plain: true, reply: modeltest.Reply{Drop: true}, want: io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			options := []llms.CallOption{listen}
			if c.plain {
				options = nil
			}
			theirs, ours, _ := both(t, c.reply, nil, options...)
			require.Equal(t, c.success, theirs.err == nil, "langchaingo: %v", theirs.err)
			require.Equal(t, c.text, theirs.text())
			require.False(t, errors.As(theirs.err, new(*llms.Error)), "langchaingo has a type for errors and no client that returns it")
			if c.want == nil {
				require.NoError(t, ours.err)
				return
			}
			require.ErrorIs(t, ours.err, c.want)
			require.ErrorAs(t, ours.err, new(*llms.Error))
		})
	}
}

// TestUpstreamRefusals: of what a server says with a status, theirs keeps a
// text.
func TestUpstreamRefusals(t *testing.T) {
	theirs, ours, _ := both(t, modeltest.Reply{Error: modeltest.RateLimited(3 * time.Second)}, nil)
	require.ErrorContains(t, theirs.err, "429")
	require.False(t, llms.IsRateLimitError(theirs.err))
	require.True(t, llms.IsRateLimitError(ours.err))
	e := new(openai.Error)
	require.ErrorAs(t, ours.err, &e)
	wait, asked := e.RetryAfter()
	require.True(t, asked)
	require.Equal(t, 3*time.Second, wait)
}

// TestUpstreamContexts: when the context ends, theirs picks one of two ready
// channels, and so reports half an answer as a success every other time.
func TestUpstreamContexts(t *testing.T) {
	hang := modeltest.Reply{Turn: modeltest.Turn{Chunks: modeltest.Words("half an answer"), Hang: true}}
	var cancel context.CancelFunc
	var late *overdue
	for name, c := range map[string]struct {
		ctx    func() (context.Context, context.CancelFunc)
		listen func(context.Context, []byte) error
		want   error
	}{
		"stalls until the deadline": {
			ctx: func() (context.Context, context.CancelFunc) {
				late = &overdue{Context: t.Context(), done: make(chan struct{})}
				return late, func() {}
			},
			listen: func(context.Context, []byte) error { late.end(); return nil },
			want:   context.DeadlineExceeded,
		},
		"the callback cancels": {
			ctx: func() (ctx context.Context, _ context.CancelFunc) {
				ctx, cancel = context.WithCancel(t.Context())
				return ctx, cancel
			},
			listen: func(context.Context, []byte) error { cancel(); return nil },
			want:   context.Canceled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			successes := 0
			for range 100 {
				theirs, ours, _ := both(t, hang, c.ctx, llms.WithStreamingFunc(c.listen))
				require.ErrorIs(t, ours.err, c.want)
				if theirs.err == nil {
					successes++
				}
			}
			require.Positive(t, successes)
		})
	}

	soon := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(t.Context(), 20*time.Millisecond)
	}
	theirs, ours, _ := both(t, modeltest.Reply{Stall: true}, soon)
	require.Error(t, theirs.err)
	require.NotErrorIs(t, theirs.err, context.DeadlineExceeded, "before the first byte theirs replaces the error")
	require.ErrorIs(t, ours.err, context.DeadlineExceeded)
}

// overdue is a context whose deadline passes when end is called: after the first chunk,
// however long a busy machine took until then.
type overdue struct {
	context.Context
	done chan struct{}
	once sync.Once
}

func (o *overdue) end()                  { o.once.Do(func() { close(o.done) }) }
func (o *overdue) Done() <-chan struct{} { return o.done }
func (o *overdue) Err() error {
	select {
	case <-o.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestUpstreamMerges: two choices, and two calls whose deltas take turns,
// become one in theirs.
func TestUpstreamMerges(t *testing.T) {
	listen := llms.WithStreamingFunc(func(context.Context, []byte) error { return nil })
	theirs, ours, _ := both(t, modeltest.Reply{Turn: modeltest.Turn{Chunks: []modeltest.Chunk{{Text: "a"}, {Choice: 1, Text: "x"}, {Text: "b"}}}}, nil, listen, llms.WithN(2))
	require.NoError(t, theirs.err)
	require.Len(t, theirs.r.Choices, 1)
	require.Equal(t, "axb", theirs.text())
	require.Len(t, ours.r.Choices, 2)
	require.Equal(t, "ab", ours.text())

	one, two := modeltest.CallTool(0, "1", "f", `{"a":1}`), modeltest.CallTool(1, "2", "g", `{"b":2}`)
	mixed := []modeltest.Chunk{one[0], two[0], one[1], two[1]}
	theirs, ours, _ = both(t, modeltest.Reply{Turn: modeltest.Turn{Chunks: mixed}}, nil, listen)
	require.NoError(t, theirs.err)
	require.Equal(t, []string{"", `{"a":1}{"b":2}`}, arguments(theirs.r))
	require.Equal(t, []string{`{"a":1}`, `{"b":2}`}, arguments(ours.r))
}

func arguments(r *llms.ContentResponse) (out []string) {
	for _, c := range r.Choices[0].ToolCalls {
		out = append(out, c.FunctionCall.Arguments)
	}
	return out
}

func TestUpstreamOptions(t *testing.T) {
	sent := func(options ...llms.CallOption) (theirs, ours map[string]any) {
		_, _, s := both(t, modeltest.Reply{Turn: modeltest.Say("a")}, nil, options...)
		require.NoError(t, s.Requests()[0].Decode(&theirs))
		require.NoError(t, s.Requests()[1].Decode(&ours))
		return theirs, ours
	}
	theirs, ours := sent()
	require.Contains(t, theirs, "temperature", "a 0 that nobody asked for")
	require.NotContains(t, ours, "temperature")
	theirs, ours = sent(llms.WithTopP(0.5), llms.WithSeed(0), llms.WithTemperature(0))
	require.NotContains(t, theirs, "top_p")
	require.NotContains(t, theirs, "seed")
	require.Equal(t, []any{0.5, 0.0, 0.0}, []any{ours["top_p"], ours["seed"], ours["temperature"]})
}

// TestUpstreamRedirect: theirs follows the server to any host, with the prompt
// and Azure's key.
func TestUpstreamRedirect(t *testing.T) {
	var leaked []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leaked = append(leaked, r.Header.Get("Api-Key"))
	}))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.RedirectHandler(strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect))
	t.Cleanup(s.Close)
	theirs, err := langchain.New(langchain.WithBaseURL(s.URL), langchain.WithToken("azure-key"), langchain.WithModel("m"),
		langchain.WithAPIType(langchain.APITypeAzure), langchain.WithAPIVersion("v"), langchain.WithEmbeddingModel("e"))
	require.NoError(t, err)
	_, err = theirs.Call(t.Context(), "q")
	require.Error(t, err)
	require.Equal(t, []string{"azure-key"}, leaked)
	ours, err := openai.New("m", &openai.Options{BaseURL: s.URL, APIKey: "azure-key", Azure: &openai.Azure{APIVersion: "v"}})
	require.NoError(t, err)
	_, err = ours.Call(t.Context(), "q")
	require.Error(t, err)
	require.Len(t, leaked, 1)
}
