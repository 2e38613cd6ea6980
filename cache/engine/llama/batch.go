package llama

import (
	"context"
	"fmt"

	"github.com/prodailabs/prodai/cache/engine/kv"
	"github.com/prodailabs/prodai/cache/engine/sched"
)

// EngineOptions are the settings of [Network.Engine].
type EngineOptions struct {
	// Sampler chooses the tokens of every request. Default: nil, the most likely token.
	Sampler *SamplerOptions

	// IsEnd reports whether a token ends an answer: see [Tokenizer.IsEnd]. Default: nil,
	// answers have as many tokens as the request allows.
	IsEnd func(token int32) bool
}

// Engine returns an engine for sched.Run: it computes the plans of a scheduler with this
// network. The blocks of the pool, whose size must be [PageTokens], are pages of a memory
// that the engine owns, so requests that share blocks share their keys and values. A
// request's prompt and answer must fit into the model's context. The engine may be used by
// one run at a time. Errors wrap [ErrOption].
func (n *Network) Engine(pool *kv.Pool, o *EngineOptions) (sched.Engine, error) {
	if pool == nil {
		return nil, fmt.Errorf("%w: the pool of Engine is nil", ErrOption)
	}
	if pool.BlockSize() != PageTokens {
		return nil, fmt.Errorf("%w: the pool has blocks of %d tokens: want %d", ErrOption, pool.BlockSize(), PageTokens)
	}
	b := &batch{net: n, pages: make([]*page, pool.Blocks()), pool: &Pool{net: n}, samplers: map[*sched.Job]*Sampler{}}
	if o != nil {
		b.o = *o
	}
	if _, err := NewSampler(b.o.Sampler); err != nil {
		return nil, err
	}
	return b.step, nil
}

// A batch runs the plans of a scheduler.
type batch struct {
	net      *Network
	o        EngineOptions
	pages    []*page // by the number of the block; nil: not used yet
	pool     *Pool   // without pages of its own: blocks are given by the scheduler
	samplers map[*sched.Job]*Sampler
}

func (b *batch) step(ctx context.Context, p *sched.Plan) ([]sched.Token, error) {
	for _, c := range p.Copies {
		copy(b.page(c.To).data, b.page(c.From).data)
	}
	var steps []Step
	for _, c := range p.Prefill {
		rows := RowsNone
		if c.Last {
			rows = RowsLast
		}
		steps = append(steps, b.part(c.Job, c.From, c.To, rows))
	}
	for _, j := range p.Decode {
		steps = append(steps, b.part(j, j.Seq.Len()-1, j.Seq.Len(), RowsLast))
	}
	rows, err := b.net.Forward(ctx, steps)
	if err != nil {
		return nil, err
	}
	var logits [][]float32 // of the jobs that get a token, in the order of Outputs
	for i, s := range steps {
		if s.Logits == RowsLast {
			logits = append(logits, rows[i][0])
		}
	}
	outputs := p.Outputs()
	tokens := make([]sched.Token, len(outputs))
	for i, j := range outputs {
		id, err := b.sample(j, logits[i])
		if err != nil {
			return nil, err
		}
		tokens[i] = sched.Token{ID: int(id), Stop: b.o.IsEnd != nil && b.o.IsEnd(id)}
	}
	for j := range b.samplers {
		if j.End >= 0 {
			delete(b.samplers, j)
		}
	}
	return tokens, nil
}

// page returns the memory of a block.
func (b *batch) page(id int) *page {
	if b.pages[id] == nil {
		c := b.net.config
		b.pages[id] = &page{refs: 1, data: make([]float32, 2*c.Layers*c.KVHeads*PageTokens*c.HeadSize)}
	}
	return b.pages[id]
}

// part is a step that computes some tokens of a job.
func (b *batch) part(j *sched.Job, from, to int, rows Rows) Step {
	c := &Cache{net: b.net, n: from, pool: b.pool}
	for _, id := range j.Seq.Table() {
		c.pages = append(c.pages, b.page(id))
	}
	all := make([]int32, to)
	for i, t := range j.Seq.Tokens()[:to] {
		all[i] = int32(t)
	}
	c.tokens = all[:from:from]
	return Step{Cache: c, Tokens: all[from:], Logits: rows}
}

// sample chooses a job's next token.
func (b *batch) sample(j *sched.Job, logits []float32) (int32, error) {
	s := b.samplers[j]
	if s == nil {
		var err error
		if s, err = NewSampler(b.o.Sampler); err != nil {
			return 0, err
		}
		for _, t := range j.Seq.Tokens() {
			s.See(int32(t))
		}
		b.samplers[j] = s
	}
	id := s.Sample(logits)
	s.See(id)
	return id, nil
}
