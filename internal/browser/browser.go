// Package browser drives a page in a headless Chromium, for the tests of pages.
package browser

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// A Tab shows a page.
type Tab struct {
	t   testing.TB
	ctx context.Context
}

// patience is how long a page may take for a step. It is long because a busy machine is
// slow; a right page never uses it up.
const patience = 2 * time.Minute

// Open serves a page and shows an address of it, without a port, such as
// "127.0.0.1/path/", in a window of this width, in a Chromium of its own. Names below
// .example lead to this machine. Without Chromium the test is skipped.
func Open(t testing.TB, page http.Handler, address string, width int64) *Tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium in PATH")
	}
	server := httptest.NewServer(page)
	t.Cleanup(server.Close) // after Chromium has ended, which may have a request open
	dir, err := os.MkdirTemp("", "browser")
	require.NoError(t, err)
	// Processes of Chromium may still write there, so a failure to remove it is not the test's.
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("host-resolver-rules", "MAP *.example 127.0.0.1"))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "Chromium doesn't start") // without a limit, which would end it
	b := &Tab{t, ctx}
	b.do(chromedp.EmulateViewport(width, 800))
	host, path, _ := strings.Cut(address, "/")
	b.do(chromedp.Navigate(strings.Replace(server.URL, "127.0.0.1", host, 1) + "/" + path))
	return b
}

func (b *Tab) do(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, step))
}

// ready says that a page has run its scripts, which get no keys before, and has painted:
// Chromium drops keys before the first paint.
const ready = `document.readyState === "complete" && performance.getEntriesByType("paint").length > 0`

// Look returns the value of an expression as a text, once the page is ready for keys.
func (b *Tab) Look(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](ready+" ? [String("+expression+")] : []"))
		if len(v) == 1 {
			return v[0]
		}
		if ctx.Err() != nil {
			b.t.Fatalf("%s has no value: %v", expression, err)
		}
		time.Sleep(10 * time.Millisecond) // the page is being left
	}
}

// Until waits until an expression has a value.
func (b *Tab) Until(want, expression string) {
	b.t.Helper()
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		switch got := b.Look(expression); {
		case got == want:
			return
		case time.Since(start) > patience:
			b.t.Fatalf("%s is %q, want %q", expression, got, want)
		}
	}
}

// Press presses keys.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// TabTo presses the Tab key until a condition holds, such as one of document.activeElement.
func (b *Tab) TabTo(condition string) {
	b.t.Helper()
	for range 40 {
		if b.Press("\t"); b.Look(condition) == "true" {
			return
		}
	}
	b.t.Fatalf("the Tab key does not reach %s", condition)
}

// Fits gives the window a width, and fails if the page is wider. PRODAI_PICTURES names a
// folder for a picture with this name.
func (b *Tab) Fits(width int64, name string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 800))
	b.Until("true", "document.documentElement.scrollWidth <= innerWidth")
	if dir := os.Getenv("PRODAI_PICTURES"); dir != "" {
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		require.NoError(b.t, err)
		require.NoError(b.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
	}
}
