package openai

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// events reads the events of a server-sent event stream: lines end in LF, CR
// or CRLF; a blank line ends an event; "data:" lines of one event are joined by
// LF; comments, ids and retry times are skipped. (WHATWG HTML, "Server-sent
// events", 9.2.6.) An event that ends with the stream instead of a blank line
// counts: servers end so after [DONE].
type events struct {
	r      io.Reader
	limit  int // bytes of one event's data
	buf    []byte
	from   int  // buf[from:] isn't consumed
	scan   int  // buf[from:scan] holds no line end
	skipLF bool // the line before ended in CR
	first  bool // no line was read yet
	data   []byte
	err    error
}

func newEvents(r io.Reader, limit int) *events {
	return &events{r: r, limit: limit, first: true}
}

// next returns the next event with data: its name, "" if it has none, and its
// data, which are valid until the next call. io.EOF ends the stream; closed
// says whether the event's blank line was seen.
func (e *events) next() (name string, data []byte, closed bool, err error) {
	var seen bool
	data = e.data[:0]
	defer func() { e.data = data[:0] }() // keeps the room for the next event
	for {
		line, ended, err := e.line()
		if err != nil {
			if errors.Is(err, io.EOF) && seen {
				return name, data, false, nil
			}
			return "", nil, false, err
		}
		if len(line) == 0 && ended {
			if seen {
				return name, data, true, nil
			}
			name = ""
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "data":
			if seen {
				data = append(data, '\n')
			}
			seen = true
			data = append(data, value...)
			if len(data) > e.limit {
				return "", nil, false, e.tooLarge()
			}
		case "event":
			name = string(value)
		}
	}
}

func (e *events) tooLarge() error {
	return fmt.Errorf("%w: an event has more than %d bytes", ErrTooLarge, e.limit)
}

// line returns a line without its end, and whether it had one. It is valid
// until the next call.
func (e *events) line() (line []byte, ended bool, err error) {
	for {
		if e.skipLF && e.from < len(e.buf) {
			if e.buf[e.from] == '\n' {
				e.from++
				e.scan = max(e.scan, e.from)
			}
			e.skipLF = false
		}
		if i := bytes.IndexAny(e.buf[e.scan:], "\r\n"); i >= 0 {
			end := e.scan + i
			line = e.buf[e.from:end]
			e.skipLF = e.buf[end] == '\r'
			e.from, e.scan = end+1, end+1
			return e.bom(line), true, nil
		}
		e.scan = len(e.buf)
		if e.err != nil {
			line = e.buf[e.from:]
			e.from = len(e.buf)
			if len(line) > 0 && errors.Is(e.err, io.EOF) {
				return e.bom(line), false, nil
			}
			return nil, false, e.err
		}
		if e.scan-e.from > e.limit+len("data: ") {
			return nil, false, e.tooLarge()
		}
		e.fill()
	}
}

// bom drops a byte order mark before the first line.
func (e *events) bom(line []byte) []byte {
	if e.first {
		e.first = false
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	return line
}

// fill reads more, making room by moving what is left to the front.
func (e *events) fill() {
	if e.from > 0 {
		n := copy(e.buf, e.buf[e.from:])
		e.buf = e.buf[:n]
		e.scan -= e.from
		e.from = 0
	}
	if len(e.buf) == cap(e.buf) {
		grown := make([]byte, len(e.buf), max(2*cap(e.buf), 4<<10))
		copy(grown, e.buf)
		e.buf = grown
	}
	n, err := e.r.Read(e.buf[len(e.buf):cap(e.buf)])
	e.buf = e.buf[:len(e.buf)+n]
	e.err = err
}
