// Package text makes the text that the chunkers are measured on.
package text

import (
	"strings"

	"github.com/prodailabs/prodai/chunk/chunkeval/sample"
)

// Speech returns about 2 MB of markdown: a speech forty times over, with a
// heading before every eighth paragraph.
func Speech() (string, error) {
	d, err := sample.Data()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, p := range strings.SplitAfter(strings.Repeat(d.Corpora["state_of_the_union"], 40), "\n\n") {
		if i%8 == 0 {
			b.WriteString("## A heading\n\n")
		}
		b.WriteString(p)
	}
	return b.String(), nil
}
