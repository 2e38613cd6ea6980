package kv

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/prodailabs/prodai/cache/evict"
)

// A Prompt is a request of a recorded trace. Equal numbers in Blocks are equal blocks
// with equal blocks before them.
type Prompt struct {
	Timestamp int      `json:"timestamp"`     // ms since the start of the trace
	Input     int      `json:"input_length"`  // tokens
	Output    int      `json:"output_length"` // tokens
	Blocks    []uint64 `json:"hash_ids"`      // the last one may be partial
}

// MooncakeBlock is how many tokens a block of Mooncake's traces has.
const MooncakeBlock = 512

const longestLine = 16 << 20

// ReadMooncake reads a trace in the form that Mooncake published (FAST '25): a JSON
// object a line. An error names the line.
func ReadMooncake(r io.Reader) ([]Prompt, error) {
	var trace []Prompt
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var p Prompt
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("kv: line %d of the trace: %w", n, err)
		}
		if p.Input < 0 || p.Output < 0 || p.Timestamp < 0 {
			return nil, fmt.Errorf("kv: line %d of the trace: %w", n, errors.New("a number is negative"))
		}
		trace = append(trace, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("kv: the trace: %w", err)
	}
	return trace, nil
}

// A Reuse is what a [Replay] counted.
type Reuse struct {
	Prompts, Blocks int
	Hits            int // blocks that were there when they were asked for
	Prefix          int // of these, with all blocks before them there too: only they save work
}

// HitRate is the share of blocks that were there.
func (r Reuse) HitRate() float64 { return float64(r.Hits) / float64(max(r.Blocks, 1)) }

// PrefixRate is the share of blocks that were there with all blocks before them.
func (r Reuse) PrefixRate() float64 { return float64(r.Prefix) / float64(max(r.Blocks, 1)) }

// Replay runs a trace against an eviction policy whose room is counted in blocks.
func Replay(trace []Prompt, policy evict.Policy) Reuse {
	var out Reuse
	for _, p := range trace {
		out.Prompts++
		out.Blocks += len(p.Blocks)
		whole := true
		for _, key := range p.Blocks {
			hit := policy.Access(evict.Request{Key: key, Size: 1, Cost: 1})
			whole = whole && hit
			if hit {
				out.Hits++
			}
			if whole {
				out.Prefix++
			}
		}
	}
	return out
}
