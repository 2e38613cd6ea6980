package cache

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
	lc "github.com/tmc/langchaingo/llms/cache"

	"github.com/prodailabs/prodai/cache"
	"github.com/prodailabs/prodai/internal/growth"
)

type model struct{}

func (model) GenerateContent(context.Context, []llms.MessageContent, ...llms.CallOption) (*llms.ContentResponse, error) {
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: strings.Repeat("answer ", 100), StopReason: "stop"}}}, nil
}

func (model) Call(context.Context, string, ...llms.CallOption) (string, error) { return "", nil }

type table map[string]*llms.ContentResponse

func (m table) Get(_ context.Context, key string) *llms.ContentResponse    { return m[key] }
func (m table) Put(_ context.Context, key string, r *llms.ContentResponse) { m[key] = r }

// BenchmarkHit alternates between a hit of ours and of langchaingo's cache, whose backend
// here is a bare map, for a prompt of 2 kB. On a busy machine read cpu-ns/op, the time of
// the processor.
func BenchmarkHit(b *testing.B) {
	mine, err := cache.New(model{}, nil)
	require.NoError(b, err)
	theirs := lc.New(model{}, table{})
	prompt := []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, strings.Repeat("q", 2048))}
	for _, side := range []struct {
		name string
		m    llms.Model
	}{{"prodai", mine}, {"langchaingo", theirs}, {"prodai again", mine}, {"langchaingo again", theirs}} {
		b.Run(side.name, func(b *testing.B) {
			began := growth.ProcessorTime()
			for b.Loop() {
				if _, err := side.m.GenerateContent(context.Background(), prompt); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(growth.ProcessorTime()-began)/float64(b.N), "cpu-ns/op")
		})
	}
}
