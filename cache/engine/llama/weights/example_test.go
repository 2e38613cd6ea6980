package weights_test

import (
	"bytes"
	"fmt"
	"log"
	"os"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// A tensor in 8-bit codes takes a quarter of the bytes, and comes back nearly as it was.
func Example() {
	row := make([]float32, 32)
	for i := range row {
		row[i] = float32(i) / 8
	}
	var file bytes.Buffer
	err := weights.WriteGGUF(&file, []weights.Pair{{Key: "general.name", Value: "one row"}}, []weights.Source{{
		Name: "row", Type: weights.TypeQ8_0, Shape: []int{1, 32}, Floats: func() ([]float32, error) { return row, nil },
	}})
	if err != nil {
		log.Fatal(err)
	}
	f, err := weights.Read(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	x, err := f.Floats("row")
	if err != nil {
		log.Fatal(err)
	}
	t, _ := f.Tensor("row")
	fmt.Println(f.Text("general.name"), t.Type, t.Shape, t.Size, "bytes")
	fmt.Printf("%.3f became %.3f\n", row[9], x[9])
	// Output:
	// one row Q8_0 [1 32] 34 bytes
	// 1.125 became 1.129
}

// A checkpoint of Hugging Face's is a folder. Requantize writes it as one GGUF file, its
// matrices in 8-bit codes and its vectors as they are.
func ExampleFile_Requantize() {
	convert := func(folder, to string) error {
		f, err := weights.Open(folder)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		out, err := os.Create(to)
		if err != nil {
			return err
		}
		if err := f.Requantize(out, func(t weights.Tensor) weights.Type {
			if len(t.Shape) == 2 {
				return weights.TypeQ8_0
			}
			return weights.TypeF32
		}); err != nil {
			return err
		}
		return out.Close()
	}
	if err := convert("SmolLM2-135M", "smollm2.gguf"); err != nil {
		fmt.Println("download the folder first")
	}
	// Output: download the folder first
}
