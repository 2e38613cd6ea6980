package openai

import (
	"fmt"
	"strings"
)

// An sseEvent is an event of a server-sent event stream.
type sseEvent struct{ name, data string }

// plainEvents reads a whole stream of server-sent events by the rules of the
// specification (WHATWG HTML, 9.2.6). It needs the whole stream in memory, and a client
// must show each token when it arrives. So the package's reader takes the bytes as
// they come, and the tests compare the two.
//
// Traps:
//   - A line ends in LF, CR or CRLF. CR and LF can arrive in two reads.
//   - One space after the colon is dropped, and only one.
//   - The data lines of one event are joined by LF. One line is not one event.
//   - An event without data is no event, and its name is forgotten.
//   - The specification drops an event that the end of the stream cuts off. Servers end
//     so after [DONE], so here, as in the package's reader, the end of the stream ends
//     the event.
func plainEvents(stream string) (out []sseEvent) {
	stream = strings.TrimPrefix(stream, "\ufeff") // a byte order mark
	stream = strings.ReplaceAll(strings.ReplaceAll(stream, "\r\n", "\n"), "\r", "\n")
	var name string
	var data []string
	for _, line := range append(strings.Split(stream, "\n"), "") {
		if line == "" { // a blank line ends the event
			if data != nil {
				out = append(out, sseEvent{name, strings.Join(data, "\n")})
			}
			name, data = "", nil
			continue
		}
		field, value, _ := strings.Cut(line, ":") // a comment has the field ""
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "data":
			data = append(data, value)
		case "event":
			name = value
		}
	}
	return out
}

// A stream with a comment that keeps the connection open, an event of two data lines,
// one with a name, and a last one without a blank line.
func Example_serverSentEvents() {
	stream := ": ping\n\ndata: {\"a\":\ndata: 1}\n\nevent: error\r\ndata:{}\r\n\r\ndata: [DONE]"
	for _, e := range plainEvents(stream) {
		fmt.Printf("%q %q\n", e.name, e.data)
	}
	// Output:
	// "" "{\"a\":\n1}"
	// "error" "{}"
	// "" "[DONE]"
}
