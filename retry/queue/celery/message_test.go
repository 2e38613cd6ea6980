package celery

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goldenRow is a case of celery_v2.jsonl: the keys of Redis after Celery sent a task.
type goldenRow struct {
	Case  string
	Redis map[string]json.RawMessage
}

func goldenRows(t testing.TB) (rows []goldenRow) {
	t.Helper()
	name := filepath.Join("testdata", "celery_v2.jsonl")
	if dir := os.Getenv("PRODAI_GOLDEN"); dir != "" {
		name = filepath.Join(dir, "retry", "celery_v2.jsonl")
		if _, err := os.Stat(name); err != nil {
			t.Skipf("no %s", name)
		}
	}
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var r goldenRow
		require.NoError(t, json.Unmarshal(s.Bytes(), &r))
		rows = append(rows, r)
	}
	require.NotEmpty(t, rows)
	return rows
}

// messages returns the envelopes of a row, by the key of their list.
func (r goldenRow) messages(t testing.TB) map[string][]json.RawMessage {
	out := map[string][]json.RawMessage{}
	for key, raw := range r.Redis {
		var list []json.RawMessage
		if !strings.HasPrefix(key, "_kombu.") {
			require.NoError(t, json.Unmarshal(raw, &list))
			out[key] = list
		}
	}
	return out
}

// comparable is an envelope with its body decoded, without the note for readers.
func comparableForm(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var e map[string]any
	require.NoError(t, json.Unmarshal(data, &e))
	delete(e, "_decoded_body")
	raw, err := base64.StdEncoding.DecodeString(e["body"].(string))
	require.NoError(t, err)
	var body any
	require.NoError(t, json.Unmarshal(raw, &body))
	e["body"] = body
	return e
}

// TestGoldenCelery: each message of a real Celery is read, and written as Celery wrote
// it. Ids and tags are the message's own.
func TestGoldenCelery(t *testing.T) {
	t.Run("celery_v2.jsonl", func(t *testing.T) {
		n := 0
		for _, row := range goldenRows(t) {
			for key, list := range row.messages(t) {
				for _, raw := range list {
					n++
					m, err := Decode(raw)
					require.NoError(t, err, row.Case)
					require.Equal(t, key, queueKey(m.Queue, m.Priority), row.Case)
					again, err := Encode(m)
					require.NoError(t, err, row.Case)
					require.Equal(t, comparableForm(t, raw), comparableForm(t, again), row.Case)

					// A message that is made anew from the values.
					fresh := &Message{
						Task: m.Task, ID: m.ID, Args: m.Args, Kwargs: m.Kwargs, Embed: m.Embed, ETA: m.ETA, Expires: m.Expires,
						TimeLimit: m.TimeLimit, SoftLimit: m.SoftLimit, IgnoreResult: m.IgnoreResult, Group: m.Group, GroupIndex: m.GroupIndex,
						Queue: m.Queue, Priority: m.Priority, ReplyTo: m.ReplyTo, DeliveryTag: m.DeliveryTag, Origin: m.Origin,
					}
					if row.Case == "time_limit_headers" {
						fresh.Headers = map[string]json.RawMessage{"x-tenant": json.RawMessage(`"acme"`), "traceparent": m.Headers["traceparent"]}
					}
					if row.Case == "eta_expires" {
						fresh.Properties = map[string]json.RawMessage{"expiration": m.Properties["expiration"]}
					}
					made, err := Encode(fresh)
					require.NoError(t, err, row.Case)
					want := comparableForm(t, raw)
					got := comparableForm(t, made)
					if row.Case == "kwargs_unicode" { // Python keeps the order of the keys, and shows them in it
						delete(want["headers"].(map[string]any), "kwargsrepr")
						delete(got["headers"].(map[string]any), "kwargsrepr")
					}
					require.Equal(t, want, got, row.Case)
				}
			}
		}
		t.Logf("%d messages", n)
		require.GreaterOrEqual(t, n, 14)
	})
}

func TestTheSmallestMessage(t *testing.T) {
	m, err := Decode([]byte(`{"body":"W1sxXSwge30sIHt9XQ==","content-encoding":"utf-8","content-type":"application/json","headers":{"task":"t","id":"i"},"properties":{"body_encoding":"base64","delivery_tag":"x","delivery_info":{"exchange":"","routing_key":"q"}}}`))
	require.NoError(t, err)
	require.Equal(t, "t", m.Task)
	require.Equal(t, "1", string(m.Args[0]))
	require.Equal(t, -1, m.GroupIndex)
}

func TestBadEnvelopes(t *testing.T) {
	good := `{"body":"W1sxXSwge30sIHt9XQ==","content-encoding":"utf-8","content-type":"application/json","headers":{"task":"t","id":"i"},"properties":{"body_encoding":"base64"}}`
	_, err := Decode([]byte(good))
	require.NoError(t, err)
	for _, change := range [][2]string{
		{`{"body"`, `{"body`}, {"W1sx", "!!!!"}, {"application/json", "application/x-python-serialize"}, {"utf-8", "binary"},
		{`"task":"t",`, ""}, {`"id":"i"`, `"id":7`}, {`"id":"i"`, `"id":""`}, {"base64\"}", "zip\"}"}, {"W1sxXSwge30sIHt9XQ==", "W1sxXSwge31d"},
		{"W1sxXSwge30sIHt9XQ==", "eyJhIjoxfQ=="}, {`"id":"i"`, `"id":"i","eta":"tomorrow"`}, {`"id":"i"`, `"id":"i","retries":-1`},
		{`"id":"i"`, `"id":"i","timelimit":5`}, {`"body_encoding"`, `"priority":-3,"body_encoding"`}, {`{"task"`, `[{"task"`}, {"W1sxXSwge30sIHt9XQ==", "/w=="},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		require.NotEqual(t, good, bad)
		_, err := Decode([]byte(bad))
		require.ErrorIs(t, err, ErrMalformed, "%v", change)
	}
	for _, m := range []*Message{nil, {}, {Task: "t", ID: "i"}, {Task: "t", ID: "i", DeliveryTag: "d", Args: []json.RawMessage{json.RawMessage("{")}}} {
		_, err := Encode(m)
		require.Error(t, err)
	}
}

// FuzzDecode: no bytes make Decode panic, and what it accepts can be written and read
// again as the same message.
func FuzzDecode(f *testing.F) {
	for _, row := range goldenRows(f) {
		for _, list := range row.messages(f) {
			for _, raw := range list {
				f.Add([]byte(raw))
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		if m.DeliveryTag == "" {
			m.DeliveryTag = "tag"
		}
		written, err := Encode(m)
		require.NoError(t, err)
		again, err := Decode(written)
		require.NoError(t, err)
		require.Equal(t, m.Task, again.Task)
		require.Equal(t, m.ID, again.ID)
		require.Equal(t, m.Retries, again.Retries)
		require.True(t, m.ETA.Truncate(1000).Equal(again.ETA.Truncate(1000)))
		require.Equal(t, len(m.Args), len(again.Args))
		require.Equal(t, len(m.Kwargs), len(again.Kwargs))
	})
}
