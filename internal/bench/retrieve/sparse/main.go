//go:build linux

// Command sparse measures BM25 beside peers of other languages, in turns, on the same
// made-up texts. It is driven by peers.py:
//
//	cd internal/bench && go build -o /tmp/sparse ./retrieve/sparse
//	python3 retrieve/sparse/peers.py /tmp/sparse 200000
//
// peers.py needs bm25s, rank-bm25 and tantivy. Words have the frequencies of Zipf's
// law; a query has two to six words, frequent and rare ones.
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// text returns words drawn by Zipf's law: the n-th of 100,000 has a frequency of 1/n.
// Words before the first one are never drawn.
func text(rng *rand.Rand, words int, first float64) string {
	out := make([]string, words)
	for i := range out {
		u := math.Log(first) + rng.Float64()*(math.Log(1e5)-math.Log(first))
		out[i] = "w" + strconv.Itoa(int(math.Exp(u)))
	}
	return strings.Join(out, " ")
}

func seconds() float64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		log.Fatal(err)
	}
	return float64(t.Sec) + float64(t.Nsec)/1e9
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("want: sparse N FILE")
	}
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	var texts, queries []string
	for range n {
		texts = append(texts, text(rng, 30+rng.IntN(60), 1))
	}
	for range 500 {
		queries = append(queries, text(rng, 2+rng.IntN(5), 10))
	}
	all := strings.Join(append(append([]string{}, queries...), texts...), "\n")
	if err := os.WriteFile(os.Args[2], []byte(all), 0o600); err != nil {
		log.Fatal(err)
	}
	fmt.Println("written")
	x, err := bm25.New(&bm25.Options{Analyze: strings.Fields})
	if err != nil {
		log.Fatal(err)
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		began := seconds()
		var ids []string
		switch in.Text() {
		case "build":
			for id, t := range texts {
				x.Add(id, t)
			}
		case "save":
			if err := x.Save(os.Args[2] + ".index"); err != nil {
				log.Fatal(err)
			}
		default:
			for _, q := range queries {
				for _, h := range x.Search(q, 10) {
					ids = append(ids, strconv.Itoa(h.ID))
				}
				ids = append(ids, "-")
			}
		}
		fmt.Println(seconds()-began, strings.Join(ids, " "))
	}
}
