package gateway

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// startCourse serves the course's own notes, offline.
func startCourse(t *testing.T) http.Handler {
	t.Helper()
	s, err := service.New(t.Context(), service.Options{Tenant: Tenant})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close(context.Background())) })
	return New(s, Options{})
}

// refusedAnswer are the messages of a refusal.
func refusedAnswer() []message {
	text := rag.UnknownAnswer + " Nearest passages:\n\n- [retry › Terms](/source?id=a) [1]\n"
	messages := answered(text, []citation{{Number: 1, Status: rag.Supported.String(), URL: found[0].URL}})
	done := messages[len(messages)-1].Data.(map[string]any)
	done["refused"] = true
	for i, closeness := range []string{"close", "related", "far", "far"} {
		n := near{Number: 1, Where: found[i%2].Where, URL: found[i%2].URL, Closeness: closeness, Quote: strings.Repeat("A circuit breaker stops calls to a target that keeps failing. ", 1+2*i)}
		list, _ := done["nearest"].([]near)
		done["nearest"] = append(list, n)
	}
	return messages
}

// overflowing lists the elements that are wider than the screen.
const overflowing = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest("pre, .unseen, .skip, .bars") && e.getBoundingClientRect().right > innerWidth + 1)
	.map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40)).concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])`

// pale lists the texts whose contrast with their background is under 4.5 (WCAG 2.2,
// 1.4.3).
const pale = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
	const light = c => { const [r, g, b] = c.map(v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
	const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
	const behind = e => { const layers = []; for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor)); return layers.reduce((below, c) => over(c, below), [255, 255, 255]); };
	const out = [];
	for (const e of document.querySelectorAll("body *")) {
		if (!e.checkVisibility() || e.closest(".unseen, .skip, .bars, :disabled") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const a = light(over(rgba(getComputedStyle(e).color), behind(e))), b = light(behind(e)), ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		if (ratio < 4.5) out.push(ratio.toFixed(2) + " " + e.tagName + "." + e.className + " " + e.textContent.slice(0, 40));
	}
	return out;
})()`

// TestEveryStateFits: in each state of the pages nothing is wider than the screen of a
// laptop or of a phone, and in light and dark all text has contrast. The pictures go to
// PRODAI_SCREENSHOTS, if that is set.
func TestEveryStateFits(t *testing.T) {
	long := strings.Repeat("> **retry › How often in total**\n> Backoff spreads load. **A circuit breaker stops calls to a target that keeps failing, and lets a test call through after a pause.** Timeouts end an answer that is late. [1]\n\n", 3)
	scripts := []func(http.ResponseWriter){
		streamed(answered(quotation, quotations, "This is said by nobody – “ünd” so.")...),
		streamed(refusedAnswer()...),
		streamed(message{"passages", found}, message{"text", "> **retry › Terms**\n> A circuit breaker stops calls to a"}),
		func(w http.ResponseWriter) {
			fail(w, http.StatusServiceUnavailable, "server_error", "upstream_unavailable", "", "the model's provider keeps failing, so it is not asked for a while; try again later")
		},
		nil,
		streamed(answered(long, []citation{{Number: 1, Status: "quoted", URL: found[0].URL}})...),
	}
	questions := []string{"What is a circuit breaker?", "Who won the world cup?", "How does a breaker work?", "Again?", "Why is full jitter better than plain exponential backoff?", "And " + strings.Repeat("averylongwordwithoutablank", 6) + "?", "Six?", "Seven?"}
	course := startCourse(t)
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			server, _ := scriptedOver(t, course, scripts...)
			b := openIn(t, server, scheme)
			require.Equal(t, scheme == "dark", look[bool](b, `matchMedia("(prefers-color-scheme: dark)").matches`))
			check := func(state string) {
				t.Helper()
				for _, size := range []struct {
					name          string
					width, height int64
				}{{"phone", 390, 844}, {"laptop", 1280, 800}} {
					b.do(chromedp.EmulateViewport(size.width, size.height))
					name := state + "-" + size.name + "-" + scheme
					b.picture(name)
					require.Empty(t, look[[]string](b, overflowing), name)
					require.Empty(t, look[[]string](b, pale), name)
				}
			}
			source := ""
			b.visit("/")
			b.until(`document.querySelectorAll("#try button").length > 9`)
			check("1-empty")
			for i, name := range []string{"2-answer", "3-refusal", "4-broken", "5-error", "6-real"} {
				b.ask(questions[i])
				if name == "6-real" {
					source = look[string](b, `document.querySelector("a.cite, a.card").getAttribute("href")`)
				}
				look[any](b, `document.querySelectorAll(".after > details, .events li:nth-child(2) details").forEach(d => d.open = true), 1`)
				check(name)
				b.do(chromedp.Click("#new"))
			}
			for _, q := range questions {
				b.ask(q)
			}
			check("7-long")
			b.visit(source)
			b.until(`document.querySelector("mark.passage") !== null`)
			check("8-source")
			b.visit("/source")
			b.until(`document.querySelector(".documents") !== null`)
			check("9-documents")
			b.visit("/source?doc=gone.md#passage")
			b.until(`document.querySelector(".title") !== null`)
			check("10-not-found")
			b.server = start(t, Options{Keys: []string{"key-one"}})
			b.visit("/")
			b.until(`document.querySelector("#key") !== null`)
			check("11-key")
			b.server = empty(t)
			b.visit("/")
			b.until(`document.querySelector("#try").innerText.includes("ingest")`)
			check("12-no-documents")
		})
	}
}
