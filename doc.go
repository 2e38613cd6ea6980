// Package prodai is the index of the course "Building Production AI Systems".
//
// The course takes an AI system from a demo to production in sixteen lectures.
// This module holds its reusable parts: independent packages that meet at
// langchaingo's interfaces, so that each can be used alone and all of them
// compose.
//
// # Lectures
//
// Each lecture's notes are the comments of its packages. The lectures without a
// line here (the midterm, deployment, serving engines, monitoring) have no package
// yet.
//
//   - L1 Runaway cost: [github.com/prodailabs/prodai/trace/cost], [github.com/prodailabs/prodai/retry/limit].
//   - L2 Tokens: [github.com/prodailabs/prodai/chunk/token], [github.com/prodailabs/prodai/chunk/token/o200k], [github.com/prodailabs/prodai/chunk/token/cl100k], [github.com/prodailabs/prodai/chunk/token/p50k], [github.com/prodailabs/prodai/chunk/token/r50k], [github.com/prodailabs/prodai/chunk/token/openai], [github.com/prodailabs/prodai/chunk/token/hf], [github.com/prodailabs/prodai/chunk/token/tiktoken], [github.com/prodailabs/prodai/chunk/token/fit].
//   - L3 Clients, errors, types: [github.com/prodailabs/prodai/retry/openai], [github.com/prodailabs/prodai/retry/fault], [github.com/prodailabs/prodai/guard/structured], [github.com/prodailabs/prodai/eval/modeltest].
//   - L4 Retries and overload: [github.com/prodailabs/prodai/retry], [github.com/prodailabs/prodai/retry/admission], [github.com/prodailabs/prodai/retry/defaults], [github.com/prodailabs/prodai/retry/overload].
//   - L5 Metrics and datasets: [github.com/prodailabs/prodai/eval], [github.com/prodailabs/prodai/eval/suite], [github.com/prodailabs/prodai/eval/dataset], [github.com/prodailabs/prodai/eval/dataset/synth], [github.com/prodailabs/prodai/eval/report], [github.com/prodailabs/prodai/eval/evaltest].
//   - L6 Experiments: [github.com/prodailabs/prodai/eval/stats].
//   - L7 Threats: [github.com/prodailabs/prodai/guard/injection], [github.com/prodailabs/prodai/guard/threat].
//   - L8 Guardrails: [github.com/prodailabs/prodai/guard], [github.com/prodailabs/prodai/guard/defaults], [github.com/prodailabs/prodai/guard/pii], [github.com/prodailabs/prodai/guard/secret], [github.com/prodailabs/prodai/guard/detect], [github.com/prodailabs/prodai/guard/sink], [github.com/prodailabs/prodai/guard/flood], [github.com/prodailabs/prodai/guard/quarantine], [github.com/prodailabs/prodai/retry/limit], [github.com/prodailabs/prodai/retry/limit/redis].
//   - L10 Retrieval: [github.com/prodailabs/prodai/chunk], [github.com/prodailabs/prodai/chunk/langchain], [github.com/prodailabs/prodai/chunk/chunkeval], [github.com/prodailabs/prodai/chunk/chunkeval/sample], [github.com/prodailabs/prodai/retrieve], [github.com/prodailabs/prodai/retrieve/bm25], [github.com/prodailabs/prodai/retrieve/flat], [github.com/prodailabs/prodai/retrieve/hnsw], [github.com/prodailabs/prodai/retrieve/rag].
//   - L13 Embeddings: [github.com/prodailabs/prodai/retrieve/embed], [github.com/prodailabs/prodai/retrieve/vecquant].
//   - L14 Caching: [github.com/prodailabs/prodai/cache].
//   - L15 Tracing: [github.com/prodailabs/prodai/trace], [github.com/prodailabs/prodai/trace/jsonl], [github.com/prodailabs/prodai/trace/cost].
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
//	route   (planned) the pool; per target: limit, trace (the attempt), client
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
