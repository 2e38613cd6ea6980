package bedrock_test

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/retry/route/bedrock"
	"github.com/prodailabs/prodai/retry/route/internal/replay"
)

// The request is signed with the example keys of AWS's documentation, and goes to a recorded
// answer instead of AWS.
func Example() {
	server := replay.Open("client_langchaingo.jsonl", "go/bedrock_meta.llama3-8b-instruct-v1:0")
	defer server.Close()
	keys := bedrock.Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "")
	m, err := bedrock.New("us-east-1", "meta.llama3-8b-instruct-v1:0", keys, &bedrock.Options{Address: server.URL})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Call(context.Background(), "Say hello to Ada."))
	// Output: Hello Ada <nil>
}
