package trace_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/trace"
)

func TestModelKeepsTheContract(t *testing.T) {
	for name, o := range map[string]trace.Options{
		"attempt": {Tracer: sdktrace.NewTracerProvider().Tracer("t"), Content: true},
		"logical": {Tracer: sdktrace.NewTracerProvider().Tracer("t"), Kind: trace.KindLogical},
		"off":     {},
	} {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(tb testing.TB, next llms.Model) llms.Model {
				m, err := trace.New(next, &o)
				require.NoError(tb, err)
				return m
			}, nil)
		})
	}
}
