// Package prodai is the index of the course "Building Production AI Systems".
//
// The course takes an AI system from a demo to production in sixteen lectures.
// This module holds its reusable parts: independent packages that meet at
// langchaingo's interfaces, so that each can be used alone and all of them
// compose.
//
// # Lectures
//
//   - L1 The $100,000 weekend: runaway cost. [github.com/prodailabs/prodai/retry], [github.com/prodailabs/prodai/trace]
//   - L2 Tokens: what is counted, billed and cut. [github.com/prodailabs/prodai/chunk]
//   - L3 From text to types: clients, errors, validated output. [github.com/prodailabs/prodai/retry/openai], [github.com/prodailabs/prodai/guard]
//   - L4 Queues, retries and overload. [github.com/prodailabs/prodai/retry]
//   - L5 Metrics and datasets. [github.com/prodailabs/prodai/eval]
//   - L6 Judges, experiments and statistics. [github.com/prodailabs/prodai/eval]
//   - L7 Threats. [github.com/prodailabs/prodai/guard]
//   - L8 Guardrails and limits. [github.com/prodailabs/prodai/guard], [github.com/prodailabs/prodai/retry]
//   - L9 The midterm: the parts so far, put together.
//   - L10 Retrieval-augmented generation. [github.com/prodailabs/prodai/chunk], [github.com/prodailabs/prodai/retrieve]
//   - L11 Deployment and routing. [github.com/prodailabs/prodai/retry]
//   - L12 Inside a serving engine; canaries. [github.com/prodailabs/prodai/retry], [github.com/prodailabs/prodai/cache]
//   - L13 Embeddings and quantization. [github.com/prodailabs/prodai/retrieve], [github.com/prodailabs/prodai/cache]
//   - L14 Caching, batching, speculative decoding. [github.com/prodailabs/prodai/cache]
//   - L15 Tracing and cost. [github.com/prodailabs/prodai/trace]
//   - L16 Monitoring quality. [github.com/prodailabs/prodai/trace], [github.com/prodailabs/prodai/eval]
//
// # How the packages compose
//
// Every layer is an [llms.Model] around an [llms.Model], outermost first:
//
//	trace   the logical call: one span, no usage
//	guard   policy looks at every answer, a cached one too
//	limit   the tenant's requests, tokens, money
//	cache
//	retry   attempts, hedges, timeouts, breaker
//	route   the pool; per target: limit, trace (the attempt), client
//
// A wrapper keeps the contract that eval/modeltest checks: it passes on every
// option, choice, tool call and chunk, mutates nothing of the caller's, and
// returns promptly when the context is done. The packages don't import one
// another; they meet at langchaingo's types, at a few function-valued options
// and at the log events of one table.
//
// # A first program
//
// It asks the model that three environment variables name, retries what can be
// retried, and answers a repeated question from memory:
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//		"os"
//
//		"github.com/tmc/langchaingo/llms"
//
//		"github.com/prodailabs/prodai/cache"
//		"github.com/prodailabs/prodai/retry"
//		"github.com/prodailabs/prodai/retry/openai"
//	)
//
//	func main() {
//		name := os.Getenv("OPENAI_MODEL")
//		client, err := openai.New(name, &openai.Options{APIKey: os.Getenv("OPENAI_API_KEY"), BaseURL: os.Getenv("OPENAI_BASE_URL")})
//		check(err)
//		retried, err := retry.New(client, &retry.Options{MaxAttempts: 3})
//		check(err)
//		cached, err := cache.New(retried, &cache.Options{Model: name})
//		check(err)
//		for range 2 {
//			answer, err := llms.GenerateFromSinglePrompt(context.Background(), cached, "Why is jitter needed? One sentence.")
//			check(err)
//			fmt.Println(answer)
//		}
//		fmt.Printf("%+v\n", cached.Stats())
//	}
//
//	func check(err error) {
//		if err != nil {
//			log.Fatal(err)
//		}
//	}
//
// # Reading it
//
// Each package's comment is the lecture's notes:
//
//	go doc github.com/prodailabs/prodai/chunk
//	go run github.com/prodailabs/prodai/internal/docpage
//
// The second command, run inside the module, serves all of them as pages on
// this machine. [Notes] holds the same text as data.
//
// [llms.Model]: https://pkg.go.dev/github.com/tmc/langchaingo/llms#Model
package prodai
