package docx_test

import (
	"context"
	"fmt"
	"os"

	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/docx"
)

func Example() {
	f, err := os.Open("testdata/manual.docx")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	d, err := docx.Load(context.Background(), "manual.docx", f, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range d.Documents() {
		fmt.Println(p.Metadata["heading"], "from paragraph", p.Metadata[load.KeyParagraph])
	}
	// Output:
	// Shop manual from paragraph 1
	// Refunds from paragraph 3
	// Refunds > Gift cards from paragraph 5
	// Hours from paragraph 11
}
