package label_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge/label"
)

// TestKeyboardAndWidth labels in a real browser with keys alone, at the width of a
// phone and of a desk, on a page of another computer. PRODAI_PICTURES names a folder for screenshots.
func TestKeyboardAndWidth(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium in PATH")
	}
	long := items(3)
	long[1].Answer = "https://example.com/" + strings.Repeat("a", 300)
	p, err := label.New(long, &label.Options{Labels: []string{"wrong", "in part", "right"}, Hosts: []string{"desk.example", "localhost"}})
	require.NoError(t, err)
	server := httptest.NewServer(p)
	defer server.Close()
	// Another computer's name without TLS: a browser sends no Sec-Fetch-Site there.
	address := strings.Replace(server.URL, "127.0.0.1", "desk.example", 1)
	work(t, p, "Anna", func(string) string { return "right" })

	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("host-resolver-rules", "MAP desk.example 127.0.0.1"))...)
	defer cancel()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	require.NoError(t, chromedp.Do(ctx)) // starts it
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	defer cancel()
	until := func(want, expression string) {
		t.Helper()
		require.Eventually(t, func() bool {
			// A page that is still being read has no keys yet.
			v, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? String(`+expression+`) : ""`))
			return err == nil && v == want // an error while a page is being left
		}, 20*time.Second, 20*time.Millisecond, expression)
	}
	look := func(name string, width int64) {
		t.Helper()
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)))
		until("true", "document.documentElement.scrollWidth <= innerWidth")
		if dir := os.Getenv("PRODAI_PICTURES"); dir != "" {
			png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600))
		}
	}
	press := func(keys string) { t.Helper(); require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(keys))) }
	const done = `document.querySelector("header span")?.textContent`
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(390, 800)))
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(address)))
	until("person", "document.activeElement.id")
	look("start-390", 390)
	press("Ben 12") // a digit in the name labels nothing
	press("\r")
	until("Ben 12, 0 of 3 labeled", done)
	press("3")
	until("Ben 12, 1 of 3 labeled", done)
	look("item-390", 390)
	look("item-1280", 1280)
	press("\b")
	until("right3", `document.querySelector("button[aria-pressed=true]")?.textContent`)
	press("1")
	until("Item 2 of 3: the question", `document.querySelector("h2")?.textContent`)
	press("2")
	until("Ben 12, 2 of 3 labeled", done)
	press("\t\t\t")
	until("right", "document.activeElement.value")
	press("\r")
	until("33 % of 3", `document.querySelector("td")?.textContent`)
	look("end-390", 390)
	look("end-1280", 1280)
	people, values := p.Labels()
	assert.Equal(t, []string{"Anna", "Ben 12"}, people)
	assert.ElementsMatch(t, []float64{0, 0.5, 1}, []float64{values[0][1], values[1][1], values[2][1]})
}
