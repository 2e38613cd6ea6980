package trace

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// firstChunk measures the time to the first chunk of a stream.
type firstChunk struct {
	began time.Time
	after atomic.Int64 // nanoseconds; 0: no chunk yet
}

// listen appends to the options functions that note the first chunk. Only the
// streaming functions that the caller set are wrapped: a call without streaming
// doesn't become a stream.
func (f *firstChunk) listen(options []llms.CallOption, o *callopt.Options) []llms.CallOption {
	f.began = time.Now()
	options = slices.Clip(options)
	if text := o.StreamingFunc; text != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			f.heard()
			return text(ctx, chunk)
		}))
	}
	if reasoning := o.StreamingReasoningFunc; reasoning != nil {
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, thought, chunk []byte) error {
			f.heard()
			return reasoning(ctx, thought, chunk)
		}))
	}
	return options
}

func (f *firstChunk) heard() {
	if f.after.Load() == 0 {
		f.after.CompareAndSwap(0, max(int64(time.Since(f.began)), 1))
	}
}

func (f *firstChunk) elapsed() time.Duration { return time.Duration(f.after.Load()) }
