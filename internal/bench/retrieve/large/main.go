//go:build linux

// Command large builds a large index of vectors with int8 codes, stores it, opens it in
// a process of its own, and searches it there:
//
//	cd internal/bench && go run ./retrieve/large 1000000 256
package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// vector returns the i-th of made-up vectors around 2,000 centers.
func vector(i uint64, dim int) []float32 {
	own, center := rand.New(rand.NewPCG(i, 1)), rand.New(rand.NewPCG(i%2000, 2))
	v := make([]float32, dim)
	for j := range v {
		v[j] = float32(center.NormFloat64() + own.NormFloat64())
	}
	return v
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		log.Fatal("want: large N DIM")
	}
	n, err1 := strconv.Atoi(os.Args[1])
	dim, err2 := strconv.Atoi(os.Args[2])
	if err1 != nil || err2 != nil {
		log.Fatal(err1, err2)
	}
	if len(os.Args) == 4 {
		search(os.Args[3], n, dim)
		return
	}
	x, err := hnsw.New(dim, &hnsw.Options{Int8: true, Capacity: n})
	if err != nil {
		log.Fatal(err)
	}
	began := time.Now()
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < n; i += 2 {
				if err := x.Add(i, vector(uint64(i), dim)); err != nil {
					log.Fatal(err)
				}
			}
		})
	}
	wg.Wait()
	fmt.Printf("built in %.0f s by two goroutines\n", time.Since(began).Seconds())
	dir, err := os.MkdirTemp("", "large")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "index")
	began = time.Now()
	if err := x.Save(path); err != nil {
		log.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("saved in %.1f s, %.0f MB\n", time.Since(began).Seconds(), float64(info.Size())/1e6)
	for range 2 {
		cmd := exec.Command(os.Args[0], os.Args[1], os.Args[2], path)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			log.Fatal(err)
		}
	}
}

func search(path string, n, dim int) {
	began := time.Now()
	x, err := hnsw.Open(path, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("opened in %.2f s (%.2f s of the processor), RSS %s\n", time.Since(began).Seconds(), cpu(), rss())
	queries := make([][]float32, 1000)
	for i := range queries {
		queries[i] = vector(uint64(n+i), dim)
	}
	for _, ef := range []int{64, 200} {
		began = time.Now()
		for _, q := range queries {
			if _, err := x.SearchWith(q, 10, &hnsw.SearchOptions{EF: ef}); err != nil {
				log.Fatal(err)
			}
		}
		each := time.Since(began).Seconds()
		memory := rss()
		recall, err := x.Recall(queries[:30], 10, &hnsw.SearchOptions{EF: ef})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("ef %d: %.2f ms a search, recall@10 %.3f, RSS %s after the searches\n", ef, each, recall, memory)
	}
}

// cpu returns the processor's seconds that this process took, which other programs
// don't change.
func cpu() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		log.Fatal(err)
	}
	return float64(t.Nano()) / 1e9
}

// rss returns the memory of this process that is in use now.
func rss() string {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}
