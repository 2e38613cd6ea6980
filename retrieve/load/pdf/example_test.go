package pdf_test

import (
	"context"
	"fmt"
	"os"

	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/pdf"
)

func Example() {
	f, err := os.Open("testdata/reportlab.pdf")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	d, err := pdf.Load(context.Background(), "prices.pdf", f, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range d.Documents() {
		fmt.Printf("page %d: %q\n", p.Metadata[load.KeyPage], p.PageContent[:12])
	}
	// Output:
	// page 1: "Prices\nA toa"
	// page 2: "Second page."
}
