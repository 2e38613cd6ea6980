package langchain

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	lc "github.com/tmc/langchaingo/llms/cache"

	"github.com/prodailabs/prodai/cache"
)

// A desk counts its calls, and streams in two chunks.
type desk struct {
	calls int
	stop  string
}

func (d *desk) GenerateContent(ctx context.Context, _ []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var o llms.CallOptions
	for _, apply := range options {
		apply(&o)
	}
	d.calls++
	text := fmt.Sprint(d.calls, " \xff")
	if o.StreamingFunc != nil {
		for _, chunk := range []string{text[:1], text[1:]} {
			if err := o.StreamingFunc(ctx, []byte(chunk)); err != nil {
				return nil, err
			}
		}
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: text, StopReason: d.stop}}}, nil
}

func (d *desk) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

func TestOptions(t *testing.T) {
	memory, err := cache.NewMemory(1000)
	require.NoError(t, err)
	for _, err := range []error{
		second(NewBackend(nil, "m", nil)), second(NewBackend(memory, "", nil)), second(NewStore(nil)),
	} {
		require.ErrorIs(t, err, ErrOption)
	}
}

func second[T any](_ T, err error) error { return err }

type tenant struct{}

func TestBackend(t *testing.T) {
	memory, err := cache.NewMemory(1 << 20)
	require.NoError(t, err)
	now := time.Unix(0, 0)
	o := &Options{Tenant: func(ctx context.Context) string { s, _ := ctx.Value(tenant{}).(string); return s },
		Now: func() time.Time { return now }, Attributes: func(context.Context) map[string]string { return map[string]string{"user": "ann"} }}
	a, err := NewBackend(memory, "a", o)
	require.NoError(t, err)
	b, err := NewBackend(memory, "b", o)
	require.NoError(t, err)
	model := &desk{stop: "stop"}
	ask := func(backend lc.Backend, who, want string) *llms.ContentResponse {
		t.Helper()
		ctx := context.WithValue(t.Context(), tenant{}, who)
		r, err := lc.New(model, backend).GenerateContent(ctx, []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")})
		require.NoError(t, err)
		require.Equal(t, want, r.Choices[0].Content)
		return r
	}
	ask(a, "x", "1 \xff").Choices[0].Content = "changed by the caller"
	ask(a, "x", "1 \xff").Choices[0].Content = "changed by the caller"
	ask(a, "x", "1 \xff")
	ask(b, "x", "2 \xff") // another model
	ask(a, "y", "3 \xff") // another tenant
	ask(a, "", "4 \xff")
	ask(a, "", "5 \xff") // no tenant
	now = now.Add(time.Hour)
	ask(a, "x", "6 \xff") // past its time
	model.stop = "content_filter"
	now = now.Add(time.Hour)
	ask(a, "x", "7 \xff")
	ask(a, "x", "8 \xff") // not stored
	n, err := memory.Erase(t.Context(), cache.Selection{Tenant: "y", Attributes: map[string]string{"user": "ann"}})
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

type broken struct{}

func (broken) Get(context.Context, cache.Key) (*cache.Entry, error) { return nil, errors.New("down") }
func (broken) Put(context.Context, cache.Key, *cache.Entry) error   { return errors.New("down") }

func TestBackendOverABrokenStore(t *testing.T) {
	var failed int
	b, err := NewBackend(broken{}, "m", &Options{Failed: func(context.Context, error) { failed++ }})
	require.NoError(t, err)
	r, err := lc.New(&desk{stop: "stop"}, b).GenerateContent(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "1 \xff", r.Choices[0].Content)
	require.Equal(t, 2, failed)
}

// A table is a backend of langchaingo.
type table map[string]*llms.ContentResponse

func (m table) Get(_ context.Context, key string) *llms.ContentResponse    { return m[key] }
func (m table) Put(_ context.Context, key string, r *llms.ContentResponse) { m[key] = r }

// Streams and times survive a backend that knows neither.
func TestStore(t *testing.T) {
	backend := table{}
	s, err := NewStore(backend)
	require.NoError(t, err)
	now := time.Unix(0, 0)
	model := &desk{stop: "stop"}
	m, err := cache.New(model, &cache.Options{Model: "m", Store: s, TTL: time.Minute, Now: func() time.Time { return now }})
	require.NoError(t, err)
	ask := func() (chunks []string) {
		_, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "q")},
			llms.WithStreamingFunc(func(_ context.Context, b []byte) error { chunks = append(chunks, string(b)); return nil }))
		require.NoError(t, err)
		return chunks
	}
	require.Equal(t, []string{"1", " \xff"}, ask())
	require.Equal(t, []string{"1", " \xff"}, ask())
	now = now.Add(time.Minute)
	require.Equal(t, []string{"2", " \xff"}, ask())
	require.NoError(t, s.Put(t.Context(), cache.Key{1}, nil))
	for _, foreign := range []*llms.ContentResponse{{}, {Choices: []*llms.ContentChoice{nil}}, {Choices: []*llms.ContentChoice{{Content: "{}"}}},
		{Choices: []*llms.ContentChoice{{Content: "{", StopReason: envelope}}}} {
		backend[cache.Key{1}.String()] = foreign
		_, err := s.Get(t.Context(), cache.Key{1})
		require.ErrorIs(t, err, ErrForeign)
	}
	for key := range backend {
		backend[key] = &llms.ContentResponse{}
	}
	require.Equal(t, []string{"3", " \xff"}, ask(), "a foreign value is a miss")
}
