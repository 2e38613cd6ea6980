package evict_test

import (
	"fmt"

	"github.com/prodailabs/prodai/cache/evict"
)

// Two questions are asked three times in a row and come back, the others are asked once. LRU forgets the two each time,
// S3-FIFO doesn't.
func ExampleReplay() {
	var trace []evict.Request
	for i := range uint64(300) {
		popular := evict.Request{Key: i % 2, Size: 1, Cost: 1}
		trace = append(trace, popular, popular, popular)
		for k := range uint64(20) {
			trace = append(trace, evict.Request{Key: 1000 + 20*i + k, Size: 1, Cost: 1})
		}
	}
	lru, err := evict.NewLRU(20)
	if err != nil {
		fmt.Println(err)
		return
	}
	fifo, err := evict.NewS3FIFO(20)
	if err != nil {
		fmt.Println(err)
		return
	}
	best, err := evict.Belady(20, trace)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("LRU    ", evict.Replay(lru, trace).Hits)
	fmt.Println("S3-FIFO", evict.Replay(fifo, trace).Hits)
	fmt.Println("Belady ", best.Hits)
	// Output:
	// LRU     600
	// S3-FIFO 898
	// Belady  898
}
