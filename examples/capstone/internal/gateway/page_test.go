package gateway

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// browser starts headless Chromium, or skips the test where there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
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
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// look evaluates an expression in the page.
func look[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(t, err, expression)
	return v
}

// TestPageInABrowser asks a question as a person would: type, press the button, read
// the answer, follow its citation. The pictures go to PRODAI_SCREENSHOTS, if
// that is set.
func TestPageInABrowser(t *testing.T) {
	ctx := browser(t)
	server := start(t, Options{})
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		for i, step := range steps {
			limited, cancel := context.WithTimeout(ctx, 10*time.Second)
			require.NoError(t, chromedp.Do(limited, step), "step %d", i)
			cancel()
		}
	}
	require.NoError(t, chromedp.Do(ctx)) // opens the tab
	until := func(condition string) {
		t.Helper()
		require.Eventually(t, func() bool { return look[bool](t, ctx, condition) }, 10*time.Second, 20*time.Millisecond, condition)
	}
	picture := func(name string) {
		t.Helper()
		data, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		if dir := os.Getenv("PRODAI_SCREENSHOTS"); dir != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(server.URL), chromedp.SendKeys("#question", "How often are keys rotated?"), chromedp.Click("#go"))
	until(`document.querySelectorAll("#facts span, #spans .bar").length > 4`)
	require.Contains(t, look[string](t, ctx, `document.querySelector("#answer").innerText`), "Keys are rotated every 90 days")
	look[any](t, ctx, `document.querySelector(".cite").click(), 1`)
	require.True(t, look[bool](t, ctx, `document.querySelector("#p1").open`))
	require.Equal(t, "Keys are rotated every 90 days by the security team.", look[string](t, ctx, `document.querySelector("#p1 mark").innerText`))
	events := look[string](t, ctx, `document.querySelector("#events").innerText`)
	for _, name := range []string{"retrieve.query", "cache.miss"} {
		require.Contains(t, events, name)
	}
	picture("capstone-wide.png")
	do(chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2)))
	require.False(t, look[bool](t, ctx, `document.documentElement.scrollWidth > innerWidth`), "a phone needn't scroll sideways")
	picture("capstone-narrow.png")
	look[any](t, ctx, `document.querySelector("#question").value = "Who won the world cup?", document.querySelector("#go").click(), 1`)
	until(`document.querySelector("#answer").innerText.includes("I don't know")`)
	asked := look[[]string](t, ctx, `performance.getEntriesByType("resource").map(e => e.name)`)
	require.NotEmpty(t, asked)
	for _, u := range asked {
		require.True(t, strings.HasPrefix(u, server.URL) || strings.HasPrefix(u, "data:"), "a request went to %s", u)
	}
}
