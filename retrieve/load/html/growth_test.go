package html_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/retrieve/load/html"
)

func TestGrowthOfPages(t *testing.T) {
	growth.Skip(t)
	for _, text := range []string{"<p>a &amp; b ", "<b>", "&", "</div>", "<td>x", "<h1>x", "<div hidden>", "<!-", "<a x=1 ", " \n "} {
		t.Run(text, func(t *testing.T) {
			growth.Test(t, 200_000, 3, func(n int) func() {
				page := strings.Repeat(text, n/len(text))
				return func() {
					_, err := html.Load(t.Context(), "f", strings.NewReader(page), nil)
					require.NoError(t, err)
				}
			})
		})
	}
}
