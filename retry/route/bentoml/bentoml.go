package bentoml

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
	"github.com/prodailabs/prodai/retry/route/internal/engine"
)

// ErrOption is wrapped by the error of a constructor, if an option has a value that
// can't work or a required argument is empty.
var ErrOption = errors.New("bentoml: invalid option")

// Options are the settings of a [Model]. A BentoML service defines its own methods,
// so their names are settings.
type Options struct {
	// Path is the method that returns a whole text. Default: "/generate".
	Path string
	// StreamPath is the method that yields texts. Default: "/stream".
	StreamPath string
	// TextField and MaxTokensField are the names of the methods' parameters. Default:
	// "text" and "max_tokens".
	TextField, MaxTokensField string
	// Fields are sent with each call. Default: none.
	Fields map[string]any
	// Prompt makes the text of messages. Default: lines of "role: text", or the text
	// alone for one message.
	Prompt func([]llms.MessageContent) (string, error)
	// Header is added to every request. Default: none.
	Header http.Header
	// HTTPClient sends the requests. Default: a client without a timeout.
	HTTPClient *http.Client
}

// A Model is one BentoML service. It is safe for concurrent use.
type Model struct {
	o Options
	c *engine.Client
}

// New returns a model of a service at an address; nil options mean the defaults. It
// fails with [ErrOption].
func New(address string, o *Options) (*Model, error) {
	m := &Model{}
	if o != nil {
		m.o = *o
	}
	c, err := engine.NewClient(address, m.o.Header, m.o.HTTPClient)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOption, err)
	}
	m.c = c
	for _, d := range []struct {
		at        *string
		byDefault string
	}{{&m.o.Path, "/generate"}, {&m.o.StreamPath, "/stream"}, {&m.o.TextField, "text"}, {&m.o.MaxTokensField, "max_tokens"}} {
		if *d.at == "" {
			*d.at = d.byDefault
		}
	}
	if !strings.HasPrefix(m.o.Path, "/") || !strings.HasPrefix(m.o.StreamPath, "/") {
		return nil, fmt.Errorf("%w: Options.Path is %q and StreamPath %q: want paths that begin with /", ErrOption, m.o.Path, m.o.StreamPath)
	}
	if m.o.Prompt == nil {
		m.o.Prompt = engine.Prompt
	}
	return m, nil
}

// Check reports whether the service is ready, by /readyz.
func (m *Model) Check(ctx context.Context) error {
	_, err := m.c.Get(ctx, "/readyz")
	return err
}

// Call asks for one text answer to one prompt.
func (m *Model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return engine.Call(ctx, m, prompt, options...)
}

// GenerateContent implements llms.Model.
func (m *Model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	return engine.Generate(ctx, messages, options, m.o.Prompt, m.ask)
}

func (m *Model) ask(ctx context.Context, r *engine.Request) (*engine.Answer, error) {
	body := map[string]any{}
	for k, v := range m.o.Fields {
		body[k] = v
	}
	body[m.o.TextField] = r.Prompt
	if r.Has(callopt.MaxTokens) && r.MaxTokens > 0 {
		body[m.o.MaxTokensField] = r.MaxTokens
	}
	if r.Emit == nil {
		text, err := m.c.Post(ctx, m.o.Path, body)
		if err != nil {
			return nil, err
		}
		return &engine.Answer{Text: string(text)}, nil
	}
	resp, err := m.c.Send(ctx, http.MethodPost, m.o.StreamPath, body, http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	return stream(ctx, resp.Body, r.Emit)
}

// stream passes on a body as it comes. Its type is text/event-stream, and yet it has
// no events: the texts are joined as they are.
func stream(ctx context.Context, body io.Reader, emit func(string) error) (*engine.Answer, error) {
	var all strings.Builder
	var rest []byte // the beginning of a character
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		data := append(rest, buf[:n]...)
		whole := complete(data)
		if err != nil {
			whole = len(data)
		}
		if whole > 0 {
			all.Write(data[:whole])
			if all.Len() > engine.MaxBody {
				return nil, engine.Malformed(fmt.Errorf("it has more than %d bytes", engine.MaxBody))
			}
			if err := emit(string(data[:whole])); err != nil {
				return nil, err
			}
		}
		rest = append([]byte(nil), data[whole:]...)
		if errors.Is(err, io.EOF) {
			return &engine.Answer{Text: all.String()}, nil
		}
		if err != nil {
			return nil, engine.Broken(ctx, err)
		}
	}
}

// complete returns how many bytes of data are whole characters.
func complete(data []byte) int {
	for i := 1; i <= min(utf8.UTFMax-1, len(data)); i++ {
		if b := data[len(data)-i]; utf8.RuneStart(b) {
			if !utf8.FullRune(data[len(data)-i:]) {
				return len(data) - i
			}
			break
		}
	}
	return len(data)
}
