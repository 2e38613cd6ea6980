package chunk_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/chunk"
)

// A file of any size is cut as it is read; offsets are those in the file.
func ExampleStream() {
	file := strings.NewReader(strings.Repeat("A log entry that says little.\n\n", 100_000))
	c, err := chunk.NewRecursive(&chunk.Options{Size: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	n, end := 0, 0
	for c, err := range chunk.Stream(context.Background(), file, c, nil) {
		if err != nil {
			fmt.Println(err)
			return
		}
		n, end = n+1, c.End
	}
	fmt.Println(n, "chunks, the last ends at byte", end)
	// Output: 33334 chunks, the last ends at byte 3099998
}
