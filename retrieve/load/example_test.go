package load_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/retrieve/load"
)

func ExampleCSV() {
	file := "name,price\nToaster,20\nKettle,15\n"
	d, err := load.CSV(context.Background(), "prices.csv", strings.NewReader(file), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range d.Documents() {
		fmt.Printf("line %d: %q\n", p.Metadata[load.KeyLine], p.PageContent)
	}
	// Output:
	// line 2: "name: Toaster\nprice: 20"
	// line 3: "name: Kettle\nprice: 15"
}
