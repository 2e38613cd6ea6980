package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/browser"
	"github.com/prodailabs/prodai/retry/queue"
)

// deadQueue returns a queue that has two dead letters and a job that waits.
func deadQueue(t *testing.T) *queue.Queue {
	t.Helper()
	q, err := queue.New(queue.NewMemory(), nil)
	require.NoError(t, err)
	k := kind[string, int](t, "embed", nil)
	for _, in := range []string{"<script>alert(1)</script>", "b"} {
		_, err := k.Enqueue(t.Context(), q, in, &queue.JobOptions{ID: "id-" + in[len(in)-1:]})
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	w, err := queue.NewWorker(q, []queue.Handler{k.Handler(func(_ context.Context, in string) (int, error) {
		if done++; done == 2 {
			defer cancel()
		}
		return 0, queue.Permanent(errors.New("bad: " + in))
	})}, &queue.WorkerOptions{Concurrency: 1})
	require.NoError(t, err)
	require.NoError(t, w.Run(ctx))
	_, err = k.Enqueue(t.Context(), q, "waits", &queue.JobOptions{ID: "waits", Queue: "other"})
	require.NoError(t, err)
	return q
}

func TestInspector(t *testing.T) {
	q := deadQueue(t)
	p, err := queue.NewInspector(q, nil)
	require.NoError(t, err)
	ask := func(method, target, host string, form url.Values, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Host = host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	page := ask("GET", "/", "localhost:8080", nil)
	require.Equal(t, http.StatusOK, page.Code)
	require.Contains(t, page.Body.String(), "bad: &lt;script&gt;")
	require.NotContains(t, page.Body.String(), "<script>alert")
	require.NotContains(t, page.Body.String(), "Payload", "not shown by default")
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	for _, host := range []string{"evil.com", "localhost.evil.com", "evil.com:80", "", "127.0.0.1.evil.com"} {
		require.Equal(t, http.StatusForbidden, ask("GET", "/", host, nil).Code, host)
		require.Equal(t, http.StatusForbidden, ask("POST", "/redrive", host, url.Values{"all": {"1"}}).Code, host)
	}
	for _, host := range []string{"127.0.0.1", "[::1]:80", "LOCALHOST"} {
		require.Equal(t, http.StatusOK, ask("GET", "/", host, nil).Code, host)
	}
	for _, h := range [][]string{{"Origin", "http://evil.com"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		for _, path := range []string{"/redrive", "/delete"} {
			require.Equal(t, http.StatusForbidden, ask("POST", path, "localhost", url.Values{"id": {"id-b"}}, h...).Code, "%v", h)
		}
	}
	require.Equal(t, http.StatusMethodNotAllowed, ask("GET", "/redrive?id=id-b", "localhost", nil).Code)
	var stats []queue.Stats
	require.NoError(t, json.Unmarshal(ask("GET", "/stats.json", "localhost", nil).Body.Bytes(), &stats))
	require.Equal(t, 2, stats[0].Dead)

	answer := ask("POST", "/redrive", "localhost", url.Values{"id": {"id-b"}, "queue": {"default"}}, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusSeeOther, answer.Code)
	require.Equal(t, "./?did=redriven&queue=default", answer.Header().Get("Location"))
	j, err := q.Get(t.Context(), "id-b")
	require.NoError(t, err)
	require.Equal(t, queue.StatePending, j.State)
	require.Contains(t, ask("POST", "/redrive", "localhost", url.Values{"id": {"id-b"}}).Header().Get("Location"), "gone")
	require.Contains(t, ask("POST", "/delete", "localhost", url.Values{"id": {"waits"}}).Header().Get("Location"), "gone", "only dead letters")
	require.Contains(t, ask("POST", "/delete", "localhost", url.Values{"id": {"id->"}}).Header().Get("Location"), "deleted")
	require.NotContains(t, ask("GET", "/?queue=default", "localhost", nil).Body.String(), "bad: ")
	_, err = queue.NewInspector(nil, nil)
	require.ErrorIs(t, err, queue.ErrOption)
}

// TestInspectorInABrowser works with the keyboard alone, at the width of a phone.
func TestInspectorInABrowser(t *testing.T) {
	q := deadQueue(t)
	p, err := queue.NewInspector(q, &queue.InspectorOptions{ShowPayloads: true})
	require.NoError(t, err)
	b := browser.Open(t, http.StripPrefix("/queues", p), "127.0.0.1/queues/", 360)
	b.Fits(360, "inspector")
	b.Until("0.0", `document.querySelector("tr[data-queue=default]").cells[8].textContent`) // the second answer has come
	b.TabTo(`document.activeElement.textContent === "Redrive all"`)
	b.Press("\r")
	b.Until("The dead letters are pending again.", `document.querySelector(".message")?.textContent`)
	stats, err := q.Stats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats[0].Dead)
	require.Equal(t, 2, stats[0].Ready)
}
