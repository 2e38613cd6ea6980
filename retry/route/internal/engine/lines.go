package engine

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
)

// Lines calls f with each line of a body that isn't empty, and closes it. f's error
// ends it.
func Lines(ctx context.Context, resp *http.Response, f func(line []byte) error) error {
	defer func() { _ = resp.Body.Close() }() // what was read is what counts
	sc := bufio.NewScanner(resp.Body)
	sc.Buffer(nil, MaxLine)
	for sc.Scan() {
		if line := bytes.TrimSpace(sc.Bytes()); len(line) > 0 {
			if err := f(line); err != nil {
				return err
			}
		}
	}
	if err := sc.Err(); err != nil {
		if err == bufio.ErrTooLong {
			return Malformed(fmt.Errorf("a line has more than %d bytes", MaxLine))
		}
		return Broken(ctx, err)
	}
	return nil
}

// Events calls f with the data of each event of an event stream.
func Events(ctx context.Context, resp *http.Response, f func(data []byte) error) error {
	return Lines(ctx, resp, func(line []byte) error {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			return nil // a comment, an id, an event's name
		}
		return f(bytes.TrimSpace(data))
	})
}
