package label_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge/label"
)

func items(n int) []label.Item {
	var out []label.Item
	for i := range n {
		out = append(out, label.Item{ID: fmt.Sprint("i", i), Question: fmt.Sprint("question ", i), Answer: "<script>alert(1)</script>", Context: []string{"passage"}, Reference: "good"})
	}
	return out
}

func get(t *testing.T, p http.Handler, target string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+target, nil))
	return w.Code, w.Body.String()
}

func post(p http.Handler, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost/", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

var shown = regexp.MustCompile(`name="item" value="([^"]+)"`)

// work labels all items of a person and returns their order.
func work(t *testing.T, p http.Handler, person string, choose func(item string) string) (order []string) {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, post(p, url.Values{"person": {person}}).Code)
	for {
		_, page := get(t, p, "/?person="+url.QueryEscape(person))
		m := shown.FindStringSubmatch(page)
		if m == nil {
			return order
		}
		order = append(order, m[1])
		require.Equal(t, http.StatusSeeOther, post(p, url.Values{"person": {person}, "item": {m[1]}, "label": {choose(m[1])}}).Code)
	}
}

func TestTwoPeopleLabelBlind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels")
	p, err := label.New(items(12), &label.Options{Path: path, Now: func() time.Time { return time.Unix(0, 0) }})
	require.NoError(t, err)
	right := func(string) string { return "right" }
	anna := work(t, p, "Anna & Co", right)
	require.Len(t, anna, 12)

	_, page := get(t, p, "/?person=Anna+%26+Co")
	assert.Contains(t, page, "when the other person is done")
	_, ready, err := p.Agreement()
	require.NoError(t, err)
	assert.False(t, ready)
	code, _ := get(t, p, "/labels.jsonl")
	assert.Equal(t, http.StatusForbidden, code)

	post(p, url.Values{"person": {"Ben"}})
	_, page = get(t, p, "/?person=Ben")
	assert.NotContains(t, page, "Anna", "labels are blind")
	assert.NotContains(t, page, `aria-pressed="true"`)
	assert.Contains(t, page, "&lt;script&gt;alert(1)")
	assert.NotContains(t, page, "<script>alert(1)")

	ben := work(t, p, "Ben", func(item string) string {
		if item < "i2" {
			return "wrong"
		}
		return "right"
	})
	assert.ElementsMatch(t, anna, ben)
	assert.NotEqual(t, anna, ben, "each has another order")
	a, ready, err := p.Agreement()
	require.NoError(t, err)
	assert.True(t, ready)
	assert.Len(t, a.Differ, 4) // i0, i1, i10, i11
	assert.InDelta(t, 8.0/12, a.Share, 1e-12)
	assert.InDelta(t, 0, a.Kappa, 1e-12, "one label for all is agreement by chance")
	_, page = get(t, p, "/?person=Ben")
	assert.Contains(t, page, "67 % of 12")
	code, lines := get(t, p, "/labels.jsonl")
	assert.Equal(t, http.StatusOK, code)
	assert.Equal(t, 24, strings.Count(lines, "\n"))
	people, values := p.Labels()
	assert.Equal(t, []string{"Anna & Co", "Ben"}, people)
	assert.Equal(t, []float64{1, 0}, values[0])

	// A label can be changed, and the file has all of it after a crash.
	post(p, url.Values{"person": {"Ben"}, "item": {"i0"}, "label": {"right"}})
	require.NoError(t, p.Close())
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(data, `{"person":"Be`...), 0o600))
	p, err = label.New(items(12), &label.Options{Path: path})
	require.NoError(t, err)
	defer p.Close()
	a, ready, err = p.Agreement()
	require.NoError(t, err)
	assert.True(t, ready)
	assert.Len(t, a.Differ, 3)
	_, page = get(t, p, "/?person=Ben&item=i0")
	assert.Contains(t, page, `aria-pressed="true"`)
}

func TestWhatIsRefused(t *testing.T) {
	p, err := label.New(items(2), nil)
	require.NoError(t, err)
	post(p, url.Values{"person": {"a"}})
	post(p, url.Values{"person": {"b"}})
	for name, form := range map[string]url.Values{
		"third": {"person": {"c"}}, "no name": {"person": {""}}, "long": {"person": {strings.Repeat("x", 99)}}, "lines": {"person": {"x\ny"}},
		"label": {"person": {"a"}, "item": {"i0"}, "label": {"great"}}, "item": {"person": {"a"}, "item": {"i9"}, "label": {"right"}},
	} {
		assert.Equal(t, http.StatusBadRequest, post(p, form).Code, name)
	}
	w := post(p, url.Values{"person": {"a"}, "item": {"i0"}, "label": {"right"}}, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, w.Code, "another site can't send labels")
	w = post(p, url.Values{"person": {strings.Repeat("x", 70<<10)}})
	assert.Equal(t, http.StatusBadRequest, w.Code)
	code, page := get(t, p, "/?person=%3Cscript%3E")
	assert.Equal(t, http.StatusOK, code)
	assert.Contains(t, page, "Your name")
	code, _ = get(t, p, "/else")
	assert.Equal(t, http.StatusNotFound, code)

	for _, o := range []label.Options{{Labels: []string{"x"}}, {Labels: []string{"x", "x"}}, {Labels: []string{"x", " "}}, {Labels: strings.Split("abcdefghij", "")}} {
		_, err := label.New(items(1), &o)
		require.ErrorIs(t, err, label.ErrOption)
	}
	_, err = label.New(nil, nil)
	require.ErrorIs(t, err, label.ErrOption)
	_, err = label.New([]label.Item{{ID: "a"}, {ID: "a"}}, nil)
	require.ErrorIs(t, err, label.ErrOption)
	path := filepath.Join(t.TempDir(), "notes")
	for _, text := range []string{"my notes\n", "my notes", "{}\n", `{"person":"a"}` + "\n" + `{"person":"b"}` + "\n" + `{"person":"c"}` + "\n"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err = label.New(items(1), &label.Options{Path: path})
		require.ErrorIs(t, err, label.ErrFormat, text)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(kept))
	}
}

func TestBothAtOnce(t *testing.T) {
	p, err := label.New(items(30), nil)
	require.NoError(t, err)
	var wait sync.WaitGroup
	for _, person := range []string{"a", "b"} {
		wait.Go(func() { work(t, p, person, func(string) string { return "wrong" }) })
	}
	wait.Wait()
	a, ready, err := p.Agreement()
	require.NoError(t, err)
	assert.True(t, ready)
	assert.True(t, a.KappaUndefined)
	assert.Equal(t, 1.0, a.Share)
}

func ExampleNew() {
	page, err := label.New([]label.Item{{ID: "1", Question: "When?", Answer: "On Monday."}}, &label.Options{Labels: []string{"wrong", "in part", "right"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer page.Close()
	server := httptest.NewServer(page) // a program of yours calls http.ListenAndServe
	defer server.Close()
	r, err := http.PostForm(server.URL, url.Values{"person": {"Anna"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	fmt.Println(r.StatusCode, strings.Contains(string(text), "in part"), err)
	// Output: 200 true <nil>
}

// A site of an attacker whose name points to this machine is refused.
func TestAnotherHostIsRefused(t *testing.T) {
	p, err := label.New(items(2), nil)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "http://evil.example/labels.jsonl", nil))
	require.Equal(t, http.StatusForbidden, w.Code)
	p, err = label.New(items(2), &label.Options{Hosts: []string{"labels.example"}})
	require.NoError(t, err)
	w = httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "http://labels.example:8080/", nil))
	require.Equal(t, http.StatusOK, w.Code)
}
