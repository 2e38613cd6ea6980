// Package hnsw finds near vectors without looking at all of them: it is an
// approximate index, a hierarchical navigable small world graph.
//
// # The idea
//
// An exact search (package flat) compares the query with every vector. At a million
// vectors it reads gigabytes for one question. An approximate index looks at some
// hundreds or thousands of them, and finds nearly always what the exact search
// finds. "Nearly" is a number, the recall: the share of the true k nearest that are
// found. You choose it, and pay for it in time.
//
// The index links each vector with some near ones, and a search walks: it goes to
// the neighbor that is nearest to the query, until no neighbor is nearer. Two
// things go wrong with a simple walk, and HNSW repairs both.
//
// First, the way is long if all links are short. So there are layers. The lowest
// layer has all vectors, and each higher layer has one in M of those below, drawn
// at random, so its links are longer. A search starts at the top and takes the
// place where it ends as the start in the next layer down:
//
//	layer 2   A ───────────────────► F
//	          │                      │
//	layer 1   A ──────► D ─────────► F ──► G
//	          │         │            │     │
//	layer 0   A ─► B ─► D ─► C ─► E ─► F ─► G ─► H ...
//
// Second, the walk can end at a local best: a vector that is nearer than its
// neighbors but not the nearest of all. So the search in the lowest layer keeps the
// ef best vectors that it has met, and follows the links of all of them. It stops
// when the nearest one whose links it hasn't followed is worse than the worst one
// it keeps. A higher ef finds more and takes longer.
//
// Which links a vector gets matters as much. Links to the M nearest may all lead
// into one cluster. So a candidate that is nearer to a neighbor that was already
// chosen than to the vector itself is left out: it is reached through that
// neighbor.
//
// # Terms
//
//   - HNSW (also: hierarchical navigable small world): HNSW is a graph of vectors
//     in several layers that is walked from link to link towards the query. It is
//     the most used approximate index of vector databases.
//   - Recall (also: recall@k of an index): The recall of an approximate index is
//     the share of the true k nearest vectors that it finds, 0 to 1. [Index.Recall]
//     measures it.
//   - ef (also: efSearch, ef_search, EF): The parameter ef is how many candidates a
//     search keeps. Higher finds more and takes longer. The default of Options.EF
//     is 64.
//   - M (also: max connections): The parameter M is the number of links that a
//     vector gets in each layer. More links raise recall, memory and build time.
//     The default is 16.
//   - efConstruction (also: ef_construction): The parameter efConstruction is how
//     many candidates are looked at when a vector is added. Higher builds a better
//     graph, more slowly. The default is 200.
//   - Curse of dimensionality: The curse of dimensionality means that in many
//     dimensions nearly all points are about equally far from each other, so exact
//     indexes such as trees don't help, and approximate ones are used.
//
// # A minimal program
//
// The program's middle: build an index, search it, and measure its recall on your
// own queries.
//
//	index, err := hnsw.New(384, nil)
//	if err != nil {
//		return err
//	}
//	for id, v := range vectors {
//		if err := index.Add(id, v); err != nil {
//			return err
//		}
//	}
//	hits, err := index.Search(query, 10, nil)
//	if err != nil {
//		return err
//	}
//	recall, err := index.Recall(queries, 10, &hnsw.SearchOptions{EF: 100})
//
// Tune the index in this order: raise EF until the recall on your own queries is
// what you need; if that is too slow, raise M and build anew.
//
// # Changing it
//
// A removed vector is never found again, but stays in the graph as a step of walks
// until a fifth of the graph is removed. Then the graph is repaired: a vector that
// had a link to a removed one gets links to the neighbors of its neighbors. The
// tests check that the recall after removing half is that of an index built anew.
// [Index.Add] with an id that is there replaces the vector. Equal vectors share one
// place in the graph.
//
// # Codes and filters
//
// A walk waits for memory, since each vector it meets lies somewhere else. With
// Options.Int8 the walk reads codes of one byte for each element, and only the best
// 4·k are compared exactly. Nearly nothing is lost, see package vecquant.
// internal/bench/retrieve/ann measures both beside hnswlib and faiss.
//
// A filter that runs after the search returns too few hits, or none. Here the walk
// goes through all vectors and keeps the allowed ones, so it takes longer the fewer
// are allowed. The search asks the filter about a sample first. If few are allowed,
// it compares the query with all of those exactly.
//
// For an index of fewer than EF·M vectors the search compares all exactly as well.
// A walk with the default options is faster than a scan from some 1,000 vectors of
// 384 elements, or 2,000 of 128; this command prints it:
//
//	go test -run xxx -bench Crossing ./retrieve/hnsw
//
// # Measured
//
// A million vectors of 256 elements with Int8 are a file of 1.44 GB. [Open] takes 0.6
// seconds of the processor for it. After a thousand searches the process has 1.47 GB in
// memory, of which all but some 25 MB are pages of the file:
//
//	cd internal/bench && go run ./retrieve/large 1000000 256
//
// # Pitfalls
//
//   - Don't trust a recall that was measured on random vectors: do measure on your
//     own. Queries that are unlike the vectors (questions against passages) need a
//     higher ef.
//   - Don't expect the graph on a disk by itself: it is in memory. Do store it
//     with [Index.Save], and open the file with [Open], which doesn't build the
//     graph again.
//   - Don't expect [Index.Get] to return the vector you added with [MetricCosine]:
//     vectors are scaled to length 1.
//   - Don't use [MetricDot] on vectors of very different lengths: long vectors are
//     near everything, and the graph gets worse.
//   - Don't expect searches to be undisturbed while you add: searches wait while a
//     vector is linked. It is a small part of the time of Add; the larger part, the
//     search for neighbors, runs beside other searches and Adds.
//
// # Questions
//
// What is HNSW in simple words? HNSW is like a road map of vectors: the top layer
// has few points with long roads, each lower layer more points with shorter roads.
// A search travels on long roads first and on short ones near the goal, so it looks
// at few points.
//
// How do I tune HNSW: how do I choose M and ef? To tune HNSW, keep M = 16 and
// efConstruction = 200 at first, and raise ef until [Index.Recall] on your own
// queries is high enough, for example 0.98. If ef must be so high that searches are
// slow, raise M to 32 and build the index anew.
//
// Which recall does HNSW reach? HNSW reaches a recall of 0.95 to 0.999 on usual
// embeddings, depending on ef: the tests of this package demand .99 on their data.
// Measure yours with [Index.Recall].
//
// When is HNSW the wrong choice? HNSW isn't worth it below some thousand vectors,
// where an exact search is as fast. It is also a bad choice if memory is tight (see
// IVFFlat or quantization), or if most searches have a filter that allows very few
// vectors.
//
// # Exercises
//
//  1. Plot recall against queries a second for ef from 10 to 400, and M of 8, 16
//     and 32.
//  2. Link each vector to its M nearest, without the rule of directions. What
//     happens to the recall on clustered data?
//  3. Where is the crossing of walk and scan for ef 200, and with Int8? Why?
//
// # Further reading
//
//   - Malkov, Yashunin: "Efficient and robust approximate nearest neighbor search
//     using hierarchical navigable small world graphs", TPAMI 2020.
//   - Singh et al.: "FreshDiskANN: a fast and accurate graph-based ANN index for
//     streaming similarity search", 2021, for the repair after removals.
//   - Aumüller, Bernhardsson, Faithfull: "ANN-Benchmarks", 2020, for how to
//     compare.
package hnsw
