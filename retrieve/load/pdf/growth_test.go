package pdf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prodailabs/prodai/internal/growth"
)

func TestGrowthOfFiles(t *testing.T) {
	growth.Skip(t)
	for _, text := range []string{"(x) Tj ", "[(a) -300 (b)] TJ 0 -12 Td ", "q ", "<<", "[", "(", "<4", "/a ", "1 0 obj ", "1 0 obj (", "1 0 obj <<>> stream ", "1 1 ", "obj", "trailer ", "BI ID ", "%"} {
		for where, wrap := range map[string]func(s string) []byte{
			"content": func(s string) []byte { return make1(s, "<</Subtype/Type1>>") },
			"file":    func(s string) []byte { return append(make1("x"), s...) },
		} {
			t.Run(where+" "+text, func(t *testing.T) {
				growth.Test(t, 200_000, 3, func(n int) func() {
					data := wrap(strings.Repeat(text, n/len(text)))
					return func() { _, _ = Load(t.Context(), "f", bytes.NewReader(data), nil) } // an error is an end too
				})
			})
		}
	}
}
