package redteam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// HTTPOptions configure [NewHTTPTarget].
type HTTPOptions struct {
	// Client sends the requests. Default: a client that follows no redirect, so that
	// keys in Header go to no other host.
	Client *http.Client

	// Header is added to each request, such as an Authorization. Default: none.
	Header http.Header

	// Model is the model of a chat request. Default: none.
	Model string

	// Body makes the request's JSON. Default: a chat request of the OpenAI protocol,
	// with the document after the user's text.
	Body func(c Conversation) any

	// Text is the path of the answer in the response's JSON, such as "data.0.reply".
	// Default: "choices.0.message.content", with the message's tool calls and refusal.
	Text string

	// Blocked reports that a response with an error status is a guard's answer.
	// Default: status 403, and status 400 or 422 whose body names a content filter,
	// a guard or a moderation.
	Blocked func(status int, body []byte) bool

	// MaxBytes bounds a response. Default: 8 MiB.
	MaxBytes int64
}

// NewHTTPTarget makes a target from an endpoint that takes and returns JSON.
func NewHTTPTarget(endpoint string, o *HTTPOptions) (Target, error) {
	if o == nil {
		o = &HTTPOptions{}
	}
	t := &httpTarget{endpoint: endpoint, o: *o}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: the endpoint %q is not an http or https address", ErrOption, endpoint)
	}
	if o.MaxBytes < 0 {
		return nil, fmt.Errorf("%w: MaxBytes is %d: want 0 (the default) or more", ErrOption, o.MaxBytes)
	}
	if t.o.Client == nil {
		t.o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if t.o.Body == nil {
		t.o.Body = t.chat
	}
	if t.o.Blocked == nil {
		t.o.Blocked = guardAnswered
	}
	if t.o.MaxBytes == 0 {
		t.o.MaxBytes = 8 << 20
	}
	t.o.Header = maps.Clone(o.Header)
	return t, nil
}

type httpTarget struct {
	endpoint string
	o        HTTPOptions
}

func (t *httpTarget) chat(c Conversation) any {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var all []message
	for _, e := range c.Earlier {
		all = append(all, message{"user", e.User}, message{"assistant", e.Answer.Text + e.Answer.Refusal})
	}
	text := c.User
	if c.Document != "" {
		text += "\n\nDocument:\n" + c.Document
	}
	body := map[string]any{"messages": append(all, message{"user", text})}
	if t.o.Model != "" {
		body["model"] = t.o.Model
	}
	return body
}

func guardAnswered(status int, body []byte) bool {
	switch status {
	case http.StatusForbidden:
		return true
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		low := bytes.ToLower(body)
		for _, word := range []string{"content_filter", "content filter", "guard", "moderation", "policy"} {
			if bytes.Contains(low, []byte(word)) {
				return true
			}
		}
	}
	return false
}

func (t *httpTarget) Answer(ctx context.Context, c Conversation) (Answer, error) {
	data, err := json.Marshal(t.o.Body(c))
	if err != nil {
		return Answer{}, fmt.Errorf("redteam: the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.endpoint, bytes.NewReader(data))
	if err != nil {
		return Answer{}, err
	}
	req.Header = maps.Clone(t.o.Header)
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := t.o.Client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, t.o.MaxBytes+1))
	switch {
	case err != nil:
		return Answer{}, err
	case int64(len(body)) > t.o.MaxBytes:
		return Answer{}, fmt.Errorf("redteam: the response has more than %d bytes", t.o.MaxBytes)
	case res.StatusCode/100 != 2 && t.o.Blocked(res.StatusCode, body):
		return Answer{Blocked: true, By: "HTTP " + strconv.Itoa(res.StatusCode)}, nil
	case res.StatusCode/100 != 2:
		return Answer{}, fmt.Errorf("redteam: the endpoint answered with status %d", res.StatusCode)
	}
	return t.read(body)
}

func (t *httpTarget) read(body []byte) (Answer, error) {
	var doc any
	if err := json.Unmarshal(body, &doc); err != nil {
		return Answer{}, fmt.Errorf("redteam: the response is not JSON: %w", err)
	}
	if t.o.Text != "" {
		text, ok := at(doc, t.o.Text).(string)
		if !ok {
			return Answer{}, fmt.Errorf("redteam: the response has no text at %q", t.o.Text)
		}
		return Answer{Text: text}, nil
	}
	message, ok := at(doc, "choices.0.message").(map[string]any)
	if !ok {
		return Answer{}, fmt.Errorf("redteam: the response has no text at %q", "choices.0.message")
	}
	var a Answer
	a.Text, _ = message["content"].(string)
	a.Refusal, _ = message["refusal"].(string)
	calls, _ := message["tool_calls"].([]any)
	for _, c := range calls {
		name, _ := at(c, "function.name").(string)
		arguments, _ := at(c, "function.arguments").(string)
		a.Calls = append(a.Calls, Call{name, arguments})
	}
	if at(doc, "choices.0.finish_reason") == "content_filter" {
		a.Blocked, a.By = true, "provider"
	}
	return a, nil
}

// at returns what a path of keys and numbers leads to.
func at(doc any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(d) {
				return nil
			}
			doc = d[i]
		default:
			return nil
		}
	}
	return doc
}
