package vec_test

import (
	"fmt"

	"github.com/prodailabs/prodai/internal/vec"
)

// One query against three rows that follow one another in memory.
func ExampleDotRows() {
	query := []float32{1, 2}
	rows := []float32{
		1, 0,
		0, 1,
		1, 1,
	}
	out := make([]float32, 3)
	vec.DotRows(query, rows, out)
	fmt.Println(out)
	// Output: [1 2 3]
}
