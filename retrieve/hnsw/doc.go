// Package hnsw finds near vectors without looking at all of them.
//
// # The lecture
//
// Lecture 10. An exact search (package flat) compares the query with every vector.
// At a million vectors it reads gigabytes for one question. An approximate index
// looks at a few hundred vectors, and finds nearly always what the exact search
// finds. "Nearly" is a number, the recall: the share of the true k nearest that are
// found. You choose it, and you pay for it in time.
//
// # The idea
//
// Link each vector with some near ones, and walk: from where you are, go to the
// neighbor that is nearest to the query, until no neighbor is nearer. Two things go
// wrong, and a hierarchical navigable small world repairs both.
//
// The way is long if all links are short. So there are layers. The lowest has all
// vectors; each higher one has one in M of those below, drawn at random, and so its
// links are longer. A search starts at the top, and takes the place where it ends
// as the start one layer down, like a journey by motorway, then road, then street:
//
//	layer 2   A ───────────────────► F
//	          │                      │
//	layer 1   A ──────► D ─────────► F ──► G
//	          │         │            │     │
//	layer 0   A ─► B ─► D ─► C ─► E ─► F ─► G ─► H ...
//
// The walk ends in a hollow: a vector that is nearer than its neighbors, but not
// nearest. So the search in the lowest layer keeps the ef best vectors that it has
// met, and follows the links of all of them. It stops when the nearest one whose
// links it has not followed is worse than the worst of those it keeps. With a higher
// ef, it finds more, and takes longer.
//
// Which links a vector gets matters as much. M links to the M nearest may all lead
// into one cluster. A candidate that is nearer to a chosen neighbor than to the
// vector itself is left out: it is reached through that neighbor.
//
// # Using it
//
//	index, err := hnsw.New(384, nil)
//	err = index.Add(7, vector)
//	hits, err := index.Search(query, 10, nil)
//	recall, err := index.Recall(queries, 10, &hnsw.SearchOptions{EF: 100})
//
// [Index.Recall] compares with an exact search. Raise EF until the recall on your
// own queries is what you need. Then raise M, and build anew.
//
// # Changing it
//
// A removed vector is never found again, but stays a waypoint until a fifth of the
// graph is dead. Then the graph is repaired: a vector that linked to a dead one gets
// links to the neighbors of its neighbors. The tests check that the
// recall after removing half is that of an index built anew. [Index.Add] with an id that is there replaces the
// vector. Equal vectors share one place in the graph.
//
// # Codes
//
// A walk waits for memory: each vector it meets lies somewhere else. With
// [Options.Int8] it reads codes of one byte for each element, and only the best 4·k
// are compared exactly. See package vecquant for what is lost, which is nearly
// nothing. internal/bench/retrieve/ann measures both beside hnswlib and faiss.
//
// # Filters
//
// A filter that runs after the search returns too few hits, or none. Here the walk
// goes through all vectors and keeps the allowed ones, so it takes longer the fewer
// are allowed. The search asks the filter about a sample first. If few are allowed, it
// compares the query with all of them, exactly. It does that also for an index of
// fewer than EF·M vectors. A walk with the default options is faster than a scan from
// some 1,000 vectors of 384 elements, or 2,000 of 128, on:
//
//	go test -run xxx -bench Crossing ./retrieve/hnsw
//
// # Pitfalls
//
//   - A recall measured on random vectors means little: measure on your own. Queries
//     that are unlike the vectors (questions against passages) need a higher ef.
//   - The graph is in memory only.
//   - For [MetricCosine], vectors are scaled to length 1 when they are added: Get
//     returns the scaled one.
//   - With [MetricDot], long vectors are near everything, and the graph gets worse.
//   - While a vector is linked, searches wait. It is a small part of the time of Add;
//     the larger part, the search for neighbors, runs beside other searches and Adds.
//
// # Exercises
//
//  1. Plot recall against queries a second for ef from 10 to 400, and M 8, 16, 32.
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
//   - Aumüller, Bernhardsson, Faithfull: "ANN-Benchmarks", 2020, for how to compare.
package hnsw
