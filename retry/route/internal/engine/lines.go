package engine

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Lines posts JSON and calls f with each line of the answer that isn't empty. f's
// error ends it.
func (c *Client) Lines(ctx context.Context, path string, body any, header http.Header, f func(line []byte) error) error {
	resp, err := c.Send(ctx, http.MethodPost, path, body, header)
	if err != nil {
		return err
	}
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
		if errors.Is(err, bufio.ErrTooLong) {
			return Malformed(fmt.Errorf("a line has more than %d bytes", MaxLine))
		}
		return Broken(ctx, err)
	}
	return nil
}

// Events posts JSON and calls f with the data of each event of the answer.
func (c *Client) Events(ctx context.Context, path string, body any, f func(data []byte) error) error {
	return c.Lines(ctx, path, body, http.Header{"Accept": {"text/event-stream"}}, func(line []byte) error {
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			return nil // a comment, an id, an event's name
		}
		return f(bytes.TrimSpace(data))
	})
}
