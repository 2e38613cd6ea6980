package html_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/race"
	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/html"
)

const page = `<!DOCTYPE html><html><head><title>The  shop&#39;s manual</title><style>p{}</style><script>var a = "<p>no</p>"</script></head>
<body><p>Welcome   to
the <b>shop</b> &amp; more.<p>Second<br>line.
<h1>Refunds <i>now</i></h1><div>Within 30&nbsp;days.</div><!-- no -->
<h2>Gift cards</h2>
<table><tr><th>Item<th>Price</tr><tr><td>Toaster</td><td>20 &euro;</td></tr></table>
<pre>a
  b</pre><ul><li>one<li>two</ul>
<div hidden>secret <div>deep</div> more</div><p style="display: none">gone</p><span aria-hidden="true">icon</span>
<noscript>turn it on</noscript>After.</body></html>`

func TestLoad(t *testing.T) {
	d, err := html.Load(t.Context(), "m.html", strings.NewReader(page), nil)
	require.NoError(t, err)
	require.Equal(t, "The shop's manual", d.Title)
	require.Equal(t, "Welcome to the shop & more.\n\nSecond\nline.\n\nRefunds now\n\nWithin 30\u00a0days.\n\nGift cards\n\nItem | Price\nToaster | 20 €\n\na\n  b\n\none\ntwo\n\nAfter.", strings.TrimSpace(d.Text))
	var headings []string
	for _, s := range d.Sections {
		headings = append(headings, s.Heading)
	}
	require.Equal(t, []string{"", "Refunds now", "Refunds now > Gift cards"}, headings)
	for text, want := range map[string]string{
		"Welcome to": "Welcome   to",
		"shop":       "shop",
		"& more":     "&amp; more",
		"20 €":       "20 &euro;",
		"line.":      "line.",
		"a\n  b":     "a\n  b",
		"the shop &": "the <b>shop</b> &amp;",
		"€":          "&euro;",
		"hop":        "hop",
	} {
		at := strings.Index(d.Text, text)
		p, ok := d.Place(at, at+len(text))
		require.True(t, ok, text)
		require.Equal(t, want, page[p.Start:p.End], text)
		require.Equal(t, 1+strings.Count(page[:p.Start], "\n"), p.Line, text)
	}
}

func TestAnotherEncodingIsConverted(t *testing.T) {
	d, err := html.Load(t.Context(), "m.html", strings.NewReader("<meta charset=iso-8859-1><p>caf\xe9"), nil)
	require.NoError(t, err)
	require.Equal(t, "café", d.Text)
	_, ok := d.Place(0, 4)
	require.False(t, ok, "the bytes are not those of the file")
	require.NotContains(t, d.Documents()[0].Metadata, "line")
}

func TestHostilePages(t *testing.T) {
	n := 100_000
	if race.Enabled {
		n = 5000
	}
	for _, text := range []string{
		strings.Repeat("<div>", 10*n), strings.Repeat("<b><i>", n) + "x", strings.Repeat("&", 10*n), "<a " + strings.Repeat("x=1 ", n),
		strings.Repeat("<table><tr><td>", n), "<script>" + strings.Repeat("x", 10*n), strings.Repeat("<h1>", n), strings.Repeat("</div>", n), "<p hidden>" + strings.Repeat("<p>", n),
		"<title>" + strings.Repeat("x", 10*n), "<!--" + strings.Repeat("-", 10*n), "<![CDATA[", "<", "</", "<p\x00>", "&#xffffffff;&#0;",
	} {
		_, err := html.Load(t.Context(), "m.html", strings.NewReader(text), nil)
		require.NoError(t, err, "%.20s", text)
	}
	var limit *load.LimitError
	_, err := html.Load(t.Context(), "m.html", strings.NewReader(strings.Repeat("<p>abc", 1000)), &load.Options{MaxText: 1000})
	require.ErrorAs(t, err, &limit)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = html.Load(ctx, "m.html", strings.NewReader("x"), nil)
	require.ErrorIs(t, err, context.Canceled)
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(page))
	f.Add([]byte("<p>a&lt;b &am p;<td>x<td>y<pre>\n z"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := html.Load(t.Context(), "f", bytes.NewReader(data), nil)
		var limit *load.LimitError
		if err != nil {
			if !errors.Is(err, load.ErrFormat) && !errors.Is(err, load.ErrEncoding) && !errors.As(err, &limit) {
				t.Fatal(err)
			}
			return
		}
		for i := 0; i+3 <= len(d.Text); i += 3 {
			if p, ok := d.Place(i, i+3); ok && p.End > 0 && (p.Start < 0 || p.End < p.Start || p.End > len(data)) {
				t.Fatalf("place %+v of %d bytes", p, len(data))
			}
		}
		at := 0
		for _, s := range d.Sections {
			if s.Start < at || s.End <= s.Start || s.End > len(d.Text) {
				t.Fatal(s, at, len(d.Text))
			}
			at = s.End
		}
	})
}
