package monitor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/browser"
	"github.com/prodailabs/prodai/trace/jsonl"
	"github.com/prodailabs/prodai/trace/monitor"
)

const hostile = `<img src=x onerror="document.title='owned'">"'&</script>`

// spans returns traces of five spans: a root, a retrieval, an attempt that fails, its
// retry, and a tool. Some roots fail.
func spans(traces int) []jsonl.Record {
	start := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	var out []jsonl.Record
	for i := range traces {
		at := start.Add(time.Duration(i) * 3 * time.Second)
		add := func(n int, name, operation, parent string, from, long time.Duration, failed bool, more map[string]any) {
			s := jsonl.Span{TraceID: fmt.Sprintf("%032x", i+1), SpanID: fmt.Sprintf("%016x", i*8+n), ParentID: parent, Name: name, Start: at.Add(from), End: at.Add(from + long), Status: "Unset",
				Attributes: map[string]any{"gen_ai.operation.name": operation, "prodai.tenant": []string{"acme", "globex", hostile}[i%3], "prodai.feature": "support"}}
			for k, v := range more {
				s.Attributes[k] = v
			}
			if failed {
				s.Status, s.Message = "Error", "canary-7731 in a message"
				s.Attributes["error.type"] = "429"
			}
			s.Attributes["gen_ai.input.messages"] = "canary-7731 in a prompt"
			out = append(out, s.Record())
		}
		root := fmt.Sprintf("%016x", i*8)
		add(0, "answer "+hostile, "invoke_workflow", "", 0, time.Duration(900+i%400)*time.Millisecond, i%25 == 0, nil)
		add(1, "retrieval wiki", "retrieval", root, 10*time.Millisecond, 40*time.Millisecond, false, map[string]any{"prodai.retrieval.count": int64(4)})
		chat := map[string]any{"gen_ai.request.model": "large", "gen_ai.usage.input_tokens": int64(900), "gen_ai.usage.output_tokens": int64(120), "prodai.cost.pico_usd": int64(151_200_000)}
		add(2, "chat large", "chat", root, 60*time.Millisecond, 200*time.Millisecond, i%5 == 0, map[string]any{"gen_ai.request.model": "large"})
		add(3, "chat large", "chat", root, 300*time.Millisecond, 500*time.Millisecond, false, chat)
		add(4, "execute_tool lookup", "execute_tool", root, 820*time.Millisecond, 30*time.Millisecond, false, nil)
	}
	return out
}

func dashboard(t testing.TB, traces int) (*monitor.Board, *monitor.Dashboard) {
	b, err := monitor.NewBoard(nil)
	require.NoError(t, err)
	b.Add(spans(traces)...)
	at := time.Date(2026, 11, 20, 9, 1, 0, 0, time.UTC)
	b.Notify(monitor.Notice{At: at, Name: hostile, State: "fired", Text: hostile})
	require.NoError(t, b.Score(monitor.Score{TraceID: fmt.Sprintf("%032x", 3), Name: "faithful", Value: 0.8, At: at}))
	d, err := monitor.NewDashboard(b, nil)
	require.NoError(t, err)
	return b, d
}

func TestDashboardAnswers(t *testing.T) {
	b, d := dashboard(t, 100)
	ask := func(path, host string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		return w
	}
	for _, host := range []string{"evil.com", "localhost.evil.com", "", "127.0.0.1.evil.com:80"} {
		require.Equal(t, http.StatusForbidden, ask("/summary.json", host).Code, host)
	}
	for _, path := range []string{"/", "/summary.json", "/traces.json", "/trace.json?id=" + fmt.Sprintf("%032x", 3), "/dashboard.js", "/dashboard.css"} {
		w := ask(path, "[::1]:8016")
		require.Equal(t, http.StatusOK, w.Code, path)
		require.NotContains(t, w.Body.String(), "canary-7731", path)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	}
	require.Equal(t, http.StatusNotFound, ask("/trace.json?id=x", "localhost").Code)
	require.Contains(t, ask("/traces.json?failed=1", "localhost").Body.String(), `"found":4`)
	require.Contains(t, ask("/traces.json?find=GLOBEX", "localhost").Body.String(), `"found":33`)
	s, err := b.Summary()
	require.NoError(t, err)
	require.Equal(t, []any{100, 500, 4, 200, 100, "$0.01512"}, []any{s.Traces, s.Spans, s.Failed, s.Calls, s.Unpriced, s.USD})
	require.Equal(t, map[string]int{"429": 20}, s.Errors)
	require.InDelta(t, 0.95, s.Latency["p50"], 0.02)
	require.Equal(t, []monitor.QualityLine{{Name: "faithful", N: 1, Mean: 0.8}}, s.Quality)
	slots := 0
	for _, slot := range s.Series {
		slots += slot.Traces
	}
	require.Equal(t, 100, slots)
	_, err = monitor.NewDashboard(nil, nil)
	require.ErrorIs(t, err, monitor.ErrOption)
}

