package content_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/guard/content"
)

// Each sentence of an answer is compared with the passages.
func ExampleGround_Check() {
	ground, err := content.NewGround(nil)
	if err != nil {
		panic(err)
	}
	answer := "The lamp has a guarantee of two years. It has a guarantee of ten years. It was designed in Oslo."
	claims, err := ground.Check(context.Background(), answer, []string{"Each lamp has a guarantee of two years, from the day of purchase."})
	if err != nil {
		panic(err)
	}
	for _, c := range claims {
		fmt.Printf("%v: %s\n", c.State, answer[c.Start:c.End])
		if c.Reason != "" {
			fmt.Println("  ", c.Reason)
		}
	}
	// Output:
	// supported: The lamp has a guarantee of two years.
	// contradicts: It has a guarantee of ten years.
	//    another number
	// unsupported: It was designed in Oslo.
	//    no passage has these words
}

// A phrase is found in any spelling that reads the same.
func ExampleBans_Find() {
	bans, err := content.NewBans([]string{"Lumina lamps"}, nil)
	if err != nil {
		panic(err)
	}
	text := "Have a look at LÚMINA-lamps!"
	for _, b := range bans.Find(text) {
		fmt.Println(b.Phrase, "as", text[b.Start:b.End])
	}
	// Output:
	// Lumina lamps as LÚMINA-lamps
}
