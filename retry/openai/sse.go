package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// events reads the events of a server-sent event stream: lines end in LF, CR or
// CRLF; a blank line ends an event; "data:" lines of one event are joined by LF;
// and comments, ids and retry times are skipped. (WHATWG HTML, "Server-sent
// events", 9.2.6.) An event that ends with the stream instead of a blank line
// counts: servers end so after [DONE].
//
// Two kinds of lines that are not events are read as events. A line "error: {…}",
// which old versions of llama.cpp send, gets the name "error". A chunk or an error
// as bare JSON, which proxies put into a stream, has no name. Other lines that the
// format doesn't know are kept in odd.
type events struct {
	r      io.Reader
	limit  int // bytes of one event's data
	buf    []byte
	from   int  // buf[from:] isn't consumed
	scan   int  // buf[from:scan] holds no line end
	skipLF bool // the line before ended in CR
	first  bool // no line was read yet
	data   []byte
	bare   []byte // a line that was not an event, and comes next
	named  string // its name
	odd    []byte // the beginning of the text that was not an event
	err    error
}

func newEvents(r io.Reader, limit int) *events {
	return &events{r: r, limit: limit, first: true}
}

// opening returns the first byte that isn't white space or a part of a byte order
// mark, without consuming it; 0 if there is none.
func (e *events) opening() byte {
	for {
		rest := bytes.TrimLeft(bytes.TrimPrefix(e.buf[e.from:], []byte("\ufeff")), " \t\r\n")
		if len(rest) > 0 && (len(rest) > 2 || e.err != nil || rest[0] != 0xef) {
			return rest[0]
		}
		if e.err != nil || len(e.buf) > e.limit {
			return 0
		}
		e.fill()
	}
}

// Read reads what wasn't consumed as it came.
func (e *events) Read(p []byte) (int, error) {
	if e.from < len(e.buf) {
		n := copy(p, e.buf[e.from:])
		e.from += n
		return n, nil
	}
	if e.err != nil {
		return 0, e.err
	}
	return e.r.Read(p)
}

// next returns the next event with data: its name, "" if it has none, and its
// data, which are valid until the next call. io.EOF ends the stream; closed
// says whether the event's blank line was seen.
func (e *events) next() (name string, data []byte, closed bool, err error) {
	if bare := e.bare; bare != nil {
		e.bare = nil
		return e.named, bare, true, nil
	}
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
		if as, bare := bareEvent(line, field, value); bare != nil {
			bare = bytes.Clone(bare)
			if !seen {
				return as, bare, true, nil
			}
			e.named, e.bare = as, bare
			return name, data, true, nil
		}
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
		case "", "id", "retry":
		default:
			e.keep(line)
		}
	}
}

// bareEvent returns the JSON object of a line that should have been an event, and its
// name, or nil.
func bareEvent(line, field, value []byte) (name string, data []byte) {
	switch {
	case string(field) == "error" && bytes.HasPrefix(value, []byte("{")):
		return "error", value
	case bytes.HasPrefix(line, []byte("{")) && (bytes.Contains(line, []byte(`"error"`)) || bytes.Contains(line, []byte(`"choices"`))) && json.Valid(line):
		return "", line
	}
	return "", nil
}

// keep adds a line to the text that was not an event.
func (e *events) keep(line []byte) {
	if room := maxErrorBody - len(e.odd); room > 0 {
		e.odd = append(append(e.odd, line[:min(len(line), room-1)]...), '\n')
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
