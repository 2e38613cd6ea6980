// Command statictrain trains and measures the static embedding model of retrieve/embed:
// a row of numbers for each token, fitted to pairs of texts and to a teacher's similarities.
// README.md has the steps, the sources and the figures.
//
//	go run ./internal/statictrain pairs -sources DIR -out pairs.jsonl
//	go run ./internal/statictrain teach -pairs pairs.jsonl -teacher DIR -out teacher.f32
//	go run ./internal/statictrain train -pairs pairs.jsonl -teacher teacher.f32 -out model.safetensors
//	go run ./internal/statictrain eval -golden DIR -sources DIR -models model.safetensors
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "statictrain:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	commands := map[string]func(context.Context, []string, io.Writer) error{
		"pairs": pairsCommand, "teach": teachCommand, "train": trainCommand, "eval": evalCommand,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("want a command: pairs, teach, train or eval")
	}
	return commands[args[0]](ctx, args[1:], out)
}
