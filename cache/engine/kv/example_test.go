package kv_test

import (
	"fmt"
	"log"

	"github.com/prodailabs/prodai/cache/engine/kv"
)

// Two requests share their system prompt, and a third one from another tenant doesn't.
func Example() {
	pool, err := kv.New(&kv.Options{Blocks: 64, BlockSize: 4})
	if err != nil {
		log.Fatal(err)
	}
	system := []int{11, 12, 13, 14, 15, 16, 17, 18, 19}
	for _, r := range []kv.Request{
		{Tokens: append(system[:9:9], 21, 22), Extra: []string{"tenant a"}},
		{Tokens: append(system[:9:9], 31, 32), Extra: []string{"tenant a"}},
		{Tokens: append(system[:9:9], 31, 32), Extra: []string{"tenant b"}},
	} {
		s, err := pool.Allocate(r)
		if err != nil {
			log.Fatal(err)
		}
		s.Computed(s.Len()) // here the model runs
		fmt.Println(r.Extra, "table", s.Table(), "cached tokens", s.Cached())
	}
	fmt.Printf("%d blocks are free, the hit rate is %.0f %%\n", pool.Free(), 100*pool.Stats().HitRate())
	// Output:
	// [tenant a] table [0 1 2] cached tokens 0
	// [tenant a] table [0 1 3] cached tokens 8
	// [tenant b] table [4 5 6] cached tokens 0
	// 57 blocks are free, the hit rate is 24 %
}

// A fork shares everything with its origin until one of them writes.
func ExampleSequence_Fork() {
	pool, err := kv.New(&kv.Options{Blocks: 8, BlockSize: 4})
	if err != nil {
		log.Fatal(err)
	}
	first, err := pool.Allocate(kv.Request{Tokens: []int{1, 2, 3, 4, 5}})
	if err != nil {
		log.Fatal(err)
	}
	second, err := first.Fork()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Table(), second.Table())
	c, ok, err := second.Append(6)
	fmt.Println(c, ok, err)
	fmt.Println(first.Table(), second.Table())
	// Output:
	// [0 1] [0 1]
	// {1 2} true <nil>
	// [0 1] [0 2]
}
