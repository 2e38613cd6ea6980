package trace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// A ToolKind is how a tool is reached.
type ToolKind uint8

// The kinds of tool.
const (
	ToolFunction ToolKind = iota // a function of this program: INTERNAL span "execute_tool NAME"
	ToolMCP                      // a tool of an MCP server: CLIENT span "tools/call NAME"
)

// A Callable is what langchaingo calls a tools.Tool.
type Callable interface {
	Name() string
	Description() string
	Call(ctx context.Context, input string) (string, error)
}

// A Tool records a span for each call of the wrapped tool. It is a tools.Tool of
// langchaingo too.
type Tool struct {
	next Callable
	o    *Options
}

// NewTool returns a Tool around next. Its error wraps [ErrOption].
func NewTool(next Callable, o *Options) (*Tool, error) {
	if next == nil {
		return nil, optionError("the tool to wrap is nil")
	}
	checked, err := o.check()
	if err != nil {
		return nil, err
	}
	return &Tool{next, checked}, nil
}

// Name returns the wrapped tool's name.
func (t *Tool) Name() string { return t.next.Name() }

// Description returns the wrapped tool's description.
func (t *Tool) Description() string { return t.next.Description() }

// Unwrap returns the wrapped tool.
func (t *Tool) Unwrap() Callable { return t.next }

type toolCallKey struct{}

// WithToolCall returns ctx with the id that the model gave to a tool call, for the
// span of the tool.
func WithToolCall(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, toolCallKey{}, id)
}

// Call runs the tool within a span.
func (t *Tool) Call(ctx context.Context, input string) (string, error) {
	ctx = private(ctx)
	name := t.next.Name()
	method, kind := OperationTool, oteltrace.SpanKindInternal
	a := []attribute.KeyValue{attribute.String(SpanOperation, OperationTool), attribute.String(SpanTool, name)}
	if t.o.Tool == ToolMCP {
		method, kind = "tools/call", oteltrace.SpanKindClient
		a = append(a, attribute.String(SpanMCPMethod, method))
	} else {
		a = append(a, attribute.String(SpanToolType, "function"))
	}
	ctx, s := t.o.startNamed(ctx, method+" "+name, OperationTool, kind, nil, a)
	returned := false
	defer s.done(&returned)
	out, err := t.next.Call(ctx, input)
	returned = true
	if err != nil {
		s.fail(err)
	}
	if s.span.IsRecording() {
		id, _ := ctx.Value(toolCallKey{}).(string)
		a := appendText(t.o.identity(ctx, nil), SpanToolCallID, id)
		a = appendText(a, SpanToolDescription, t.next.Description())
		if t.o.Content {
			a = append(a, attribute.String(SpanToolArguments, input), attribute.String(SpanToolResult, out))
		}
		s.set(a)
	}
	return out, err
}
