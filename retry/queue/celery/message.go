package celery

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrMalformed is wrapped by the error of [Decode] for bytes that are not a message of
// Celery's protocol 2 in JSON.
var ErrMalformed = errors.New("celery: malformed message")

// A Message is one task in Celery's message protocol 2, in an envelope of kombu.
type Message struct {
	Task   string
	ID     string
	Args   []json.RawMessage
	Kwargs map[string]json.RawMessage
	Embed  Embed

	ETA          time.Time // not before; zero: at once
	Expires      time.Time // not after; zero: never
	Retries      int
	TimeLimit    time.Duration // after which a Celery worker kills the task; 0: none
	SoftLimit    time.Duration // after which the task gets an exception; 0: none
	IgnoreResult bool
	RootID       string // of the first task of the workflow
	ParentID     string
	Group        string
	GroupIndex   int // -1: none
	Origin       string
	ArgsRepr     string // for people; "": made from Args
	KwargsRepr   string

	Queue       string // the routing key
	Exchange    string
	Priority    int
	ReplyTo     string
	DeliveryTag string

	// Headers are the headers that have no field above. Properties are the same of the
	// properties.
	Headers    map[string]json.RawMessage
	Properties map[string]json.RawMessage
}

// Embed is what follows a task. Each is JSON, or nil.
type Embed struct {
	Callbacks json.RawMessage `json:"callbacks"`
	Errbacks  json.RawMessage `json:"errbacks"`
	Chain     json.RawMessage `json:"chain"` // signatures in reverse: the last one is next
	Chord     json.RawMessage `json:"chord"`
}

// A Signature is a task of a chain that does not exist yet.
type Signature struct {
	Task      string                     `json:"task"`
	Args      []json.RawMessage          `json:"args"`
	Kwargs    map[string]json.RawMessage `json:"kwargs"`
	Options   map[string]json.RawMessage `json:"options"`
	Subtask   json.RawMessage            `json:"subtask_type"`
	Immutable bool                       `json:"immutable"` // doesn't get the result of the task before
}

type envelope struct {
	Body            string                     `json:"body"`
	ContentEncoding string                     `json:"content-encoding"`
	ContentType     string                     `json:"content-type"`
	Headers         map[string]json.RawMessage `json:"headers"`
	Properties      map[string]json.RawMessage `json:"properties"`
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrMalformed, fmt.Errorf(format, args...))
}

// marshal is json.Marshal for what can't fail: strings, numbers and JSON that has been
// decoded.
func marshal(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}

func textOrNull(s string) json.RawMessage {
	if s == "" {
		return json.RawMessage("null")
	}
	return marshal(s)
}

func timeOrNull(t time.Time) json.RawMessage {
	if t.IsZero() {
		return json.RawMessage("null")
	}
	form := "2006-01-02T15:04:05.000000-07:00" // Python's isoformat
	if t.Nanosecond()/1000 == 0 {
		form = "2006-01-02T15:04:05-07:00"
	}
	return marshal(t.Format(form))
}

func secondsOrNull(d time.Duration) json.RawMessage {
	if d <= 0 {
		return json.RawMessage("null")
	}
	return marshal(d.Seconds())
}

// defaults are the headers of a new message that have no field.
var defaults = map[string]string{
	"lang": `"py"`, "shadow": `null`, "replaced_task_nesting": `0`, "stamped_headers": `null`, "stamps": `{}`,
}

