package gateway

import (
	"encoding/json"
	"net/http"
	"sync"
)

// events writes server-sent events, one at a time, flushed as they come. The
// first one begins the response.
type events struct {
	w     http.ResponseWriter
	mu    sync.Mutex
	begun bool
}

// send writes an event whose data is JSON.
func (e *events) send(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return e.raw(string(data))
}

// raw writes an event's data.
func (e *events) raw(data string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		h.Set("X-Accel-Buffering", "no")
		e.w.WriteHeader(http.StatusOK)
	}
	if _, err := e.w.Write([]byte("data: " + data + "\n\n")); err != nil {
		return err
	}
	return http.NewResponseController(e.w).Flush()
}
