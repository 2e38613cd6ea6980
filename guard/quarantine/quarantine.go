package quarantine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/guard"
	"github.com/prodailabs/prodai/internal/stopreason"
	"github.com/prodailabs/prodai/internal/wrap"
)

// ErrOption is wrapped by the error about a reading model that is nil.
var ErrOption = errors.New("quarantine: invalid option")

// ErrChoice reports that the reading model's answer is none of the choices.
var ErrChoice = errors.New("quarantine: the answer is none of the choices")

// ErrIncomplete reports an answer that the reading model's provider did not finish. Half
// of a word may be another one of the choices.
var ErrIncomplete = errors.New("quarantine: the answer is not complete")

// A Value is a text of which programs and prompts see only the name. The zero Value is
// the empty text without a name.
type Value struct {
	name string
	text *string // a pointer, so that printing the struct's insides shows none of it
}

// String returns the value's name, such as {{v1}}.
func (v Value) String() string { return v.name }

// GoString returns the value's name too.
func (v Value) GoString() string { return v.name }

// Format prints the value's name for every verb.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.name)) }

// MarshalText returns the value's name, for JSON as well.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.name), nil }

// LogValue returns the value's name.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.name) }

// Reveal returns the text. It is for the program, never for the privileged
// model's prompt.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// A Session keeps the values of one task. It is safe for concurrent use. Make one
// with [New]: the zero value has no reading model, so its Ask and Choose return an
// error that wraps [ErrOption].
type Session struct {
	reader llms.Model

	mu     sync.Mutex
	values map[string]Value
}

// New returns a session in which reader reads the values. Give it a model without
// tools or memory; a small one is often enough. A nil reader is an error that
// wraps [ErrOption].
func New(reader llms.Model) (*Session, error) {
	if reader == nil {
		return nil, fmt.Errorf("%w: the reading model is nil", ErrOption)
	}
	return &Session{reader: reader}, nil
}

// Hold puts a text under a new name.
func (s *Session) Hold(text string) Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]Value{}
	}
	v := Value{"{{v" + strconv.Itoa(len(s.values)+1) + "}}", &text}
	s.values[v.name] = v
	return v
}

const readerPrompt = "You read material from outside and answer one question about it. You can do nothing else."

// Ask lets the reading model answer a question about values. The answer is a value,
// as untrusted as the values in the question. An answer that was cut, withheld or
// broken off is an error that wraps [ErrIncomplete].
func (s *Session) Ask(ctx context.Context, question string, values ...Value) (Value, error) {
	answer, err := s.read(ctx, question, values)
	if err != nil {
		return Value{}, err
	}
	return s.Hold(answer), nil
}

// Choose lets the reading model pick one of the program's own words, and returns its
// index. Case and the punctuation around the answer are ignored.
func (s *Session) Choose(ctx context.Context, question string, choices []string, values ...Value) (int, error) {
	answer, err := s.read(ctx, question+"\nAnswer with one of these and nothing else: "+strings.Join(choices, ", "), values)
	if err != nil {
		return 0, err
	}
	answer = strings.Trim(strings.TrimSpace(answer), ".!\"'`* ")
	for i, c := range choices {
		if strings.EqualFold(answer, c) {
			return i, nil
		}
	}
	return 0, ErrChoice
}

func (s *Session) read(ctx context.Context, question string, values []Value) (string, error) {
	if s.reader == nil {
		return "", fmt.Errorf("%w: the session has no reading model: make one with New", ErrOption)
	}
	ctx = guard.NewContext(ctx, guard.SpotlightDelimit)
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.Reveal()
	}
	shown := guard.Untrusted(ctx, texts...)
	r, err := s.reader.GenerateContent(ctx, []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, readerPrompt+"\n\n"+guard.SpotlightDelimit.Explain()),
		llms.TextParts(llms.ChatMessageTypeHuman, question+"\n\n"+strings.Join(shown, "\n\n")),
	})
	if err != nil {
		return "", wrap.ContextError(ctx, err)
	}
	if r == nil || len(r.Choices) == 0 || r.Choices[0] == nil {
		return "", wrap.ErrNoChoice
	}
	c := r.Choices[0]
	if c.StopReason != "" && stopreason.Of(c.StopReason) != stopreason.Complete {
		return "", fmt.Errorf("%w: its stop reason is %q", ErrIncomplete, c.StopReason)
	}
	return c.Content, nil
}

// Expand puts the texts in the place of their names, for the user to read or for a
// tool's argument. It does so once: a name inside a text stays a name, so a document
// can't make another one appear.
func (s *Session) Expand(text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}}")
		v, known := s.values["{{"+name+"}}"]
		if !closed || !known {
			b.WriteString("{{")
			text = rest
			continue
		}
		b.WriteString(v.Reveal())
		text = after
	}
}