// Encode returns the message as kombu stores it in Redis. It fails if Args, Kwargs,
// Headers, Properties or Embed contain what is not JSON.
func Encode(m *Message) ([]byte, error) {
	if m == nil || m.Task == "" || m.ID == "" || m.DeliveryTag == "" {
		return nil, errors.New("celery: a message needs Task, ID and DeliveryTag")
	}
	args, kwargs := m.Args, m.Kwargs
	if args == nil {
		args = []json.RawMessage{}
	}
	if kwargs == nil {
		kwargs = map[string]json.RawMessage{}
	}
	body, err := json.Marshal([]any{args, kwargs, m.Embed})
	if err != nil {
		return nil, fmt.Errorf("celery: the arguments of %s: %w", m.Task, err)
	}
	root := m.RootID
	if root == "" {
		root = m.ID
	}
	h := maps.Clone(m.Headers)
	if h == nil {
		h = map[string]json.RawMessage{}
	}
	for name, value := range defaults {
		if _, ok := h[name]; !ok {
			h[name] = json.RawMessage(value)
		}
	}
	argsRepr, kwargsRepr := m.ArgsRepr, m.KwargsRepr
	if argsRepr == "" {
		argsRepr = reprTuple(args)
	}
	if kwargsRepr == "" {
		kwargsRepr = reprDict(kwargs)
	}
	index := json.RawMessage("null")
	if m.Group != "" && m.GroupIndex >= 0 {
		index = marshal(m.GroupIndex)
	}
	for name, value := range map[string]json.RawMessage{
		"task": marshal(m.Task), "id": marshal(m.ID), "eta": timeOrNull(m.ETA), "expires": timeOrNull(m.Expires),
		"group": textOrNull(m.Group), "group_index": index, "retries": marshal(m.Retries),
		"timelimit": marshal([]json.RawMessage{secondsOrNull(m.TimeLimit), secondsOrNull(m.SoftLimit)}),
		"root_id":   marshal(root), "parent_id": textOrNull(m.ParentID),
		"argsrepr": marshal(argsRepr), "kwargsrepr": marshal(kwargsRepr), "origin": textOrNull(m.Origin), "ignore_result": marshal(m.IgnoreResult),
	} {
		h[name] = value
	}
	p := maps.Clone(m.Properties)
	if p == nil {
		p = map[string]json.RawMessage{}
	}
	if _, ok := p["delivery_mode"]; !ok {
		p["delivery_mode"] = json.RawMessage("2")
	}
	p["correlation_id"], p["reply_to"] = marshal(m.ID), marshal(m.ReplyTo)
	p["delivery_info"] = marshal(map[string]string{"exchange": m.Exchange, "routing_key": m.Queue})
	p["priority"], p["body_encoding"], p["delivery_tag"] = marshal(m.Priority), json.RawMessage(`"base64"`), marshal(m.DeliveryTag)
	data, err := json.Marshal(envelope{
		Body: base64.StdEncoding.EncodeToString(body), ContentEncoding: "utf-8", ContentType: "application/json", Headers: h, Properties: p,
	})
	if err != nil {
		return nil, fmt.Errorf("celery: the headers of %s: %w", m.Task, err)
	}
	return data, nil
}

// Decode reads a message. It accepts what a Celery worker accepts in JSON, down to the
// smallest message: the headers task and id. It fails with [ErrMalformed].
func Decode(data []byte) (*Message, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, malformed("the envelope: %w", err)
	}
	if e.ContentType != "application/json" {
		return nil, malformed("the content type is %q: want application/json", e.ContentType)
	}
	if c := strings.ToLower(e.ContentEncoding); c != "utf-8" && c != "utf8" {
		return nil, malformed("the content encoding is %q: want utf-8", e.ContentEncoding)
	}
	m := &Message{GroupIndex: -1, Headers: e.Headers, Properties: e.Properties}
	if err := m.readProperties(); err != nil {
		return nil, err
	}
	body := []byte(e.Body)
	var encoding string
	if err := m.take(m.Properties, "body_encoding", &encoding); err != nil {
		return nil, err
	}
	switch encoding {
	case "base64":
		var err error
		if body, err = base64.StdEncoding.DecodeString(e.Body); err != nil {
			return nil, malformed("the body: %w", err)
		}
	case "":
	default:
		return nil, malformed("the body encoding is %q: want base64", encoding)
	}
	if err := m.readBody(body); err != nil {
		return nil, err
	}
	return m, m.readHeaders()
}

// take moves a field out of a map into v. A missing field and null leave v as it is.
func (m *Message) take(from map[string]json.RawMessage, name string, v any) error {
	raw, ok := from[name]
	if !ok {
		return nil
	}
	delete(from, name)
	if err := json.Unmarshal(raw, v); err != nil {
		return malformed("%s: %w", name, err)
	}
	return nil
}

func (m *Message) readProperties() error {
	var info struct {
		Exchange   string `json:"exchange"`
		RoutingKey string `json:"routing_key"`
	}
	var correlation string
	var priority float64
	for name, v := range map[string]any{
		"correlation_id": &correlation, "reply_to": &m.ReplyTo, "delivery_info": &info, "priority": &priority, "delivery_tag": &m.DeliveryTag,
	} {
		if err := m.take(m.Properties, name, v); err != nil {
			return err
		}
	}
	m.Queue, m.Exchange = info.RoutingKey, info.Exchange
	if !(priority >= 0 && priority <= 255) {
		return malformed("the priority is %v: want 0 to 9", priority)
	}
	m.Priority = int(priority)
	return nil
}

