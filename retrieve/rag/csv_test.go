package rag

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestCSV(t *testing.T) {
	csv := os.Getenv("CSV")
	if csv == "" {
		t.Skip("x")
	}
	f, _ := os.Create(csv)
	g, _ := os.Create(strings.TrimSuffix(csv, ".csv") + ".txt")
	for _, r := range examples(t, readJudged(t, *fit)) {
		x := r.input()
		fmt.Fprintf(f, "%d,%v,%v,%v,%s,%d", r.question, r.y, r.row.Refuse, r.scored.code && r.intent != intentShow || r.scored.asks, r.row.Kind, r.intent)
		for _, v := range x {
			fmt.Fprintf(f, ",%.5f", v)
		}
		fmt.Fprintln(f)
		b, _ := json.Marshal(r.scored.text)
		fmt.Fprintln(g, string(b))
	}
}
