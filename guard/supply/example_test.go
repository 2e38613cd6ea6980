package supply_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/prodailabs/prodai/guard/supply"
)

// A pickle that would start a program is scanned, and not run.
func ExampleScanner_Scan() {
	s, err := supply.New(nil)
	if err != nil {
		panic(err)
	}
	for _, file := range []string{"cos\nsystem\n(S'id'\ntR.", "]q\x00(K\x01K\x02e.", "not a pickle"} {
		r, err := s.Scan(context.Background(), "model.bin", bytes.NewReader([]byte(file)), int64(len(file)))
		if err != nil {
			panic(err)
		}
		fmt.Println(r.Status, r.Globals)
		for _, f := range r.Findings {
			fmt.Println("  ", f.Severity, f.Reason)
		}
	}
	// Output:
	// unsafe [os.system]
	//    dangerous imports os.system: starts a program or a shell
	// clean []
	// incomplete []
	//    incomplete not a whole pickle: the opcode 0x6e at byte 0 does not exist
}

// A name that imitates a known one is reported with the reason.
func ExampleNames_Near() {
	names, err := supply.NewNames(supply.PopularNames(), nil)
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"tenserflow", "requests", "meta-llarna/Llama-3.1-8B-Instruct", "my-own-package"} {
		near, ok := names.Near(name)
		if !ok {
			fmt.Println(name, "resembles none")
			continue
		}
		fmt.Println(name, "resembles", near.Known, "by", near.Reason)
	}
	// Output:
	// tenserflow resembles tensorflow by edit
	// requests resembles none
	// meta-llarna/Llama-3.1-8B-Instruct resembles meta-llama/Llama-3.1-8B-Instruct by look-alike
	// my-own-package resembles none
}
