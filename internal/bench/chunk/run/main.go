// Command run cuts the file named by its argument with package chunk and with
// langchaingo and prints, for each task: who, task, MB/s, number of chunks. With
// -write it writes the text that the benchmarks cut to that file instead.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/internal/bench/chunk/tasks"
)

func main() {
	write := flag.Bool("write", false, "write the text to the file")
	flag.Parse()
	log.SetFlags(0)
	if err := run(flag.Arg(0), *write); err != nil {
		log.Fatal(err)
	}
}

func run(file string, write bool) error {
	if write {
		s, err := tasks.Speech()
		if err != nil {
			return err
		}
		return os.WriteFile(file, []byte(s), 0o644)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	all, err := tasks.All()
	if err != nil {
		return err
	}
	text := string(data)
	o200k.Encoding().Count(text) // what is built on first use
	for _, task := range all {
		start := time.Now()
		n, err := task.Cut(text)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s %.3f %d\n", task.By, task.Name, float64(len(text))/1e6/time.Since(start).Seconds(), n)
	}
	return nil
}
