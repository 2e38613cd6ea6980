package embed

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDumpIDs(t *testing.T) {
	in := os.Getenv("TEXTS")
	if in == "" {
		t.Skip("x")
	}
	e, err := New()
	require.NoError(t, err)
	f, _ := os.Open(in)
	out, _ := os.Create(in + ".ids")
	defer out.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	enc := json.NewEncoder(out)
	for sc.Scan() {
		var s string
		require.NoError(t, json.Unmarshal(sc.Bytes(), &s))
		ids := []int32{}
		for _, id := range e.vocab.AppendIDs(nil, s) {
			if id != e.vocab.UnknownID() {
				ids = append(ids, id)
			}
		}
		require.NoError(t, enc.Encode(ids))
	}
	rows, _ := os.Create("/tmp/rows.f32")
	w := bufio.NewWriter(rows)
	for id := range e.vocab.Len() {
		v := make([]float32, e.dim)
		e.addRow(v, id)
		for _, x := range v {
			binary.Write(w, binary.LittleEndian, math.Float32bits(x))
		}
	}
	w.Flush()
	rows.Close()
}
