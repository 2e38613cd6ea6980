// Package flat searches vectors exactly, by comparing the query with all of them.
//
// # The lecture
//
// Lecture 10. Before an approximate index, ask whether one is needed. A comparison
// of two vectors of 128 elements takes some 10 nanoseconds, if the vectors follow
// one another in memory and the processor works on eight numbers at a time. Twenty
// thousand of them take a third of a millisecond; the model's answer takes
// seconds. (go test -run xxx -bench . ./retrieve/flat prints it.) An exact index has a recall of 1, nothing to tune and nothing to build,
// takes updates and deletes at once, and a filter makes it faster.
//
// Its time grows with the number of vectors, n·dim·4 bytes that are read for each
// query. At some hundred thousand vectors, or many queries a second, that is too
// much: then see package hnsw.
//
// # Using it
//
//	index, err := flat.New(384, nil)
//	err = index.Add(7, vector)
//	hits, err := index.Search(query, 10, nil)
//
// The third argument of Search reports whether an id may be found. It is asked before the
// k best are taken, so k hits are returned if k ids are allowed.
//
// # Codes
//
// A search of many vectors is as fast as they can be read. With [Options.Codes] it
// reads short codes (package vecquant), and only the best Rescore·k candidates are
// compared exactly. The benchmark compares 50,000 vectors of 384 elements:
//
//	go test -run xxx -bench Codes ./retrieve/flat
//
// One bit an element, with 300 candidates for 10 hits, is 6 to 10 times as fast
// there, and finds all. That is on vectors made up around 200 centers: measure on
// your own.
//
// # Pitfalls
//
//   - For [MetricCosine], vectors are scaled to length 1 when they are added: Get
//     returns the scaled one.
//   - With [MetricDot], a long vector is near everything. Embedders usually mean the
//     cosine.
//   - Codes take candidates away without a word: measure the recall against an index
//     without them.
//   - Scores are computed in float32: the seventh digit isn't meaningful.
//
// # Exercises
//
//  1. At how many vectors does a search take longer than 10 milliseconds?
//  2. Run the benchmark with -tags purego. How much does the assembly bring for a
//     thousand vectors, and for a hundred thousand? Why not the same?
//
// # Further reading
//
//   - Johnson, Douze, Jégou: "Billion-scale similarity search with GPUs", 2017,
//     whose flat index is the yardstick of all others.
package flat
