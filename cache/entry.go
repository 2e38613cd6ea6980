package cache

import (
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/delta"
)

// An Entry is a stored answer. A [Store] keeps it and returns it unchanged. Its
// readers must not write to it.
type Entry struct {
	Response *llms.ContentResponse
	Stream   *Recording // how the answer was streamed; nil if it wasn't
	Model    string
	Stored   time.Time
	Expires  time.Time // zero: never
	Keep     time.Time // until when a store keeps it, for use past its time; zero: until Expires

	Tenant, Namespace string            // the scope of its key, for [Model.Erase]
	Attributes        map[string]string // of the call that stored it, the user for example
	Took              time.Duration     // how long the model took; zero: unknown

	Extra []byte // what a package that builds on the store keeps beside the answer
}

// A Recording is a stream, chunk for chunk. A caller that sets the same streaming
// functions gets it replayed so; a caller that sets others gets the answer in one
// piece.
type Recording struct {
	Text, Reasoning bool // which of the streaming functions the caller had set
	Chunks          []Chunk
}

// A Chunk is one call of a streaming function: of StreamingReasoningFunc if
// Both, with Thought and Data, else of StreamingFunc with Data. Delta is the kind
// of the chunk and the index of its choice; trace.Delta is the public name of its
// type.
type Chunk struct {
	Both          bool
	Thought, Data []byte
	Delta         delta.Delta
	After         time.Duration `json:",omitzero"` // since the call began
}

// KeptUntil is when a store may forget the entry; zero means never.
func (e *Entry) KeptUntil() time.Time {
	if e.Expires.IsZero() || e.Keep.Before(e.Expires) {
		return e.Expires
	}
	return e.Keep
}

// size estimates the bytes that an entry occupies.
func (e *Entry) size() int {
	const overhead = 256
	n := overhead + len(e.Extra)
	for _, c := range e.Response.Choices {
		if c == nil {
			continue
		}
		n += overhead + len(c.Content) + len(c.ReasoningContent) + sizeOf(c.GenerationInfo)
		for _, t := range c.ToolCalls {
			n += overhead
			if t.FunctionCall != nil {
				n += len(t.FunctionCall.Name) + len(t.FunctionCall.Arguments)
			}
		}
	}
	for name, value := range e.Attributes {
		n += 64 + len(name) + len(value)
	}
	if e.Stream != nil {
		for _, c := range e.Stream.Chunks {
			n += 96 + len(c.Data) + len(c.Thought)
		}
	}
	return n
}

// sizeOf estimates the bytes of a value of GenerationInfo.
func sizeOf(v any) int {
	const word = 16
	switch v := v.(type) {
	case string:
		return word + len(v)
	case []byte:
		return word + len(v)
	case []string:
		n := word
		for _, s := range v {
			n += word + len(s)
		}
		return n
	case []any:
		n := word
		for _, inner := range v {
			n += sizeOf(inner)
		}
		return n
	case map[string]any:
		n := word
		for key, inner := range v {
			n += 2*word + len(key) + sizeOf(inner)
		}
		return n
	}
	return 4 * word
}
