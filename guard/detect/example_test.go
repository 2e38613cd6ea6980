package detect_test

import (
	"fmt"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
)

func ExampleDetector_Stream() {
	d, _ := pii.New(nil)
	s := d.Stream(detect.Label)
	for _, chunk := range []string{"Card 4111 1111", " 1111 11", "11, thanks", "."} {
		fmt.Printf("%q\n", s.Write(chunk))
	}
	fmt.Printf("%q\n", s.Close())
	// Output:
	// "Card "
	// ""
	// "[CREDIT_CARD], "
	// ""
	// "thanks."
}

func ExampleVault() {
	d, _ := pii.New(nil)
	vault, _ := detect.NewVault(&detect.VaultOptions{Random: strings.NewReader("a fixed nonce, for the example only")})
	prompt := d.Redact("Ask ana@example.org and bob@example.org, then ana@example.org again.", vault.Tokenize)
	fmt.Println(prompt)
	fmt.Println(vault.Restore("I wrote to [EMAIL_2_meqg], not to [EMAIL_3_meqg]."))
	// Output:
	// Ask [EMAIL_1_meqg] and [EMAIL_2_meqg], then [EMAIL_1_meqg] again.
	// I wrote to bob@example.org, not to [EMAIL_3_meqg].
}

func ExampleMask() {
	d, _ := pii.New(nil)
	fmt.Println(d.Redact("Card 4111 1111 1111 1111", detect.Mask(4)))
	// Output: Card **** **** **** 1111
}

func ExampleHash() {
	d, _ := pii.New(nil)
	hash, err := detect.Hash([]byte("key"))
	fmt.Println(d.Redact("from ana@example.org to ana@example.org", hash), err)
	// Output: from [EMAIL:40ec5d44d0177850] to [EMAIL:40ec5d44d0177850] <nil>
}

// A rule for a company's own customer numbers, such as C-204517. It must ask for more
// at the end of the text, since another digit would make it another number.
func ExampleRule() {
	d, err := detect.New(detect.Rule{
		Kind: "CUSTOMER", Score: 1, Reason: "our customer numbers", Starts: "C", Max: 10,
		Match: func(text string, at int, atEOF bool) int {
			if n := detect.Literal(text, at, "C-", atEOF); n <= 0 {
				return n
			}
			end := detect.Digits.Run(text, at+2, 7)
			switch {
			case end == len(text) && !atEOF:
				return detect.NeedMore
			case end-at != 8:
				return 0
			}
			return end - at
		},
	})
	fmt.Println(d.Redact("C-204517 is not C-20451 and not C-2045170", detect.Label), err)
	// Output: [CUSTOMER] is not C-20451 and not C-2045170 <nil>
}
