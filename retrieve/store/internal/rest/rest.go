// Package rest sends JSON requests to a database, and turns what isn't a success into a
// [store.Error] that says whether to try again.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prodailabs/prodai/retrieve/store"
)

// maxAnswer bounds what is read of an answer, and maxMessage what is quoted of an error.
const (
	maxAnswer  = 256 << 20
	maxMessage = 400
)

// A Client sends requests to one server.
type Client struct {
	Database string // in errors
	base     *url.URL
	header   http.Header
	http     *http.Client
}

// New makes a client. A header with an empty value is left out. A nil http client is one
// with a timeout of a minute that follows no redirects, since these would carry the key
// to another host.
func New(database, base string, header map[string]string, client *http.Client) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: %s: the URL is %q, want http://… or https://…", store.ErrOption, database, base)
	}
	c := &Client{Database: database, base: u, header: http.Header{}, http: client}
	for name, value := range header {
		if value != "" {
			c.header.Set(name, value)
		}
	}
	if c.http == nil {
		c.http = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return c, nil
}

// Do sends a request to the path of these segments, which are escaped, and reads the answer
// into out unless that is nil. op says in errors what was tried.
func (c *Client) Do(ctx context.Context, op, method string, path []string, query url.Values, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return c.fault(op, store.FaultRecords, err)
		}
		body = bytes.NewReader(data)
	}
	u := c.base.JoinPath(escaped(path)...)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return c.fault(op, store.FaultOther, err)
	}
	r.Header = c.header.Clone()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return c.lost(ctx, op, err)
	}
	defer func() { _ = resp.Body.Close() }() // it is read
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return c.lost(ctx, op, err)
	}
	if len(data) > maxAnswer {
		return c.fault(op, store.FaultOther, fmt.Errorf("the answer is larger than %d bytes", maxAnswer))
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return &store.Error{Database: c.Database, Op: op, Fault: faultOf(resp.StatusCode), Status: resp.StatusCode,
			After: after(resp.Header.Get("Retry-After")), Err: errors.New(message(data))}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return c.fault(op, store.FaultOther, fmt.Errorf("the answer is not what the API promises: %w: %s", err, message(data)))
	}
	return nil
}

// Fault makes an error of this database for an answer with status 200 that is a failure.
func (c *Client) Fault(op string, fault store.Fault, format string, args ...any) error {
	return c.fault(op, fault, fmt.Errorf(format, args...))
}

func (c *Client) fault(op string, fault store.Fault, err error) error {
	return &store.Error{Database: c.Database, Op: op, Fault: fault, Err: err}
}

// lost is for a request without an answer: it may work later unless ctx has ended.
func (c *Client) lost(ctx context.Context, op string, err error) error {
	if ended := ctx.Err(); ended != nil {
		return c.fault(op, store.FaultOther, ended)
	}
	return c.fault(op, store.FaultTemporary, err)
}

func escaped(path []string) []string {
	out := make([]string, len(path))
	for i, s := range path {
		out[i] = url.PathEscape(s)
		if s == "." || s == ".." { // JoinPath would clean them away
			out[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return out
}

func faultOf(status int) store.Fault {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return store.FaultRecords
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return store.FaultTemporary
	}
	return store.FaultOther
}

// after reads seconds or a date.
func after(header string) time.Duration {
	if n, err := strconv.Atoi(header); err == nil && n > 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, min(time.Until(at), time.Hour))
	}
	return 0
}

func message(data []byte) string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(data[:min(len(data), maxMessage)]), ""))
	if text == "" {
		return "without a message"
	}
	return text
}

// Missing reports whether an error says that something isn't there.
func Missing(err error) bool {
	e, ok := errors.AsType[*store.Error](err)
	return ok && e.Status == http.StatusNotFound
}
