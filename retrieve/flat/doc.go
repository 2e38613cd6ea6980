// Package flat searches vectors exactly, by comparing the query with all of them.
//
// # The idea
//
// Before you use an approximate index, ask whether you need one. Comparing two
// vectors of 128 elements takes some tens of nanoseconds or less, if the vectors
// follow one another in memory and the processor works on eight numbers at a time.
// Twenty thousand comparisons take less than a millisecond, while the model's
// answer takes seconds. This command prints it:
//
//	go test -run xxx -bench . ./retrieve/flat
//
// An exact index has a recall of 1, needs no tuning and no building, and takes
// updates and deletes at once. A filter makes it faster.
//
// The time of an exact search grows with the number of vectors: n·dim·4 bytes are
// read for each query. At some hundred thousand vectors, or with many queries a
// second, that is too much. Then see [github.com/prodailabs/prodai/retrieve/hnsw].
//
// # Terms
//
//   - Flat index (also: exact search, brute force, exact kNN): A flat index stores
//     vectors one after another and compares the query with each. It always finds
//     the true nearest ones.
//   - Codes (also: quantized search, two-step search): Codes are short forms of the
//     vectors (package vecquant) that are compared first; only the best candidates
//     are compared exactly. See Options.Codes.
//   - Rescore factor (also: oversampling): The rescore factor is how many times k
//     candidates are compared exactly after the search by codes. The default of
//     Options.Rescore is 10.
//
// # A minimal program
//
// The program's middle: add vectors under ids, and find the ten nearest of a query.
//
//	index, err := flat.New(384, nil)
//	if err != nil {
//		return err
//	}
//	if err := index.Add(7, vector); err != nil {
//		return err
//	}
//	hits, err := index.Search(query, 10, nil)
//
// The third argument of Search reports whether an id may be found. It is asked
// before the k best are taken, so k hits are returned if k ids are allowed.
//
// # Measured
//
// A search of many vectors is as fast as they can be read. With Options.Codes it
// reads short codes first. The benchmark compares 50,000 vectors of 384 elements:
//
//	go test -run xxx -bench Codes ./retrieve/flat
//
// One bit an element, with 300 candidates for 10 hits, is more than 10 times as fast
// there and finds all. These vectors are made around 200 centers, so measure on
// your own. The next benchmark shows that an exact search of more vectors than the last
// cache has room for is limited by the memory: it reaches more than 80 % of the bytes per
// second of a loop that only reads them.
//
//	go test -run xxx -bench Bandwidth ./retrieve/flat
//
// # Pitfalls
//
//   - Don't expect [Index.Get] to return the vector you added with [MetricCosine]:
//     vectors are scaled to length 1 when they are added.
//   - Don't use [MetricDot] on vectors of different lengths without a reason: a
//     long vector is near everything. Embedders usually mean the cosine.
//   - Don't use Codes without measuring: they lose candidates silently. Do measure
//     the recall against an index without them.
//   - Don't compare scores beyond the sixth digit: they are computed in float32.
//
// # Questions
//
// When is an exact search enough? An exact search is enough up to some hundred
// thousand vectors and a few queries a second. 20,000 vectors of 128 elements take
// less than a millisecond. Use it also to measure the recall of an approximate
// index.
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
//     whose flat index is the reference for all others.
package flat
