package html_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/html"
)

func Example() {
	page := "<title>Manual</title><h1>Refunds</h1><p>Within <b>30</b>&nbsp;days.</p>"
	d, err := html.Load(context.Background(), "manual.html", strings.NewReader(page), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := strings.Index(d.Text, "30")
	place, _ := d.Place(at, at+len("30\u00a0days"))
	fmt.Println(d.Title, page[place.Start:place.End])
	fmt.Println(d.Documents()[0].Metadata[load.KeyLine])
	// Output:
	// Manual 30</b>&nbsp;days
	// 1
}
