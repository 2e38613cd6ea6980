package ollama_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/prodailabs/prodai/retry/route/ollama"
)

// The window is set, because Ollama's own is small and it cuts a longer prompt without an
// error. The answer is written after Ollama's published API.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"message":{"role":"assistant","content":"Hello"},"done":false}
{"message":{"role":"assistant","content":" Ada."},"done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":3}`)
	}))
	defer server.Close()
	m, err := ollama.New(server.URL, "llama3.2", &ollama.Options{WindowTokens: 8192})
	if err != nil {
		panic(err)
	}
	fmt.Println(m.Call(context.Background(), "Say hello to Ada."))
	// Output: Hello Ada. <nil>
}
