package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// A tab is a page in a headless Chromium.
type tab struct {
	*testing.T
	ctx    context.Context
	server *httptest.Server
}

// browsers are the ones that were started, by color scheme. Each test has a tab of its
// own, and what a tab keeps is its own.
var browsers struct {
	mu  sync.Mutex
	of  map[string]context.Context
	end []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for i := range browsers.end {
		browsers.end[len(browsers.end)-1-i]()
	}
	os.Exit(code)
}

// browser starts headless Chromium, or skips the test where there is none.
func browser(t *testing.T, scheme string) context.Context {
	t.Helper()
	browsers.mu.Lock()
	defer browsers.mu.Unlock()
	if ctx, ok := browsers.of[scheme]; ok {
		return ctx
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed")
	}
	dir, err := os.MkdirTemp("", "capstone-page")
	require.NoError(t, err)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(2*time.Minute),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("blink-settings", "preferredColorScheme="+map[string]string{"dark": "0", "light": "1"}[scheme]), chromedp.UserDataDir(dir))
	ctx, cancelBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx)
	require.NoError(t, chromedp.Do(ctx)) // starts it
	if browsers.of == nil {
		browsers.of = map[string]context.Context{}
	}
	browsers.of[scheme] = ctx
	browsers.end = append(browsers.end, func() { _ = os.RemoveAll(dir) }, cancelBrowser, cancel)
	return ctx
}

// open opens a tab for a server's pages.
func open(t *testing.T, server *httptest.Server) tab {
	t.Helper()
	return openIn(t, server, "light")
}

func openIn(t *testing.T, server *httptest.Server, scheme string) tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t, scheme))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx)) // opens the tab
	b := tab{t, ctx, server}
	b.do(chromedp.EmulateViewport(1280, 900))
	return b
}

func (b tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	for i, step := range steps {
		limited, cancel := context.WithTimeout(b.ctx, 2*time.Minute)
		require.NoError(b, chromedp.Do(limited, step), "step %d", i)
		cancel()
	}
}

func (b tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.server.URL + path))
	b.until(`performance.getEntriesByType("paint").length > 0`) // Chromium drops keys and clicks before that
}

// look evaluates an expression in the page.
func look[T any](b tab, expression string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	require.NoError(b, err, expression)
	return v
}

