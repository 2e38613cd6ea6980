package label_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/judge/label"
	"github.com/prodailabs/prodai/internal/browser"
)

// TestKeyboardAndWidth labels in a real browser with keys alone, at the width of a
// phone and of a desk, on a page of another computer.
func TestKeyboardAndWidth(t *testing.T) {
	long := items(3)
	long[1].Answer = "https://example.com/" + strings.Repeat("a", 300)
	p, err := label.New(long, &label.Options{Labels: []string{"wrong", "in part", "right"}, Hosts: []string{"desk.example", "localhost"}})
	require.NoError(t, err)
	work(t, p, "Anna", func(string) string { return "right" })

	const done = `document.querySelector("header span")?.textContent`
	// Another computer's name without TLS: a browser sends no Sec-Fetch-Site there.
	b := browser.Open(t, p, "desk.example/", 390)
	b.Until("person", "document.activeElement.id")
	b.Fits(390, "start-390")
	b.Press("Ben 12") // a digit in the name labels nothing
	b.Press("\r")
	b.Until("Ben 12, 0 of 3 labeled", done)
	b.Press("3")
	b.Until("Ben 12, 1 of 3 labeled", done)
	b.Fits(390, "item-390")
	b.Fits(1280, "item-1280")
	b.Press("\b")
	b.Until("right3", `document.querySelector("button[aria-pressed=true]")?.textContent`)
	b.Press("1")
	b.Until("Item 2 of 3: the question", `document.querySelector("h2")?.textContent`)
	b.Press("2")
	b.Until("Ben 12, 2 of 3 labeled", done)
	b.Press("\t\t\t")
	b.Until("right", "document.activeElement.value")
	b.Press("\r")
	b.Until("33 % of 3", `document.querySelector("td")?.textContent`)
	b.Fits(390, "end-390")
	b.Fits(1280, "end-1280")
	people, values := p.Labels()
	assert.Equal(t, []string{"Anna", "Ben 12"}, people)
	assert.ElementsMatch(t, []float64{0, 0.5, 1}, []float64{values[0][1], values[1][1], values[2][1]})
}
