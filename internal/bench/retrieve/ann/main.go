//go:build linux

// Command ann measures the approximate index beside peers of other languages, in
// turns, on the same vectors. It is driven by peers.py, which sends it the ef of each
// round:
//
//	cd internal/bench && go build -o /tmp/ann ./retrieve/ann
//	python3 retrieve/ann/peers.py /tmp/ann 20000 128 clustered
//
// peers.py needs numpy, hnswlib, faiss-cpu and usearch, and takes foxstash-core along if
// fox was built (cargo build --release --manifest-path retrieve/ann/fox/Cargo.toml) and
// the variable FOX is its path. Instead of clustered or independent vectors, it takes
// those of a file of float32, such as embeddings of real texts; the 1,000 after the first
// N are the queries.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/prodailabs/prodai/retrieve/hnsw"
)

// clustered returns n vectors around n/250 centers, and queries around the same.
func clustered(n, queries, dim int) (base, query [][]float32) {
	rng := rand.New(rand.NewPCG(1, 1))
	centers := make([][]float32, max(1, n/250))
	for i := range centers {
		centers[i] = normal(rng, make([]float32, dim), 1)
	}
	draw := func(n int) [][]float32 {
		out := make([][]float32, n)
		for i := range out {
			out[i] = normal(rng, centers[rng.IntN(len(centers))], .5)
		}
		return out
	}
	return draw(n), draw(queries)
}

func normal(rng *rand.Rand, center []float32, spread float64) []float32 {
	v := make([]float32, len(center))
	for i := range v {
		v[i] = center[i] + float32(rng.NormFloat64()*spread)
	}
	return v
}

func main() {
	if len(os.Args) != 5 {
		log.Fatal("want: ann N DIM clustered|independent|VECTORS FILE")
	}
	n, dim := number(os.Args[1]), number(os.Args[2])
	var base, queries [][]float32
	switch os.Args[3] {
	case "clustered":
		base, queries = clustered(n, 1000, dim)
	case "independent":
		rng := rand.New(rand.NewPCG(1, 1))
		for range n {
			base = append(base, normal(rng, make([]float32, dim), 1))
		}
		for range 1000 {
			queries = append(queries, normal(rng, make([]float32, dim), 1))
		}
	default: // a file of float32
		all, err := read(os.Args[3], dim)
		check(err)
		if len(all) < n+1000 {
			log.Fatalf("%s has %d vectors, want %d and 1000 queries", os.Args[3], len(all), n)
		}
		base, queries = all[:n], all[n:n+1000]
	}
	check(write(os.Args[4], append(base[:n:n], queries...)))
	fmt.Println("written")
	in := bufio.NewScanner(os.Stdin)
	indexes := map[string]*hnsw.Index{}
	for in.Scan() {
		command, argument, _ := strings.Cut(in.Text(), " ")
		mode, argument, _ := strings.Cut(argument, " ")
		began := processTime()
		switch command {
		case "build":
			x, err := hnsw.New(dim, &hnsw.Options{Capacity: n, Int8: mode == "int8"})
			check(err)
			indexes[mode] = x
			for id, v := range base {
				check(x.Add(id, v))
			}
			fmt.Println(processTime() - began)
		case "search":
			ef := number(argument)
			ids := make([][]hnsw.Hit, len(queries))
			for i, q := range queries {
				var err error
				ids[i], err = indexes[mode].SearchWith(q, 10, &hnsw.SearchOptions{EF: ef})
				check(err)
			}
			seconds := processTime() - began
			fmt.Print(seconds)
			for _, hits := range ids {
				for _, h := range hits {
					fmt.Print(" ", h.ID)
				}
			}
			fmt.Println()
		}
	}
}

// processTime returns the processor's seconds that this process took, which waiting
// for other programs doesn't change.
func processTime() float64 {
	var t unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t))
	return float64(t.Nano()) / 1e9
}

// read returns the vectors of a file of float32.
func read(file string, dim int) ([][]float32, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out [][]float32
	for len(data) >= 4*dim {
		v := make([]float32, dim)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		out, data = append(out, v), data[4*dim:]
	}
	return out, nil
}

func write(file string, vectors [][]float32) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	for _, v := range vectors {
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
