package trace

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/internal/callopt"
)

// A watch measures a stream: the time to the first chunk, the longest wait after
// it, and the waits that are stalls. A wait is the time from the return of the
// caller's function to the next chunk, so a slow reader is not taken for a slow
// provider.
type watch struct {
	stall time.Duration
	keep  bool // the text, for what is left of a stream that breaks off

	began   time.Time
	firstAt atomic.Int64 // nanoseconds after began, at least 1; 0: no chunk yet
	idle    atomic.Int64 // when the last chunk's function returned
	longest atomic.Int64
	stalls  atomic.Int64
	chunks  atomic.Int64

	mu   sync.Mutex
	said strings.Builder
}

// listen appends to the options functions that note each chunk. Only the
// streaming functions that the caller set are wrapped: a call without streaming
// doesn't become a stream, and has a nil watch.
func (m *Model) listen(options []llms.CallOption, o *callopt.Options) (*watch, []llms.CallOption) {
	if o.StreamingFunc == nil && o.StreamingReasoningFunc == nil {
		return nil, options
	}
	w := &watch{stall: m.o.Stall, keep: m.o.Kind == KindAttempt && (m.o.Tokens != nil || m.o.Content), began: time.Now()}
	both := o.StreamingFunc != nil
	options = slices.Clip(options)
	if text := o.StreamingFunc; text != nil {
		options = append(options, llms.WithStreamingFunc(func(ctx context.Context, chunk []byte) error {
			w.arrived()
			err := text(ctx, chunk)
			w.passed(chunk)
			return err
		}))
	}
	if reasoning := o.StreamingReasoningFunc; reasoning != nil {
		options = append(options, llms.WithStreamingReasoningFunc(func(ctx context.Context, thought, chunk []byte) error {
			w.arrived()
			err := reasoning(ctx, thought, chunk)
			if both { // the other function gets the same chunk, and it counts once
				chunk = nil
			}
			w.passed(chunk)
			return err
		}))
	}
	return w, options
}

// arrived notes the arrival of a chunk.
func (w *watch) arrived() {
	now := int64(time.Since(w.began))
	if w.chunks.Add(1) == 1 {
		w.firstAt.Store(max(now, 1))
		return
	}
	gap := now - w.idle.Load()
	if gap > w.longest.Load() { // two functions at once may lose the longer of two waits
		w.longest.Store(gap)
	}
	if gap > int64(w.stall) {
		w.stalls.Add(1)
	}
}

// maxKept bounds the text that is kept of a stream.
const maxKept = 1 << 20

// passed notes that the caller's function has returned.
func (w *watch) passed(chunk []byte) {
	if w.keep {
		w.mu.Lock()
		if w.said.Len()+len(chunk) <= maxKept {
			w.said.Write(chunk)
		}
		w.mu.Unlock()
	}
	w.idle.Store(int64(time.Since(w.began)))
}

// streamed reports how many chunks came; a call that does not stream has none.
func (w *watch) streamed() int64 {
	if w == nil {
		return 0
	}
	return w.chunks.Load()
}

func (w *watch) first() time.Duration  { return time.Duration(w.firstAt.Load()) }
func (w *watch) maxGap() time.Duration { return time.Duration(w.longest.Load()) }

func (w *watch) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String()
}