func TestBoardKeepsTheNewest(t *testing.T) {
	b, err := monitor.NewBoard(&monitor.BoardOptions{MaxSpans: 10, MaxNotes: 2})
	require.NoError(t, err)
	s, err := b.Summary()
	require.NoError(t, err)
	require.Zero(t, s.Traces)
	b.Add(spans(5)...)
	for range 5 {
		b.Notify(monitor.Notice{})
	}
	s, err = b.Summary()
	require.NoError(t, err)
	require.Equal(t, []any{10, int64(15), 2}, []any{s.Spans, s.Dropped, len(s.Notices)})
	require.Error(t, b.Load(strings.NewReader("{\"name\":\"ok\"}\nnot JSON\n")))
}

// TestAbsurdLinesDoNotBlindTheBoard: times at both ends of the calendar, a span that
// ends before it begins, and costs whose sum overflows.
func TestAbsurdLinesDoNotBlindTheBoard(t *testing.T) {
	b, err := monitor.NewBoard(nil)
	require.NoError(t, err)
	require.NoError(t, b.Load(strings.NewReader(`{"trace_id":"a","name":"x","start":"0001-01-01T00:00:00Z","end":"9999-12-31T00:00:00Z"}
{"trace_id":"b","name":"x","start":"9999-12-31T00:00:00Z","end":"0001-01-01T00:00:00Z","attributes":{"gen_ai.operation.name":"chat","prodai.cost.pico_usd":9223372036854775807}}
{"trace_id":"c","name":"x","start":"2026-12-31T00:00:00Z","status":"Error","attributes":{"gen_ai.operation.name":"chat","prodai.cost.pico_usd":9223372036854775807}}`)))
	s, err := b.Summary()
	require.NoError(t, err)
	require.Equal(t, []any{3, 1, "too large"}, []any{s.Traces, s.Failed, s.USD})
	in, err := monitor.NewIncident(b.Traces(), monitor.IncidentOptions{From: time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), To: time.Date(9999, 12, 31, 1, 0, 0, 0, time.UTC), Bad: func(*jsonl.Trace) bool { return true }})
	require.NoError(t, err)
	require.Equal(t, "too large", in.SpentUSD)
}

// TestOnlineEvaluation: the sample depends on the id alone, and a judge that fails
// gives no score.
func TestOnlineEvaluation(t *testing.T) {
	b, _ := dashboard(t, 2000)
	fail := false
	judge := func(context.Context, *jsonl.Trace) (float64, error) {
		if fail = !fail; fail {
			return 0, errors.New("cut off")
		}
		return 1, nil
	}
	e, err := monitor.NewOnline(b, judge, &monitor.OnlineOptions{Share: 0.1})
	require.NoError(t, err)
	judged := 0
	for _, tr := range b.Traces() {
		if ok, _ := e.Consider(t.Context(), tr); ok {
			judged++
		}
	}
	require.InDelta(t, 200, judged+e.Failed(), 50)
	require.Len(t, b.Scores(), judged+1)
}

// TestEventsFollowChanges: and end with the connection.
func TestEventsFollowChanges(t *testing.T) {
	b, d := dashboard(t, 1)
	server := httptest.NewServer(d)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	sc := bufio.NewScanner(res.Body)
	require.True(t, sc.Scan())
	first := sc.Text()
	b.Add(spans(1)...)
	require.True(t, sc.Scan()) // an empty line
	require.True(t, sc.Scan())
	require.NotEqual(t, first, sc.Text())
}

// TestPageIsSmallAndAlone: 100 KB at most, and no address of another server.
func TestPageIsSmallAndAlone(t *testing.T) {
	size := 0
	require.NoError(t, filepath.WalkDir("page", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		size += len(data)
		text := strings.ReplaceAll(string(data), "http://www.w3.org/2000/svg", "")
		require.NotContains(t, text, "://", "%s names another server", path)
		require.NotContains(t, text, "innerHTML")
		return err
	}))
	require.LessOrEqual(t, size, 100<<10)
}

func TestDashboardInABrowser(t *testing.T) {
	b, d := dashboard(t, 2000) // 10,000 spans
	began := time.Now()
	tab := browser.Open(t, http.StripPrefix("/traces", d), "127.0.0.1/traces/", 390)
	tab.Until("1", `document.body.dataset.ready`)
	t.Logf("10,000 spans are shown after %v, with the start of Chromium", time.Since(began).Round(time.Millisecond))
	tab.Fits(390, "traces-390")
	require.Equal(t, "Traces and alerts", tab.Look(`document.title`), "a name was run as a script")
	require.Equal(t, "0", tab.Look(`document.images.length`))
	require.Equal(t, "200", tab.Look(`document.querySelectorAll("#traces tbody tr").length`))
	tab.TabTo(`document.activeElement.dataset.trace !== undefined`) // the first trace
	tab.Press("\r")
	tab.Until("5", `document.querySelectorAll("#waterfall li").length`)
	require.Equal(t, "h-detail", tab.Look(`document.activeElement.id`))
	tab.Fits(390, "waterfall-390")
	b.Add(spans(2001)[10000:]...)
	tab.Until("2001", `document.querySelector("#cards dd").textContent`) // by a server-sent event
	require.Equal(t, "Traces and alerts", tab.Look(`document.title`))
}
