package semantic

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/prodailabs/prodai/cache"
)

// An Index finds the nearest of the stored questions of one scope. A scope is
// everything but the question: tenant, namespace, model, options and the conversation
// before it. Vectors have length 1, so that their inner product is the cosine. An Index
// must be safe for concurrent use and must not write to the vectors.
type Index interface {
	Add(scope cache.Key, id uint64, vector []float32)
	Remove(scope cache.Key, id uint64)

	// Nearest returns up to k stored questions of the scope, the nearest first.
	Nearest(scope cache.Key, vector []float32, k int) []Match
}

// A Match is a stored question and its cosine with the asked one.
type Match struct {
	ID    uint64
	Score float64
}

// A Scan is an [Index] that compares with every question of the scope. It is exact.
// Make one with [NewScan].
type Scan struct {
	mu     sync.RWMutex
	scopes map[cache.Key]map[uint64][]float32
}

// NewScan returns an empty index.
func NewScan() *Scan { return &Scan{scopes: map[cache.Key]map[uint64][]float32{}} }

// Add stores a vector.
func (s *Scan) Add(scope cache.Key, id uint64, vector []float32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scopes[scope] == nil {
		s.scopes[scope] = map[uint64][]float32{}
	}
	s.scopes[scope][id] = vector
}

// Remove drops a vector.
func (s *Scan) Remove(scope cache.Key, id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.scopes[scope], id)
	if len(s.scopes[scope]) == 0 {
		delete(s.scopes, scope)
	}
}

// Nearest compares with every vector of the scope. Of equal ones the earlier id is
// first.
func (s *Scan) Nearest(scope cache.Key, vector []float32, k int) []Match {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k < 1 {
		return nil
	}
	var out []Match
	for id, v := range s.scopes[scope] {
		if len(v) != len(vector) {
			continue // from another embedder
		}
		var dot float32
		for i, x := range vector {
			dot += x * v[i]
		}
		m := Match{id, float64(dot)}
		if at, _ := slices.BinarySearchFunc(out, m, nearer); at < k {
			out = slices.Insert(out, at, m)
			out = out[:min(len(out), k)]
		}
	}
	return out
}

func nearer(a, b Match) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// unit returns v scaled to length 1; ok is false if it has no direction.
func unit(v []float32) (out []float32, ok bool) {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) { // also NaN
		return nil, false
	}
	out = make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out, true
}
