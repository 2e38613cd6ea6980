// Command peers measures this package's texts a second on one CPU, in the form of
// peers.py: run both one after the other, a few times.
//
//	go run ./retrieve/embed/bert/testdata/peers MODEL_FOLDER TEXTS.txt THREADS
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prodailabs/prodai/retrieve/embed/bert"
)

func main() {
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	texts := strings.Split(strings.TrimSpace(string(data)), "\n")
	workers, err := strconv.Atoi(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	var want [][]float32
	for _, p := range []bert.Precision{bert.PrecisionFloat32, bert.PrecisionInt8} {
		e, err := bert.NewEmbedder(os.Args[1], &bert.Options{Precision: p, Workers: workers})
		if err != nil {
			log.Fatal(err)
		}
		cpu, began := used(), time.Now()
		got, err := e.EmbedDocuments(context.Background(), texts)
		if err != nil {
			log.Fatal(err)
		}
		n := float64(len(texts))
		fmt.Printf("%s\t%.1f texts per CPU second\t%.1f per second\n", e.Name(), n/(used()-cpu).Seconds(), n/time.Since(began).Seconds())
		if want == nil {
			want = got
		}
		lowest := 1.0
		for i, v := range got {
			dot := 0.0
			for j, x := range v {
				dot += float64(x) * float64(want[i][j])
			}
			lowest = min(lowest, dot)
		}
		fmt.Printf("\tlowest cosine to float32 %.6f\n", lowest)
	}
}

// used returns the CPU time of the process.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
