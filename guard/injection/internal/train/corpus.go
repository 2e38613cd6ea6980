package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// An example is a row of the corpus.
type example struct {
	Text      string `json:"text"`
	Label     int    `json:"label"`
	Source    string `json:"source"`
	Kind      string `json:"kind"`
	Lang      string `json:"lang"`
	NearTrain bool   `json:"near_train"`
}

func readCorpus(path string) ([]example, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	var all []example
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		var e example
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", path, len(all)+1, err)
		}
		all = append(all, e)
	}
	return all, sc.Err()
}
