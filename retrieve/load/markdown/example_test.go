package markdown_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/markdown"
)

func Example() {
	d, err := markdown.Load(context.Background(), "manual.md", strings.NewReader("# Refunds\n\nWithin 30 days.\n\n## Gift cards\n\nNone.\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range d.Documents() {
		fmt.Println(p.Metadata["heading"], "from line", p.Metadata[load.KeyLine])
	}
	// Output:
	// Refunds from line 1
	// Refunds > Gift cards from line 5
}
