package gateway

import (
	"context"
	"fmt"
	"runtime/debug"
)

// A message is one event of the page's stream.
type message struct {
	Type string `json:"type"`
	Data any    `json:"data"`
}

// A feed carries the messages of one request to the goroutine of its handler,
// which alone writes the response. The layers log from goroutines of their own,
// some of which outlive the request (a call of the model that others share):
// what they send after the handler has returned goes nowhere.
type feed struct {
	ctx  context.Context // done when the handler returns
	sent chan message
}

func newFeed(ctx context.Context) *feed { return &feed{ctx, make(chan message, 256)} }

// send waits until there is room: the answer is never left out.
func (f *feed) send(m message) error {
	select {
	case f.sent <- m:
		return nil
	case <-f.ctx.Done():
		return f.ctx.Err()
	}
}

// offer leaves the message out if the reader is too slow for it: a slow page must
// not hold up the layers.
func (f *feed) offer(m message) {
	if f.ctx.Err() != nil {
		return
	}
	select {
	case f.sent <- m:
	default:
	}
}

// run calls work in a goroutine of its own and writes what it sends until it has
// returned. After a failed write the rest is thrown away. A panic of work is the
// caller's.
func (f *feed) run(cancel context.CancelFunc, work func(), write func(message) error) {
	ended := make(chan any, 1)
	go func() {
		defer func() {
			p := recover()
			if p != nil {
				p = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			ended <- p
		}()
		work()
	}()
	broken := false
	put := func(m message) {
		if !broken && write(m) != nil {
			broken = true
			cancel()
		}
	}
	for {
		select {
		case m := <-f.sent:
			put(m)
		case p := <-ended:
			for len(f.sent) > 0 {
				put(<-f.sent)
			}
			if p != nil {
				panic(p)
			}
			return
		}
	}
}
