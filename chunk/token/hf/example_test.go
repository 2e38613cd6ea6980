package hf_test

import (
	"fmt"
	"os"

	"github.com/prodailabs/prodai/chunk/token/hf"
)

func Example() {
	f, err := os.Open("testdata/llama3.json") // a small vocabulary in Llama 3's form
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	tok, err := hf.Read(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	text := "the text<|eot_id|>"
	fmt.Println(tok.Kind(), tok.Count(text), len(tok.EncodeSpecial(text)))
	if e, ok := tok.Encoding(); ok {
		head, _ := e.SplitAt(text, 3)
		fmt.Printf("%q\n", head)
	}
	// Output:
	// BPE 12 5
	// "the te"
}
