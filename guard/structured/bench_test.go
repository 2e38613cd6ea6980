package structured

import (
	"fmt"
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
