package structured

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

func BenchmarkRepair(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 16} {
		member := "{'id': 17, name: \"say \"hi\" to ana\", tags: ['a', 'b',], ok: True},\n"
		text := "Sure!\n```json\n[" + strings.Repeat(member, size/len(member)) + "]\n```"
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := Repair(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One row of the golden file at a time, for testdata/peers/json_repair_time.py
// to be compared with.
func BenchmarkRows(b *testing.B) {
	data, err := os.ReadFile("testdata/json_repair.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	var texts []string
	for line := range strings.Lines(string(data)) {
		var row repairRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			b.Fatal(err)
		}
		texts = append(texts, row.Text)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := Repair(texts[i%len(texts)]); err != nil && !errors.Is(err, ErrNoJSON) {
			b.Fatal(err)
		}
	}
}
