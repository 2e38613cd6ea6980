package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"

	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
)

func main() {
	s, _ := secret.New(nil)
	p, _ := pii.New(&pii.Options{Kinds: append(kinds(), pii.KindPerson)})
	d := s
	if os.Args[1] == "pii" {
		d = p
	}
	if os.Args[1] == "piidefault" {
		d, _ = pii.New(nil)
	}
	if len(os.Args) > 3 && os.Args[2] == "dir" {
		scan(d, os.Args[3:], 200<<20)
		return
	}
	rows := 0
	for _, name := range os.Args[2:] {
		f, _ := os.Open(name)
		z, _ := gzip.NewReader(f)
		sc := bufio.NewScanner(z)
		sc.Buffer(nil, 1<<22)
		for sc.Scan() {
			var r struct{ ID, Source, Text string; Label int }
			json.Unmarshal(sc.Bytes(), &r)
			rows++
			for _, x := range d.Find(r.Text) {
				fmt.Printf("%s %d %s %q in %q\n", r.Source, r.Label, x.Kind, x.Value(r.Text), r.Text[max(0, x.Start-50):min(len(r.Text), x.End+20)])
			}
		}
	}
	fmt.Fprintln(os.Stderr, rows)
}

func kinds() []string {
	d, _ := pii.New(nil)
	return d.Kinds()
}