func (m *Message) readBody(body []byte) error {
	var parts []json.RawMessage
	if !utf8.Valid(body) {
		return malformed("the body is not UTF-8")
	}
	if err := json.Unmarshal(body, &parts); err != nil {
		return malformed("the body: %w", err)
	}
	if len(parts) != 3 {
		return malformed("the body has %d parts: want args, kwargs and embed", len(parts))
	}
	for i, v := range []any{&m.Args, &m.Kwargs, &m.Embed} {
		if err := json.Unmarshal(parts[i], v); err != nil {
			return malformed("the body's part %d: %w", i, err)
		}
	}
	for _, part := range []*json.RawMessage{&m.Embed.Callbacks, &m.Embed.Errbacks, &m.Embed.Chain, &m.Embed.Chord} {
		if bytes.Equal(*part, []byte("null")) {
			*part = nil
		}
	}
	return nil
}

func (m *Message) readHeaders() error {
	var eta, expires string
	var limits []*float64
	index := -1.0
	retries := 0.0
	for name, v := range map[string]any{
		"task": &m.Task, "id": &m.ID, "eta": &eta, "expires": &expires, "retries": &retries, "timelimit": &limits,
		"root_id": &m.RootID, "parent_id": &m.ParentID, "group": &m.Group, "group_index": &index,
		"argsrepr": &m.ArgsRepr, "kwargsrepr": &m.KwargsRepr, "origin": &m.Origin, "ignore_result": &m.IgnoreResult,
	} {
		if err := m.take(m.Headers, name, v); err != nil {
			return err
		}
	}
	if m.Task == "" || m.ID == "" {
		return malformed("the headers have no task or no id: protocol 1 is not supported")
	}
	if !(retries >= 0 && retries <= math.MaxInt32 && index >= -1 && index <= math.MaxInt32) {
		return malformed("retries is %v and group_index %v", retries, index)
	}
	m.Retries, m.GroupIndex = int(retries), int(index)
	var err error
	if m.ETA, err = readTime(eta); err != nil {
		return err
	}
	if m.Expires, err = readTime(expires); err != nil {
		return err
	}
	for i, into := range []*time.Duration{&m.TimeLimit, &m.SoftLimit} {
		if i < len(limits) && limits[i] != nil {
			if s := *limits[i]; s > 0 && s < 1e9 {
				*into = time.Duration(s * float64(time.Second))
			}
		}
	}
	return nil
}

// readTime reads Python's isoformat. A time without a zone is in UTC.
func readTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, malformed("%q is not a time in ISO 8601", s)
}

// NewID returns a random UUID, version 4.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// reprTuple and reprDict write arguments as Celery shows them to people.
func reprTuple(args []json.RawMessage) string {
	var parts []string
	for _, a := range args {
		parts = append(parts, repr(a))
	}
	if len(parts) == 1 {
		parts[0] += ","
	}
	return shorten("(" + strings.Join(parts, ", ") + ")")
}

func reprDict(kwargs map[string]json.RawMessage) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(kwargs)) {
		parts = append(parts, "'"+k+"': "+repr(kwargs[k]))
	}
	return shorten("{" + strings.Join(parts, ", ") + "}")
}

func repr(raw json.RawMessage) string {
	text := strings.TrimSpace(string(raw))
	switch {
	case text == "null":
		return "None"
	case text == "true":
		return "True"
	case text == "false":
		return "False"
	case strings.HasPrefix(text, `"`):
		var s string
		if json.Unmarshal(raw, &s) == nil {
			return "'" + s + "'"
		}
	case strings.HasPrefix(text, "["):
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil {
			parts := make([]string, len(list))
			for i, x := range list {
				parts[i] = repr(x)
			}
			return "[" + strings.Join(parts, ", ") + "]"
		}
	case strings.HasPrefix(text, "{"):
		var dict map[string]json.RawMessage
		if json.Unmarshal(raw, &dict) == nil {
			return reprDict(dict)
		}
	}
	return text
}

func shorten(s string) string {
	const most = 1024
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-3], "") + "..."
}
