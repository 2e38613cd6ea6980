package main

import (
	"context"
	"testing"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

func BenchmarkAsk(b *testing.B) {
	svc, err := service.New(b.Context(), service.Options{Tenant: evalTenant})
	if err != nil {
		b.Fatal(err)
	}
	defer svc.Close(context.Background())
	questions, err := readLines[question]("dev.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		q := questions[i%len(questions)]
		i++
		if _, err := svc.Ask(asking(b.Context(), q.Question+string(rune(i))), service.Question{Text: q.Question, History: q.history()}); err != nil {
			b.Fatal(err)
		}
	}
}