// text is what a reader sees of the first element that matches.
func (b tab) text(selector string) string {
	b.Helper()
	return look[string](b, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? "(none)"`, selector))
}

func (b tab) until(condition string) {
	b.Helper()
	require.Eventually(b, func() bool {
		v, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](condition)) // fails while a page is being left
		return err == nil && v
	}, 2*time.Minute, 20*time.Millisecond, condition)
}

// ask types a question and waits until its answer has ended.
func (b tab) ask(question string) {
	b.Helper()
	n := look[int](b, `document.querySelectorAll(".turn").length`)
	b.do(chromedp.SendKeys("#question", question+kb.Enter))
	b.until(fmt.Sprintf(`document.querySelectorAll(".turn").length === %d && !document.querySelector(".turn.busy")`, n+1))
}

// picture writes a picture of the whole page to PRODAI_SCREENSHOTS, if that is set.
func (b tab) picture(name string) {
	b.Helper()
	dir := os.Getenv("PRODAI_SCREENSHOTS")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b, err)
	require.NoError(b, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
}

// stays checks that all requests of the page went to its own server.
func (b tab) stays() {
	b.Helper()
	asked := look[[]string](b, `performance.getEntriesByType("resource").map(e => e.name)`)
	require.NotEmpty(b, asked)
	for _, u := range asked {
		require.True(b, strings.HasPrefix(u, b.server.URL) || strings.HasPrefix(u, "data:"), "a request went to %s", u)
	}
}

// rotation is a model's answer from the small collection.
var rotation = modeltest.Reply{Turn: modeltest.Say("Keys are rotated every 90 days by the security team. [1]"), Times: -1}

// TestPageInABrowser asks a question as a person would: type, press Enter, read the
// answer, follow its citation to the passage, come back.
func TestPageInABrowser(t *testing.T) {
	b := open(t, start(t, Options{}, rotation))
	b.visit("/")
	b.ask("How often are keys rotated?")
	require.Contains(t, b.text(".answer"), "Keys are rotated every 90 days")
	require.Equal(t, "?q=How%20often%20are%20keys%20rotated%3F", look[string](b, `location.search`))
	require.Contains(t, b.text(".sources"), "manual.md › Keys")
	require.Contains(t, b.text(".facts summary"), "answered by scripted-1")
	look[any](b, `document.querySelectorAll(".made, .facts").forEach(d => d.open = true), 1`)
	require.Contains(t, b.text(".facts"), "wrote this answer from the passages")
	events := b.text(".events")
	require.Contains(t, events, "The search looked by meaning and by words")
	require.Contains(t, events, "so the model was asked")
	require.NotContains(t, events, "cache.miss", "the log's words are a step further")
	require.Contains(t, b.text(".bars"), "the search for passages")

	look[any](b, `document.querySelector("a.cite").click(), 1`)
	b.until(`document.querySelector("mark.passage") !== null`)
	require.Contains(t, look[string](b, `[...document.querySelectorAll("mark.passage")].map(e => e.textContent).join(" ")`), "Keys are rotated every 90 days by the security team.")
	require.NotContains(t, b.text("mark.passage"), "Purchases")
	b.until(`document.activeElement.id === "passage"`) // the passage has the focus
	require.Contains(t, b.text("#document"), "Purchases may be refunded", "the whole document is there")
	b.stays()
	look[any](b, `document.querySelector("#back").click(), 1`)
	b.until(`document.querySelector(".turn .answer") !== null`)
	require.Contains(t, b.text(".answer"), "Keys are rotated every 90 days")
	b.stays()
}

// TestPageRefusesSoftly: a question without an answer shows the nearest passages.
func TestPageRefusesSoftly(t *testing.T) {
	b := open(t, start(t, Options{}))
	b.visit("/")
	b.ask("Who won the world cup of keys?")
	require.Contains(t, b.text(".answer"), strings.TrimSuffix(rag.UnknownAnswer, "."))
	require.Contains(t, strings.ToLower(b.text(".nearest .lead")), "nearest passages")
	require.Contains(t, b.text(".nearest .card"), "manual.md")
	require.Contains(t, []string{"very close", "close", "related", "far"}, b.text(".nearest .card .closeness"))
	look[any](b, `document.querySelector(".card").click(), 1`)
	b.until(`document.querySelector("mark.passage") !== null`)
}

// scripted serves the pages of a small collection with answers from scripts: the
// first question gets the first one, and the last one is repeated. It returns the
// bodies of the questions. Where a script is nil, the service itself answers.
func scripted(t *testing.T, scripts ...func(w http.ResponseWriter)) (*httptest.Server, func() []string) {
	t.Helper()
	return scriptedOver(t, start(t, Options{}).Config.Handler, scripts...)
}

func scriptedOver(t *testing.T, inner http.Handler, scripts ...func(w http.ResponseWriter)) (*httptest.Server, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/ask" {
			inner.ServeHTTP(w, r)
			return
		}
		data, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, string(data))
		script := scripts[min(len(asked), len(scripts))-1]
		mu.Unlock()
		if script == nil {
			r.Body = io.NopCloser(bytes.NewReader(data))
			inner.ServeHTTP(w, r)
			return
		}
		script(w)
	}))
	t.Cleanup(server.Close)
	return server, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), asked...)
	}
}

// streamed is a script that sends messages and ends.
func streamed(messages ...message) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		out := &events{w: w}
		for _, m := range messages {
			_ = out.send(m)
		}
	}
}

// found are passages of a script, of which the second one's name is an attack.
var found = []passage{
	{Number: 1, ID: "a", Source: "retry/doc.go", Where: []string{"retry", "Terms"}, Closeness: "very close", URL: "/source?doc=manual.md&start=66&end=118#passage", Text: "A circuit breaker stops calls."},
	{Number: 2, ID: "b", Source: "<img src=x onerror=alert(1)>.md", Where: []string{"<img src=x onerror=alert(1)>.md", "A"}, Closeness: "far", URL: "/source?id=b#passage", Text: "Something else."},
}

// answered are the messages of an answer with its citations.
func answered(text string, citations []citation, unsupported ...string) []message {
	marks := [][2]int{}
	for _, u := range unsupported {
		at := strings.Index(text, u)
		marks = append(marks, [2]int{at, at + len(u)})
	}
	if citations == nil {
		citations = []citation{}
	}
	return []message{{"passages", found}, {"text", text}, {"done", map[string]any{"text": text, "citations": citations, "passages": found, "uncited": marks, "refused": false,
		"usage": map[string]int{"prompt_tokens": 900, "completion_tokens": 80}, "cost": "$0.00", "backend": "extractive", "about": about(rag.ExtractiveModel), "spans": []any{}}}}
}

const quotation = "Showing results for: circuit breaker\n\n**About “What is a circuit breaker?”**\n\n" +
	"> **retry › Terms**\n> **A circuit breaker stops calls to a target that keeps failing, and lets a test call through after a pause.** It has three states:\n>\n" +
	"> - closed: calls pass\n> - open: calls fail at once\n>\n> ```\n> closed ──► open ──► half-open\n> ```\n> [1]\n\n" +
	"This is said by nobody – “ünd” so. Keys rotate. [2] And this has no passage. [7]"

var quotations = []citation{{Number: 1, Status: "quoted", URL: found[0].URL}, {Number: 2, Status: "unsupported", URL: found[1].URL}, {Number: 7, Status: rag.NoPassage.String()}}

// TestPageShowsMarkdown: quotations with their place, lists, code, marks, citations.
func TestPageShowsMarkdown(t *testing.T) {
	server, _ := scripted(t, streamed(answered(quotation, quotations, "This is said by nobody – “ünd” so.")...))
	b := open(t, server)
	b.visit("/")
	b.ask("What is a circuit breaker?")
	require.Contains(t, b.text(".facts summary"), "answered by extractive")
	look[any](b, `document.querySelector(".facts").open = true, 1`)
	require.Contains(t, b.text(".facts"), "It cannot invent")
	require.Equal(t, "Showing results for: circuit breaker", b.text(".notice"))
	require.Equal(t, "About “What is a circuit breaker?”", b.text(".answer > .lead"))
	require.Equal(t, "retry › Terms", b.text("blockquote > .where a"))
	require.Equal(t, found[0].URL, look[string](b, `document.querySelector("blockquote .where a").getAttribute("href")`))
	require.True(t, strings.HasPrefix(b.text("blockquote > p > strong"), "A circuit breaker stops calls"))
	require.Equal(t, []string{"closed: calls pass", "open: calls fail at once"}, look[[]string](b, `[...document.querySelectorAll("blockquote li")].map(e => e.innerText)`))
	require.Equal(t, "closed ──► open ──► half-open", b.text("blockquote pre"))
	require.Equal(t, []string{"1", "2", "7"}, look[[]string](b, `[...document.querySelectorAll(".answer .cite")].map(e => e.textContent)`))
	require.Equal(t, []string{"2", "7"}, look[[]string](b, `[...document.querySelectorAll(".answer .cite.bad")].map(e => e.textContent)`))
	require.Equal(t, "SPAN", look[string](b, `[...document.querySelectorAll(".answer .cite")].at(-1).tagName`), "a passage that is not there has no link")
	require.Equal(t, []string{"This is said by nobody – “ünd” so."}, look[[]string](b, `[...document.querySelectorAll("mark.uncited")].map(e => e.textContent)`))
	require.Contains(t, b.text(".legend"), "cites no source")
	require.Contains(t, b.text(".sources"), "quoted")
	require.NotContains(t, b.text(".sources li"), "supported")
	require.NotContains(t, b.text(".answer"), "**")
}

// TestPageRendersNoHTML: whatever a model or a document writes, the page makes no
// element of it but those of the subset, and no link but to its own sources.
func TestPageRendersNoHTML(t *testing.T) {
	const evil = "<img src=x onerror=document.title='hacked'> <script>document.title='hacked'</script>\n\n" +
		"[a](javascript:document.title='hacked') [b](https://evil.test/x) [c](//evil.test/x) [d](data:text/html,x) [e](/source?doc=manual.md) [f](/\\evil.test) [g](https://pkg.go.dev.evil.test/)\n\n" +
		"![i](https://evil.test/i.png) `<b>code</b>` **<i>bold</i>** \ue000private\ue001 use\n\n# <u>heading</u>\n\n> <iframe src=https://evil.test></iframe>\n\n- <style>*{display:none}</style>\n\n| <a href=x>t</a> |\n\n```html\n<script>1</script>\n```\n\n[2] and [1]"
	server, _ := scripted(t, streamed(answered(evil, []citation{{Number: 2, Status: "quoted", URL: "javascript:document.title='hacked'"}, {Number: 1, Status: "quoted", URL: "//evil.test/"}}, "private")...))
	b := open(t, server)
	b.visit("/")
	b.ask("<img src=x onerror=document.title='hacked'>")
	look[any](b, `document.querySelectorAll("details").forEach(d => d.open = true), 1`)
	require.Empty(t, look[[]string](b, `[...document.querySelectorAll("main img, main script, main iframe, main style, main u, main i:not([class]), main b:not(.facts b, .how b, #foot b)")].map(e => e.outerHTML)`))
	for _, href := range look[[]string](b, `[...document.querySelectorAll("article a")].map(e => e.href)`) {
		require.True(t, strings.HasPrefix(href, b.server.URL+"/source?"), href)
	}
	require.NotEqual(t, "hacked", look[string](b, `document.title`))
	require.Contains(t, b.text(".answer"), "<script>1</script>", "it is shown as text")
	require.Contains(t, b.text(".question"), "<img")
	b.stays()
}

// TestPageKeepsABrokenAnswer: what was shown stays, the page says so, and the reader may ask
// again.
func TestPageKeepsABrokenAnswer(t *testing.T) {
	half := []message{{"passages", found}, {"text", "Keys are rotated every "}}
	server, asked := scripted(t, streamed(half...),
		streamed(append(half, message{"error", map[string]any{"status": 502, "error": newError("upstream_error", "upstream_failed", "", "the model's provider broke off"), "spans": []any{}}})...),
		streamed(append(half, message{"error", map[string]any{"status": 403, "error": newError("invalid_request_error", "guard_blocked", "", "output blocked"), "spans": []any{}}})...),
		streamed(answered("Keys are rotated every 90 days. [1]", nil)...))
	b := open(t, server)
	b.visit("/")
	b.ask("How often?")
	require.Contains(t, b.text(".answer"), "Keys are rotated every")
	require.Contains(t, b.text(".trouble"), "The answer broke off here.")
	again := func() {
		look[any](b, `document.querySelector(".trouble button").click(), 1`)
		b.until(`!document.querySelector(".turn.busy")`)
	}
	again()
	require.Contains(t, b.text(".answer"), "Keys are rotated every")
	require.Contains(t, b.text(".trouble"), "The model's provider broke off.")
	again()
	require.NotContains(t, b.text(".answer"), "Keys are rotated", "what the guard blocked is not kept")
	again()
	require.Contains(t, b.text(".answer"), "Keys are rotated every 90 days.")
	require.Equal(t, "(none)", b.text(".trouble"))
	require.Len(t, asked(), 4)
	require.Equal(t, 1, look[int](b, `document.querySelectorAll(".turn").length`))
}

// TestPageStopsAnAnswer: the button stops a stream and keeps what came.
func TestPageStopsAnAnswer(t *testing.T) {
	ended := make(chan struct{})
	server, _ := scripted(t, func(w http.ResponseWriter) {
		streamed(message{"passages", found}, message{"text", "Slowly "})(w)
		<-ended
	})
	t.Cleanup(func() { close(ended) })
	b := open(t, server)
	b.visit("/")
	b.do(chromedp.SendKeys("#question", "How?"+kb.Enter))
	b.until(`document.querySelector(".answer")?.innerText.includes("Slowly")`)
	require.Equal(t, "Stop", b.text("#go"))
	require.Equal(t, "true", look[string](b, `document.querySelector(".answer").getAttribute("aria-busy")`))
	b.do(chromedp.Click("#go"))
	require.Contains(t, b.text(".answer"), "Slowly")
	require.Contains(t, b.text(".answer"), "You stopped this answer.")
	require.Equal(t, "Ask", b.text("#go"))
	require.Equal(t, "false", look[string](b, `document.querySelector(".answer").getAttribute("aria-busy")`))
}

// TestPageShowsErrors of the server, and of a server that is gone.
func TestPageShowsErrors(t *testing.T) {
	server, _ := scripted(t, func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "3")
		fail(w, http.StatusTooManyRequests, "rate_limit_error", "rate_limit_exceeded", "", "too many requests")
	}, func(w http.ResponseWriter) { http.Error(w, "<h1>proxy</h1>", http.StatusBadGateway) })
	b := open(t, server)
	b.visit("/")
	b.ask("One?")
	require.Contains(t, b.text(".trouble"), "Too many requests. Try again in 3 s.")
	b.ask("Two?")
	require.Contains(t, b.text(".turn:last-child .trouble"), "status 502")
	server.CloseClientConnections()
	server.Listener.Close()
	b.ask("Three?")
	require.Less(t, look[float64](b, `document.querySelector(".turn:last-child").getBoundingClientRect().top`), 100.0, "the newest question is at the top, its answer below it")
	require.Contains(t, b.text(".turn:last-child .trouble"), "Is the program still running?")
}

// TestPageConversation: what was said before goes along, survives a reload, and can
// be left.
func TestPageConversation(t *testing.T) {
	server, asked := scripted(t, streamed(answered("A breaker stops calls. [1]", nil)...), streamed(message{"text", "half"}), streamed(answered("It has three states. [1]", nil)...))
	b := open(t, server)
	b.visit("/?q=What%20is%20a%20breaker%3F")
	require.Equal(t, "What is a breaker?", look[string](b, `document.querySelector("#question").value`))
	require.Empty(t, asked(), "a link must not ask")
	b.ask("")
	b.ask("Broken?")
	b.ask("Which states does it have?")
	var bodies []struct {
		Question string
		History  []turn
	}
	for _, a := range asked() {
		bodies = append(bodies, struct {
			Question string
			History  []turn
		}{})
		require.NoError(t, json.Unmarshal([]byte(a), &bodies[len(bodies)-1]))
	}
	before := []turn{{"user", "What is a breaker?"}, {"assistant", "A breaker stops calls. [1]"}}
	require.Empty(t, bodies[0].History)
	require.Equal(t, before, bodies[1].History)
	require.Equal(t, before, bodies[2].History, "an answer that broke off is not a part of it")
	require.Equal(t, "What is a breaker?", bodies[0].Question)

	look[any](b, `history.back(), 1`)
	b.until(`location.search.includes("Broken")`)
	b.visit("/")
	require.Equal(t, []string{"What is a breaker?", "Broken?", "Which states does it have?"}, look[[]string](b, `[...document.querySelectorAll(".question")].map(e => e.innerText)`))
	require.Contains(t, b.text(".turn:last-child .answer"), "It has three states.")
	require.Contains(t, b.text(".turn:nth-child(2) .answer"), "half")
	require.False(t, look[bool](b, `document.querySelector("#welcome").checkVisibility()`))
	b.do(chromedp.Click("#new"))
	require.Equal(t, 0, look[int](b, `document.querySelectorAll(".turn").length`))
	require.True(t, look[bool](b, `document.querySelector("#welcome").checkVisibility()`))
	b.visit("/")
	require.Equal(t, 0, look[int](b, `document.querySelectorAll(".turn").length`), "it stays left")
	require.Len(t, asked(), 3)
}

// TestPageByKeyboard: everything is reached without a mouse.
func TestPageByKeyboard(t *testing.T) {
	server, asked := scripted(t, streamed(answered(quotation, quotations)...))
	b := open(t, server)
	b.visit("/")
	b.until(`document.activeElement.id === "question"`) // one can type at once; a browser focuses after the page has loaded
	b.do(chromedp.KeyEvent("How?" + kb.Enter))
	b.until(`document.querySelector(".sources") !== null`)
	b.do(chromedp.KeyEvent(kb.ArrowUp))
	require.Equal(t, "How?", look[string](b, `document.querySelector("#question").value`))
	b.do(chromedp.KeyEvent(kb.Escape))
	require.Empty(t, look[string](b, `document.querySelector("#question").value`))
	b.do(chromedp.KeyEvent(kb.Escape))
	require.NotEqual(t, "question", look[string](b, `document.activeElement.id`))
	const slash = `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true }))`
	require.False(t, look[bool](b, slash), "the slash is no text")
	require.Equal(t, "question", look[string](b, `document.activeElement.id`))
	require.True(t, look[bool](b, slash), "in the box it is")
	look[any](b, `document.querySelector("h1 a").focus(), document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true, bubbles: true, cancelable: true }))`)
	require.Equal(t, "question", look[string](b, `document.activeElement.id`))
	look[any](b, `document.querySelector("h1 a").focus(), 1`)
	var stops []string
	for range 30 {
		b.do(chromedp.KeyEvent(kb.Tab))
		at := look[string](b, `((e) => e.id || e.className || e.tagName)(document.activeElement)`)
		stops = append(stops, at)
		if at == "go" {
			break
		}
	}
	order := strings.Join(stops, " ")
	require.Regexp(t, `cite.*question go`, order, "the answer, then the box")
	require.Empty(t, look[[]string](b, `[...document.querySelectorAll("button, input, textarea, a")].filter(e => !(e.textContent || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)`), "each control has a name")
	require.Equal(t, "polite", look[string](b, `document.querySelector(".answer").getAttribute("aria-live")`))
	require.Equal(t, "The answer is there, with 2 sources.", b.text("#status"))
	require.Len(t, asked(), 1)
}

// TestPageAsksForAKey, once, and not in the address.
func TestPageAsksForAKey(t *testing.T) {
	b := open(t, start(t, Options{Keys: []string{"right-key"}}, rotation))
	b.visit("/")
	b.until(`document.querySelector("#key") !== null`)
	b.do(chromedp.SendKeys("#key", "wrong-key"+kb.Enter))
	b.until(`document.querySelector(".key label")?.innerText.includes("not accepted")`)
	b.do(chromedp.SendKeys("#key", "right-key"+kb.Enter))
	b.until(`document.querySelector("#key") === null && document.querySelector("#foot").innerText.includes("passage")`)
	b.ask("How often are keys rotated?")
	require.Contains(t, b.text(".answer"), "90 days")
	look[any](b, `document.querySelector("a.cite").click(), 1`)
	b.until(`document.querySelector("mark.passage") !== null`)
	require.NotContains(t, look[string](b, `location.href`), "key")
}

// TestSourcePage: the list of the documents, one without a passage, one that is gone.
func TestSourcePage(t *testing.T) {
	b := open(t, startLeaky(t))
	b.visit("/source")
	b.until(`document.querySelectorAll(".documents a").length === 3`)
	list := b.text("#document")
	require.Contains(t, list, "manual.md")
	for _, s := range secrets {
		require.NotContains(t, list, s)
	}
	b.do(chromedp.SendKeys("#filter", "tags"))
	b.until(`document.querySelectorAll(".documents a").length === 1`)
	look[any](b, `document.querySelector(".documents a").click(), 1`)
	b.until(`document.querySelector(".title").innerText === "tags.md"`)
	require.Contains(t, b.text("#document"), "end a tag here")
	require.Equal(t, 0, look[int](b, `document.querySelectorAll("mark").length`))
	b.visit("/source?doc=gone.md#passage")
	b.until(`document.querySelector(".title") !== null`)
	require.Contains(t, b.text("#document"), "removed or renamed")
	b.visit("/source?doc=" + strings.ReplaceAll("<img src=x onerror=alert(1)>", " ", "%20"))
	b.until(`document.querySelector(".title") !== null`)
	require.Equal(t, 0, look[int](b, `document.querySelectorAll("main img").length`))
	b.stays()
}

// TestRedactedSourceIsFoundByItsPassage: neither the name nor the text of what was
// redacted is in the page, and its passage is marked all the same.
func TestRedactedSourceIsFoundByItsPassage(t *testing.T) {
	server := startLeaky(t)
	b := open(t, server)
	b.visit("/")
	b.ask("Within how many days are purchases refunded, and whom do I mail for refunds?")
	look[any](b, `[...document.querySelectorAll("a.cite")].find(a => a.href.includes("id=")).click(), 1`)
	b.until(`document.querySelector("mark.passage") !== null`)
	all := look[string](b, `document.documentElement.outerHTML + location.href`)
	for _, s := range secrets {
		require.NotContains(t, all, s)
	}
	require.Contains(t, b.text("mark.passage"), "Refunds")
}

// empty serves no documents.
func empty(t *testing.T) *httptest.Server {
	t.Helper()
	s, err := service.New(t.Context(), service.Options{NoCourse: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	server := httptest.NewServer(New(s, Options{}))
	t.Cleanup(server.Close)
	return server
}

// TestPageWithoutDocuments teaches how to add some.
func TestPageWithoutDocuments(t *testing.T) {
	b := open(t, empty(t))
	b.visit("/")
	b.until(`document.querySelector("#try").innerText.includes("ingest")`)
	b.ask("Anything?")
	require.Contains(t, b.text(".nearest"), "ingest")
	b.visit("/source")
	b.until(`document.querySelector("#document").innerText.includes("ingest")`)
}
